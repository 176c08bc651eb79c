"""A garment's bounding box, and the piece of a picture it holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
