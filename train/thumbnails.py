"""Pictures that lie in a page's own file."""

import base64
import io
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.boxes import Corners
from fullshot.core.pictures import NotAnImage, read_crops, read_reduced

SIDE = 320
"""The longer one of a picture in a page, in pixels: so much is needed to see a box that is a little off."""

CROP_SIDE = 160
"""The longer one of a garment in a page, in pixels."""

_QUALITY = 70
_SPEED = 2  # of libwebp, 0 the fastest and 6 the smallest: beyond 2 a file gets little smaller

Crop = tuple[str, Corners | None]
"""A picture's path, and a box of it in pixels of the picture as it is stored; None: the whole."""


def addresses(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Small pictures, upright, as addresses that hold their bytes.

    Args:
        root: that the paths are relative to.
        paths: of pictures.

    Returns:
        By path; without those that cannot be read any more.
    """
    made = {}
    for path in dict.fromkeys(paths):
        try:
            made[path] = _address(read_reduced(root / path, SIDE).pixels, SIDE)
        except (NotAnImage, OSError):
            continue
    return made


def crop_addresses(root: Path, crops: Iterable[Crop]) -> dict[Crop, str]:
    """Small pieces of pictures, upright, as addresses that hold their bytes; each picture is opened once.

    Args:
        root: that the paths are relative to.
        crops: pictures, or boxes of them.

    Returns:
        By what was asked for; without those that cannot be read any more.
    """
    made: dict[Crop, str] = {}
    for path, group in groupby(sorted(set(crops), key=_in_order), key=lambda crop: crop[0]):
        boxes: Sequence[Corners | None] = [box for _, box in group]
        try:
            pieces = read_crops(root / path, boxes)
        except (NotAnImage, OSError, ValueError):
            continue
        made |= {(path, box): _address(piece, CROP_SIDE) for box, piece in zip(boxes, pieces, strict=True)}
    return made


def _in_order(crop: Crop) -> tuple[str, Corners]:
    path, box = crop
    return path, box or (-1.0, -1.0, -1.0, -1.0)


def _address(pixels: NDArray[np.uint8], side: int) -> str:
    small = Image.fromarray(np.ascontiguousarray(pixels))
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    memory = io.BytesIO()
    small.save(memory, "WEBP", quality=_QUALITY, method=_SPEED)
    return f"data:image/webp;base64,{base64.b64encode(memory.getvalue()).decode('ascii')}"
