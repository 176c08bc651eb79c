"""Pictures of nearly one colour."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.curation.quality.reductions import Reductions, reduced

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.settings import CurateSettings

_LONGEST_EDGES, _EDGE = 128, 16  # pixels; levels


class Blank:
    """See :class:`fullshot.core.interfaces.QualityCheck`."""

    name = "blank"
    words = "nearly one colour"
    measures = ("detail",)

    def measure(self, reductions: Reductions) -> Mapping[str, float]:
        """See :meth:`fullshot.core.interfaces.QualityCheck.measure`."""
        return {"detail": detail(reductions.small)}

    def failed(self, rows: "pd.DataFrame", settings: "CurateSettings") -> "pd.Series[bool]":
        """See :meth:`fullshot.core.interfaces.QualityCheck.failed`."""
        return rows["detail"] < settings.min_detail


def detail(grey: NDArray[np.uint8]) -> float:
    """The share of the picture that is an edge: where levels within 3 x 3 pixels span more than :data:`_EDGE`.

    A vignette, a ground that grows darker and a sensor's noise are none; the outline of a white shoe on white is.

    Args:
        grey: shape (height, width).
    """
    tiny = reduced(grey, _LONGEST_EDGES)
    edges = cv2.morphologyEx(tiny, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return float(np.count_nonzero(edges > _EDGE)) / tiny.size
