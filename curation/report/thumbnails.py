"""Pictures small enough for hundreds of them to lie in one file."""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
from PIL import Image

from fullshot.core.engines import open_engine
from fullshot.core.features import FeatureStore, Job, Made, keys_of_paths, reading
from fullshot.core.pictures import read_reduced

KIND, VERSION = "thumbnails", "1"
"""Of the store; whoever changes what a thumbnail looks like changes the version."""

HEIGHT = 144
"""Of a thumbnail, in pixels, at most."""
WIDTH = 200
"""Likewise: a banner's would be longer than the page is wide."""
BUDGET = 8_000_000
"""Characters that all of them may take: a page of 10 MB is sent by mail and opens at once."""

_QUALITY = 72
_SPEED = 2  # of libwebp, 0 the fastest and 6 the smallest: beyond 2 a file gets little smaller
_LEAST = 128  # thumbnails that this process makes before workers are started: to start one takes as long
_SCHEMA = pyarrow.schema([("webp", pyarrow.binary()), ("width", pyarrow.int16()), ("height", pyarrow.int16())])


@dataclass(frozen=True)
class Thumbnail:
    """A picture for an ``img`` element: the address, which holds the bytes, and the size in pixels."""

    address: str
    width: int
    height: int


def thumbnails(root: Path, paths: Iterable[str], engine: str = "processes") -> tuple[dict[str, Thumbnail], list[str]]:
    """Thumbnails of pictures, as many as :data:`BUDGET` allows; each is made once, and kept.

    Args:
        root: the workspace's folder.
        paths: of pictures, relative to it, in the order of their importance; as often as each is shown.
        engine: whose workers make those that are missing.

    Returns:
        Thumbnails by path, without those beyond the budget; and the paths of pictures that cannot be read.
    """
    uses = Counter(paths)
    with open_engine(engine) as workers:
        rows = _store(root).fill(keys_of_paths(uses), _make, workers, "report", least=_LEAST)
    left = BUDGET
    made: dict[str, Thumbnail] = {}
    unreadable = []
    for (path, times), row in zip(uses.items(), rows.read(_SCHEMA.names).to_pylist(), strict=True):
        if row["webp"] is None:
            unreadable.append(path)
            continue
        address = f"data:image/webp;base64,{base64.b64encode(row['webp']).decode('ascii')}"
        if len(address) * times <= left:
            left -= len(address) * times
            made[path] = Thumbnail(address, row["width"], row["height"])
    return made, unreadable


def _store(root: Path) -> FeatureStore:
    return FeatureStore(root, KIND, VERSION, _SCHEMA, "report")


def _make(jobs: Sequence[Job]) -> list[Made]:
    return [reading(job.path, _thumbnail) for job in jobs]


def _thumbnail(path: Path) -> Mapping[str, Any]:
    """A picture within :data:`WIDTH` × :data:`HEIGHT`, upright.

    Raises:
        NotAnImage: it does not decode.
        OSError: the file cannot be read.
    """
    small = Image.fromarray(read_reduced(path, 2 * WIDTH).pixels)
    small.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    memory = io.BytesIO()
    small.save(memory, "WEBP", quality=_QUALITY, method=_SPEED)
    return {"webp": memory.getvalue(), "width": small.width, "height": small.height}
