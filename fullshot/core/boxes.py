"""Bounding boxes: their corners, areas and overlaps, and the piece of a picture that one holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Corners = tuple[float, float, float, float]
"""The corners of a box: ``(x_min, y_min, x_max, y_max)``, in pixels unless said otherwise."""

Picture = NDArray[np.uint8]
"""An RGB picture: shape (height, width, 3), dtype uint8."""

_UPRIGHT: dict[int, Callable[[float, float], tuple[float, float]]] = {
    # EXIF orientation: a point of the stored picture → that point of the upright one, both as shares of the sides.
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (1 - y, x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (y, 1 - x),
}


@dataclass(frozen=True)
class Box:
    """A bounding box, in pixels of the original picture.

    ``label`` is a wear (``top bottom foot long``); the corners are ``x_min, y_min, x_max, y_max``; ``score`` is in
    [0, 1] for a box from a model and None for one that a person drew; ``source`` says who drew it.
    """

    label: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float
    score: float | None = None
    source: str = "model"

    @property
    def corners(self) -> Corners:
        """``(x_min, y_min, x_max, y_max)``."""
        return self.x_min, self.y_min, self.x_max, self.y_max


def crop(picture: Picture, corners: Corners) -> Picture:
    """The piece of a picture inside a box.

    Args:
        picture: shape (height, width, 3), uint8, RGB.
        corners: ``(x_min, y_min, x_max, y_max)`` in pixels; clipped to the picture.

    Raises:
        ValueError: the box lies outside the picture or holds no pixel.
    """
    height, width = picture.shape[:2]
    x_min, y_min = max(0, int(np.floor(corners[0]))), max(0, int(np.floor(corners[1])))
    x_max, y_max = min(width, int(np.ceil(corners[2]))), min(height, int(np.ceil(corners[3])))
    if x_min >= x_max or y_min >= y_max:
        raise ValueError(f"a box inside a picture of {width}×{height} pixels, got corners {corners}")
    return picture[y_min:y_max, x_min:x_max]


def area(corners: Corners) -> float:
    """The area of a box, in square pixels; 0 where its corners are in the wrong order."""
    return float(_areas(_array([corners]))[0])


def upright_corners(corners: Corners, orientation: int) -> Corners:
    """Where a box lies once its picture is turned upright.

    Args:
        corners: ``(x_min, y_min, x_max, y_max)`` as shares of the stored picture's width and height, in [0, 1].
        orientation: of the picture's EXIF data, 1 to 8.

    Returns:
        Corners as shares of the upright picture's width and height.
    """
    turn = _UPRIGHT[orientation]
    (x_1, y_1), (x_2, y_2) = turn(*corners[:2]), turn(*corners[2:])
    return min(x_1, x_2), min(y_1, y_2), max(x_1, x_2), max(y_1, y_2)


def yolo_line(number: int, corners: Corners, width: float, height: float) -> str:
    """A box as a line of a YOLO label file: class, centre x and y, width and height as shares of the picture.

    Nine decimals: to be exact to 0.01 pixels, a JPEG's longest side of 65,535 pixels needs seven.

    Args:
        number: of the class, from 0.
        corners: ``(x_min, y_min, x_max, y_max)`` in pixels.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
    """
    x_min, y_min, x_max, y_max = corners
    shares = (
        (x_min + x_max) / 2 / width,
        (y_min + y_max) / 2 / height,
        (x_max - x_min) / width,
        (y_max - y_min) / height,
    )
    return " ".join([str(number), *(f"{share:.9f}" for share in shares)])


def iou(ours: Sequence[Corners], theirs: Sequence[Corners]) -> NDArray[np.float64]:
    """Intersection over union of every pair of boxes.

    Args:
        ours: N boxes.
        theirs: M boxes.

    Returns:
        Shape (N, M), float64, in [0, 1].

    Example:
        >>> iou([(0, 0, 10, 10)], [(0, 0, 10, 10), (5, 0, 15, 10)]).round(2)
        array([[1.  , 0.33]])
    """
    first, second = _array(ours), _array(theirs)
    common = _intersections(first, second)
    return np.asarray(common / np.maximum(_areas(first)[:, None] + _areas(second)[None] - common, _TINY))


def intersection_over_area(ours: Sequence[Corners], theirs: Sequence[Corners]) -> NDArray[np.float64]:
    """The share of each of our boxes that lies in each of theirs.

    Args:
        ours: N boxes; nothing of a box without an area lies anywhere.
        theirs: M boxes.

    Returns:
        Shape (N, M), float64, in [0, 1].

    Example:
        >>> intersection_over_area([(0, 0, 10, 10)], [(5, 0, 15, 10)])
        array([[0.5]])
    """
    first, second = _array(ours), _array(theirs)
    return np.asarray(_intersections(first, second) / np.maximum(_areas(first), _TINY)[:, None])


_TINY = 1e-12
"""Square pixels: an area that is divided by is at least this, so that empty boxes have no share in anything."""


def _array(boxes: Sequence[Corners]) -> NDArray[np.float64]:
    return np.reshape(boxes, (-1, 4)).astype(np.float64)


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1))


def _intersections(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The area that every pair of boxes has in common, shape (N, M)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.asarray(np.prod(np.clip(high - low, 0, None), axis=2))


def matched(overlaps: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """Match boxes greedily, the pair that overlaps most first, each box in one pair at most.

    COCO and Pascal VOC match detected boxes to true ones in this way.

    Args:
        overlaps: (N, M), see :func:`iou`.
        least: the smallest overlap of a pair.

    Returns:
        Row and column of each pair.
    """
    rest = overlaps.copy()
    pairs = []
    while rest.size and rest.max() >= max(least, 1e-9):
        row, column = (int(index) for index in np.unravel_index(int(rest.argmax()), rest.shape))
        pairs.append((row, column))
        rest[row, :] = rest[:, column] = -1
    return pairs
