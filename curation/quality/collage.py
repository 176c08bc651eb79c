"""Pictures that are several in one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.core.settings import CurateSettings
from fullshot.curation.quality.reductions import Reductions

if TYPE_CHECKING:
    import pandas as pd

_PANEL = 0.15  # of the side: what is narrower than this is no picture of a collage
_PLAIN = 6.0  # levels (standard deviation) below which a panel is a bar, not a picture
_MOST_STEP = 40  # levels
_PARTS = 8  # of the height
_PASSED_OVER = 1  # of the parts: two pictures may be of one colour somewhere
_EVERY = 3  # a row in so many is looked at: a seam runs through all of them
_BESIDE = 3  # columns


class Collage:
    """See :class:`fullshot.core.interfaces.QualityCheck`."""

    name = "collage"
    words = "several pictures in one"
    measures = ("collage",)

    def measure(self, reductions: Reductions) -> Mapping[str, float]:
        """See :meth:`fullshot.core.interfaces.QualityCheck.measure`."""
        grey = reductions.grey
        down, across = grey[::_EVERY], np.ascontiguousarray(grey[:, ::_EVERY].T)
        return {"collage": max(seam(down), seam(across))}

    def failed(self, rows: "pd.DataFrame", settings: CurateSettings) -> "pd.Series[bool]":
        """See :meth:`fullshot.core.interfaces.QualityCheck.failed`."""
        return rows["collage"] > settings.max_collage


def seam(grey: NDArray[np.uint8]) -> float:
    """How strong the picture's strongest straight seam is that runs from its top to its bottom.

    Where two pictures meet, neighbouring columns differ in all of their height, just there: so the difference is
    measured in parts of the height, over that of the columns beside it, and the weakest part is passed over. Bars of
    one colour at the sides (letterboxes) are no pictures, and their edges no seams.

    Args:
        grey: shape (height, width), uint8; not reduced across, so that a seam is one column wide.

    Returns:
        In [0, 1]: 1 is a difference of :data:`_MOST_STEP` levels in every part.
    """
    height, width = grey.shape
    first, last = round(width * _PANEL), round(width * (1 - _PANEL)) - 1
    if height < 4 * _PARTS or last - first < 2 * _BESIDE + 1:
        return 0.0
    steps = np.minimum(cv2.absdiff(grey[:, 1:], grey[:, :-1]), _MOST_STEP)
    part = height // _PARTS
    columns = steps[: part * _PARTS].reshape(_PARTS, part, -1).mean(axis=1, dtype=np.float32)
    beside = np.max([np.roll(columns, move, axis=1) for move in (-3, -2, 2, 3)], axis=0)
    strength = np.sort(columns - beside, axis=0)[_PASSED_OVER] / _MOST_STEP
    inner = strength[first:last]
    place = first + int(inner.argmax())
    panels = (grey[:, : place - 1], grey[:, place + 3 :])
    if min(float(panel[::4, ::4].std()) for panel in panels) < _PLAIN:
        return 0.0
    return float(np.clip(inner.max(), 0, 1))
