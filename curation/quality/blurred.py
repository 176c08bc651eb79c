"""Pictures that are out of focus, or moved; those that are nearly blank have no edges to tell it by."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.curation.quality.reductions import Reductions

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.settings import CurateSettings

_LEAST_MEASURED = 8  # pixels: in less, no edge is told from its neighbour
_LEAST_CHANGE = 0.05  # squared levels a pixel: rounding makes as much


class Blurred:
    """See :class:`fullshot.core.interfaces.QualityCheck`."""

    name = "blurred"
    words = "out of focus, or moved"
    measures = ("sharpness",)

    def measure(self, reductions: Reductions) -> Mapping[str, float]:
        """See :meth:`fullshot.core.interfaces.QualityCheck.measure`."""
        return {"sharpness": sharpness(reductions.small)}

    def failed(self, rows: "pd.DataFrame", settings: "CurateSettings") -> "pd.Series[bool]":
        """See :meth:`fullshot.core.interfaces.QualityCheck.failed`."""
        return (rows["sharpness"] < settings.min_sharpness) & (rows["detail"] >= settings.min_detail)


def sharpness(grey: NDArray[np.uint8]) -> float:
    """How narrow the picture's edges are, in the direction in which they are widest.

    Second differences over first ones, as root mean squares, horizontally, vertically and along both diagonals; half of
    the least, at most 1. A step edge under a Gaussian of s pixels has a ratio of 1 / (s * sqrt(2)), whatever its
    contrast. The four directions are asked alone because a picture that moved keeps the edges along its movement.

    Args:
        grey: shape (height, width).
    """
    height, width = grey.shape
    if min(height, width) < _LEAST_MEASURED:
        return 1.0
    levels = grey.astype(np.int16)
    twice_here = 2 * levels[1:-1, 1:-1]
    least = 2.0
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        after = np.s_[1 + down : height - 1 + down, 1 + right : width - 1 + right]
        before = np.s_[1 - down : height - 1 - down, 1 - right : width - 1 - right]
        first = float(cv2.norm(grey[after], grey[before], cv2.NORM_L2SQR)) / 4
        if first > _LEAST_CHANGE * twice_here.size:  # else there are no edges in this direction
            second = float(cv2.norm(levels[after] + levels[before], twice_here, cv2.NORM_L2SQR))
            least = min(least, (second / first) ** 0.5)
    return least / 2
