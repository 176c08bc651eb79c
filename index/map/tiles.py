"""Small pictures of items, many to a file: a page of thousands of pictures has a few sheets of them."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.engines import open_engine
from fullshot.core.features import FeatureStore, Job, Made, Rows, reading
from fullshot.core.pictures import read_reduced
from fullshot.index.in_use import TILES, TILES_VERSION
from fullshot.train.embedder import crop_to_foreground

_KEPT = 128
"""The longer side of a tile as it is kept, in pixels."""

_SIDES = ((800, 128), (2_000, 96), (None, 64))
"""How large a tile is in the page, by the number of items: the page is to stay below some 10 MB."""

_SHEET = 2048
"""The side of a sheet in pixels: any browser decodes that, on a phone as well."""

_QUALITY = 75
_SPEED = 2  # of libwebp, 0 the fastest and 6 the smallest: beyond 2 a file gets little smaller
_LEAST = 64  # tiles that this process makes before workers are started: to start one takes as long
_SCHEMA = pyarrow.schema([("webp", pyarrow.binary())])


@dataclass(frozen=True)
class Sheets:
    """Sheets of tiles.

    Attributes:
        addresses: of each sheet, ``data:`` with its bytes.
        side: of a tile's square, in pixels; the n-th lies in row ``n // columns`` of the sheets, one below the other.
        columns: squares of a row.
        rows: of a sheet.
        sizes: shape (N, 2): width and height in pixels of each tile, which lies in the upper left of its square.
    """

    addresses: list[str]
    side: int
    columns: int
    rows: int
    sizes: NDArray[np.int64]


def kept_tiles(root: Path, keys: pyarrow.Table, engine: str) -> Rows:
    """The tiles of pictures, without their plain background; each is made once, and kept.

    Args:
        root: the workspace's folder.
        keys: ``image_id`` and ``path`` of each.
        engine: whose workers make those that are missing.
    """
    store = FeatureStore(root, TILES, TILES_VERSION, _SCHEMA, "index map")
    with open_engine(engine) as workers:
        return store.fill(keys, _make, workers, "index map", least=_LEAST)


def sheets(tiles: Rows) -> Sheets:
    """Tiles that can be read, laid on sheets in their order.

    Args:
        tiles: see :func:`kept_tiles`.
    """
    side = next(side for most, side in _SIDES if most is None or len(tiles) <= most)
    columns = _SHEET // side
    sizes = np.zeros((len(tiles), 2), np.int64)
    addresses = []
    for start in range(0, len(tiles), columns * columns):
        part = tiles.take(np.arange(start, min(start + columns * columns, len(tiles))))
        rows = -(-len(part) // columns)
        sheet = Image.new("RGB", (min(len(part), columns) * side, rows * side), "white")
        for number, tile in enumerate(_opened(part, side)):
            sheet.paste(tile, (number % columns * side, number // columns * side))
            sizes[start + number] = tile.size
        memory = io.BytesIO()
        sheet.save(memory, "WEBP", quality=_QUALITY, method=_SPEED)
        addresses.append(f"data:image/webp;base64,{base64.b64encode(memory.getvalue()).decode('ascii')}")
    return Sheets(addresses, side, columns, columns, sizes)


def _opened(tiles: Rows, side: int) -> Iterator[Image.Image]:
    for content in tiles.read(["webp"])["webp"].to_pylist():
        tile = Image.open(io.BytesIO(content)).convert("RGB")
        tile.thumbnail((side, side), Image.Resampling.LANCZOS)
        yield tile


def _make(jobs: Sequence[Job]) -> list[Made]:
    return [reading(job.path, _tile) for job in jobs]


def _tile(path: Path) -> Mapping[str, Any]:
    """A picture within a square of :data:`_KEPT`, upright.

    Raises:
        NotAnImage: it does not decode.
        OSError: the file cannot be read.
    """
    small = Image.fromarray(np.ascontiguousarray(crop_to_foreground(read_reduced(path, 4 * _KEPT).pixels)))
    small.thumbnail((_KEPT, _KEPT), Image.Resampling.LANCZOS)
    memory = io.BytesIO()
    small.save(memory, "WEBP", quality=_QUALITY, method=_SPEED)
    return {"webp": memory.getvalue()}
