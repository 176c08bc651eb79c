"""The smaller grey copies of a picture that several checks measure."""

from functools import cached_property
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Picture

LONGEST, LONGEST_MARKED = 384, 192
"""Longer side, in pixels, of the grey copy: what is blurred at that size is blurred at any. For marks half of it."""

Grey = NDArray[np.float32]
AnyGrey = TypeVar("AnyGrey", NDArray[np.uint8], NDArray[np.float32])


class Reductions:
    """A picture and its reductions; each is made when it is first asked for, and once.

    Args:
        picture: shape (height, width, 3), uint8, RGB, of any size from one pixel on.
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    @cached_property
    def grey(self) -> NDArray[np.uint8]:
        """The picture in grey, of its own size: shape (height, width), uint8."""
        return np.asarray(cv2.cvtColor(self.picture, cv2.COLOR_RGB2GRAY), np.uint8)

    @cached_property
    def small(self) -> NDArray[np.uint8]:
        """In grey, the longer side at most :data:`LONGEST` pixels: shape (h, w), uint8."""
        return reduced(self.grey, LONGEST)

    @cached_property
    def small_levels(self) -> Grey:
        """The same as float32, in levels from 0 to 255."""
        return self.small.astype(np.float32)

    @cached_property
    def tiny_levels(self) -> Grey:
        """In grey, the longer side at most :data:`LONGEST_MARKED` pixels: shape (h, w), float32, 0 to 255."""
        return reduced(self.small_levels, LONGEST_MARKED)


def reduced(grey: AnyGrey, longest: int) -> AnyGrey:
    """A copy whose longer side is at most so many pixels; the picture itself, where it is."""
    height, width = grey.shape
    if max(height, width) <= longest:
        return grey
    while max(height, width) >= 2 * longest and min(height, width) > 1:
        # Halving is the one reduction by areas that OpenCV does fast; a last odd line is left out.
        height, width = height // 2, width // 2
        even = grey[: 2 * height, : 2 * width]
        grey = cast(AnyGrey, cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
    share = min(1.0, longest / max(height, width))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    # Of at most two pixels in one the mean is what interpolation finds, in a fifth of the time.
    return cast(AnyGrey, cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR))
