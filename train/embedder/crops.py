"""From pictures to what the network sees: trimmed, squared, and kept as one array of bytes."""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.boxes import Picture, crop
from fullshot.core.engines import cores
from fullshot.core.errors import StageFailed
from fullshot.core.pictures import NotAnImage, read_rgb

MEMORY_BYTES = 1 << 30
"""Crops of one training that are kept in memory; what is larger lies in a file that the system pages in and out."""

_BORDER = 0.02
"""Width of the frame whose colour is taken for the background, as a share of the picture's shorter side."""

_PLAIN = 0.6
"""The share of that frame that has to look alike before anything is trimmed."""

_EDGE = 0.9
"""The share of each edge of that frame that looks alike where a product stands alone. Of the built-in shop's 720 item
shots that tells all pictures of a product by itself from all that show it worn, or cut off."""

_TOLERANCE = 18
"""The largest difference in a channel (of 255) that still counts as background: JPEG noise and soft shadows."""

_MARGIN = 0.01
"""What is left around the trimmed product, as a share of the picture's longer side."""

_CORNERS = ["x_min", "y_min", "x_max", "y_max"]


def _edges(picture: Picture) -> list[NDArray[np.uint8]]:
    """The pixels of the upper, lower, left and right edge, each of shape (n, 3)."""
    frame = max(1, round(min(picture.shape[:2]) * _BORDER))
    strips = (picture[:frame], picture[-frame:], picture[:, :frame], picture[:, -frame:])
    return [strip.reshape(-1, 3) for strip in strips]


def _differs(pixels: NDArray[np.uint8], background: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(pixels.astype(np.int16) - background.astype(np.int16)).max(axis=-1) > _TOLERANCE)


def stands_alone(picture: Picture) -> bool:
    """Whether a picture shows something by itself on plain ground: no edge cuts it off, and there is no scene."""
    edges = _edges(picture)
    background = np.median(np.concatenate(edges), axis=0)
    return all(float(np.mean(_differs(edge, background))) <= 1 - _EDGE for edge in edges)


def preferred(products: "pd.Series[str]", alone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which item shots to learn from and to search in.

    A picture of shoes that shows the legs, the trousers and the street as well says little about the shoes, and it is
    near to whoever wears such trousers. So a product that has pictures of itself alone is known by these, and any
    other by all that it has.

    Args:
        products: the product of each item shot; N of them.
        alone: shape (N,), see :func:`stands_alone`.

    Returns:
        Shape (N,).
    """
    has_one = pd.Series(alone, index=products.index).groupby(products).transform("any").to_numpy(bool)
    return np.asarray(alone | ~has_one)


def trimmed(picture: Picture) -> Picture:
    """An item shot without its plain background, as tight around the product as a box drawn by hand.

    Args:
        picture: shape (height, width, 3), uint8, RGB.

    Returns:
        The part that differs from the border's colour; the whole picture where its border is not plain, or where
        next to nothing differs from it (a close-up of cloth).
    """
    height, width = picture.shape[:2]
    border = np.concatenate(_edges(picture))
    background = np.median(border, axis=0)
    if np.mean(_differs(border, background)) > 1 - _PLAIN:
        return picture
    differs = _differs(picture, background)
    rows = np.flatnonzero(differs.mean(axis=1) > _MARGIN)
    columns = np.flatnonzero(differs.mean(axis=0) > _MARGIN)
    if len(rows) < height * 0.1 or len(columns) < width * 0.1:
        return picture
    margin = round(max(height, width) * _MARGIN)
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    return picture[top : rows[-1] + 1 + margin, left : columns[-1] + 1 + margin]


def square(picture: Picture, side: int) -> NDArray[np.uint8]:
    """A crop squashed to a square: shape (side, side, 3), uint8, RGB."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((side, side), Image.Resampling.BILINEAR))


def squares(pictures: Sequence[Picture], side: int) -> NDArray[np.uint8]:
    """Crops squashed to squares: shape (N, side, side, 3), uint8, RGB."""
    if not len(pictures):
        return np.zeros((0, side, side, 3), np.uint8)
    return np.stack([square(picture, side) for picture in pictures])


def gathered(root: Path, examples: pd.DataFrame, side: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Decode every example once.

    Args:
        root: the workspace; the examples' ``path`` is relative to it.
        examples: rows with ``product_id``, ``path`` and ``x_min, y_min, x_max, y_max`` in pixels; without a box, the
            picture is an item shot and trimmed.
        side: of the squares, in pixels.

    Returns:
        Shape (N, side, side, 3), uint8, RGB, in the order of the rows, and shape (N,): whether to use the row, which
        is true of every box, and of the item shots that are :func:`preferred`. Up to :data:`MEMORY_BYTES` the crops
        are in memory; beyond, they are mapped from a nameless temporary file, so memory stays bounded.

    Raises:
        StageFailed: a picture cannot be read; says which.
    """
    shape = (len(examples), side, side, 3)
    crops: NDArray[np.uint8]
    if np.prod(shape, dtype=np.int64) <= MEMORY_BYTES:
        crops = np.zeros(shape, np.uint8)
    else:
        with tempfile.TemporaryFile() as file:
            crops = np.memmap(file, np.uint8, "w+", shape=shape)
    corners = examples[_CORNERS].to_numpy(float, na_value=np.nan)
    whole = np.isnan(corners).any(axis=1)
    alone = np.zeros(len(examples), np.bool_)

    def fill(rows: Sequence[int], path: str) -> None:
        picture = _decoded(root, path)
        for row in rows:
            alone[row] = whole[row] and stands_alone(picture)
            crops[row] = square(trimmed(picture) if whole[row] else crop(picture, tuple(corners[row])), side)

    # Threads suffice: the decoder and the resizer let go of the interpreter.
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(lambda of_path: fill(*of_path), _rows_of_paths(examples)))
    use = ~whole
    use[whole] = preferred(examples.loc[whole, "product_id"], alone[whole])
    return crops, use


def _rows_of_paths(examples: pd.DataFrame) -> Iterator[tuple[list[int], str]]:
    positions = pd.Series(range(len(examples)))
    for path, rows in positions.groupby(examples["path"].to_numpy()):
        yield rows.to_list(), str(path)


def _decoded(root: Path, path: str) -> Picture:
    try:
        return read_rgb(root / path)
    except (NotAnImage, OSError) as error:
        raise StageFailed(f"cannot read picture {root / path}: {error}") from None
