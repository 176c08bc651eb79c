"""A garment's bounding box, and the piece of a picture it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Corners = tuple[float, float, float, float]
"""``(x_min, y_min, x_max, y_max)``."""

Picture = NDArray[np.uint8]
"""An RGB picture: shape (height, width, 3), dtype uint8."""


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
    def corners(self) -> tuple[float, float, float, float]:
        """``(x_min, y_min, x_max, y_max)``."""
        return self.x_min, self.y_min, self.x_max, self.y_max


def crop(picture: Picture, corners: tuple[float, float, float, float]) -> Picture:
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


def iou(ours: Sequence[Corners], theirs: Sequence[Corners]) -> NDArray[np.float64]:
    """Intersection over union of every pair.

    Args:
        ours: N boxes, each ``(x_min, y_min, x_max, y_max)``.
        theirs: M boxes.

    Returns:
        float64 (N, M), in [0, 1].
    """
    first, second = np.reshape(ours, (-1, 1, 4)).astype(float), np.reshape(theirs, (1, -1, 4)).astype(float)
    low, high = np.maximum(first[..., :2], second[..., :2]), np.minimum(first[..., 2:], second[..., 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(boxes[..., 2:] - boxes[..., :2], axis=2) for boxes in (first, second)]
    return np.asarray(common / np.maximum(areas[0] + areas[1] - common, 1e-12))


def matched(overlaps: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """Pairs of boxes that are one and the same, each box in one pair at most, those that overlap most first.

    Greedy, as COCO and Pascal VOC match found boxes to true ones.

    Args:
        overlaps: (N, M), see :func:`iou`.
        least: of a pair.

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
