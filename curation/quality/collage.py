"""Pictures that are several in one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.curation.quality.reductions import Reductions

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.settings import CurateSettings

_PANEL = 0.15  # of the side: what is narrower than this is no picture of a collage
_PLAIN = 6.0  # levels (standard deviation) below which a panel is a bar, not a picture
_MOST_STEP = 40  # levels
_PARTS = 8  # of the height
_PASSED_OVER = 1  # of the parts: two pictures may be of one colour somewhere
_EVERY = 3  # a row in so many is looked at: a seam runs through all of them
_BESIDE = (-3, -2, 2, 3)  # columns
_SAMPLED = 4  # rows and columns: so many to one tell whether a panel is plain


class Collage:
    """See :class:`fullshot.core.interfaces.QualityCheck`."""

    name = "collage"
    words = "several pictures in one"
    measures = ("collage",)

    def measure(self, reductions: Reductions) -> Mapping[str, float]:
        """See :meth:`fullshot.core.interfaces.QualityCheck.measure`."""
        grey = reductions.grey
        across = np.asarray(cv2.transpose(np.ascontiguousarray(grey[:, ::_EVERY])), np.uint8)
        return {"collage": max(seam(grey[::_EVERY]), seam(across))}

    def failed(self, rows: "pd.DataFrame", settings: "CurateSettings") -> "pd.Series[bool]":
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
    most = max(_BESIDE)
    if height < 4 * _PARTS or last - first < 2 * most + 1:
        return 0.0
    columns = _steps(grey, first - most, last + most)
    beside = np.max([columns[:, most + move : columns.shape[1] - most + move] for move in _BESIDE], axis=0)
    strength = np.partition(columns[:, most:-most] - beside, _PASSED_OVER, axis=0)[_PASSED_OVER] / _MOST_STEP
    place = first + int(strength.argmax())
    if _is_plain(grey[:, : place - 1]) or _is_plain(grey[:, place + 3 :]):
        return 0.0
    return float(np.clip(strength.max(), 0, 1))


def _steps(grey: NDArray[np.uint8], first: int, last: int) -> NDArray[np.float32]:
    """How columns differ from their right neighbours on average, in each part of the height: (parts, last - first)."""
    if first >= 0 and last < grey.shape[1]:
        left, right = grey[:, first:last], grey[:, first + 1 : last + 1]
    else:  # of a picture of a few columns, the first are beside the last
        numbers = np.arange(first, last) % (grey.shape[1] - 1)
        left, right = grey[:, numbers], grey[:, numbers + 1]
    steps = np.minimum(cv2.absdiff(right, left), _MOST_STEP)
    part = len(grey) // _PARTS
    parts = (steps[start * part : (start + 1) * part] for start in range(_PARTS))
    # Sums of whole numbers, so exact; NumPy's own mean over rows takes three times as long.
    sums = np.vstack([cv2.reduce(rows, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F) for rows in parts])
    return np.asarray(sums / np.float32(part), np.float32)


def _is_plain(panel: NDArray[np.uint8]) -> bool:
    """Whether its levels have a standard deviation of less than :data:`_PLAIN`."""
    levels = panel[::_SAMPLED, ::_SAMPLED].astype(np.int64).ravel()
    return float(levels.size * (levels @ levels) - int(levels.sum()) ** 2) < (_PLAIN * levels.size) ** 2
