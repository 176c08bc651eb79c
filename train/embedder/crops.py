"""The crops of a training or an evaluation: every picture decoded once, and kept as one array of bytes."""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core.engines import cores
from fullshot.core.pictures import NotAnImage, read_crops
from fullshot.train.embedder.preprocessing import (
    crop_to_foreground,
    has_plain_background,
    preferred_item_shots,
    resize,
)

MEMORY_BYTES = 1 << 30
"""Crops of one training that are kept in memory; what is larger lies in a file that the system pages in and out."""

_CORNERS = ["x_min", "y_min", "x_max", "y_max"]


@dataclass(frozen=True)
class Crops:
    """The crops of N examples.

    Attributes:
        pixels: shape (N, side, side, 3), uint8, RGB; black where the picture cannot be read. Up to
            :data:`MEMORY_BYTES` they are in memory; beyond, they are mapped from a nameless temporary file.
        use: shape (N,): whether to use the crop: those of boxes, and the item shots that are preferred
            (:func:`fullshot.train.embedder.preprocessing.preferred_item_shots`), as far as they can be read.
        unreadable: the paths of the pictures that cannot be read, each once.
    """

    pixels: NDArray[np.uint8]
    use: NDArray[np.bool_]
    unreadable: list[str]


def cut_crops(root: Path, examples: pd.DataFrame, side: int) -> Crops:
    """Cut every example out of its picture; upright, as the picture's EXIF orientation says.

    Args:
        root: the workspace; the examples' ``path`` is relative to it.
        examples: rows with ``product_id``, ``path`` and ``x_min, y_min, x_max, y_max`` in pixels of the picture as it
            is stored; without a box, the picture is an item shot, and its plain background is cut away.
        side: of the crops, in pixels.
    """
    pixels = _zeros((len(examples), side, side, 3))
    corners = examples[_CORNERS].to_numpy(float, na_value=np.nan)
    is_whole = np.isnan(corners).any(axis=1)
    is_packshot, is_readable = np.zeros((2, len(examples)), np.bool_)

    def fill(rows: Sequence[int], path: str) -> bool:
        try:
            pieces = read_crops(root / path, [None if is_whole[row] else tuple(corners[row]) for row in rows])
        except (NotAnImage, OSError):
            return False
        for row, piece in zip(rows, pieces, strict=True):
            is_readable[row] = True
            is_packshot[row] = is_whole[row] and has_plain_background(piece)
            pixels[row] = resize(crop_to_foreground(piece) if is_whole[row] else piece, side)
        return True

    by_path = list(_rows_by_path(examples))
    # Threads suffice: the decoder and the resizer let go of the interpreter.
    with ThreadPoolExecutor(cores()) as pool:
        readable = list(pool.map(lambda rows_of_path: fill(*rows_of_path), by_path))
    use = is_readable.copy()
    shots = is_whole & is_readable
    use[shots] = preferred_item_shots(examples.loc[shots, "product_id"], is_packshot[shots])
    return Crops(pixels, use, [path for (_, path), there in zip(by_path, readable, strict=True) if not there])


def _zeros(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if np.prod(shape, dtype=np.int64) <= MEMORY_BYTES:
        return np.zeros(shape, np.uint8)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.uint8, "w+", shape=shape)


def _rows_by_path(examples: pd.DataFrame) -> Iterator[tuple[list[int], str]]:
    positions = pd.Series(range(len(examples)))
    for path, rows in positions.groupby(examples["path"].to_numpy()):
        yield rows.to_list(), str(path)
