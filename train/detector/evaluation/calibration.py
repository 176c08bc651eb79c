"""Whether a score is what it says: of the boxes found with a score of 0.8, eight in ten should be right."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
"""Of equal width: those of most reports (Guo et al., On Calibration of Modern Neural Networks, 2017)."""

FIRST_SCORE = 0.1
"""Boxes below it are most of all, and nobody is shown one: they would hide how far the others are off."""

_DIGITS = 4


def calibration(scores: NDArray[np.float64], is_right: NDArray[np.bool_]) -> dict[str, Any]:
    """How far scores are from the shares of boxes that are right.

    Args:
        scores: shape (F,), of found boxes, in [0, 1].
        is_right: shape (F,).

    Returns:
        ``boxes`` (with a score of at least :data:`FIRST_SCORE`); ``expected_calibration_error``, the mean difference
        between score and precision, of bins weighted by their boxes, None without boxes; and ``bins``, those that have
        boxes: ``from``, ``to``, ``boxes``, ``score`` (mean), ``precision``.
    """
    counts = scores >= FIRST_SCORE
    scores, is_right = scores[counts], is_right[counts]
    numbers = np.minimum((scores * BINS).astype(int), BINS - 1)
    bins, error = [], 0.0
    for number in np.unique(numbers):
        its = numbers == number
        score, precision = float(scores[its].mean()), float(is_right[its].mean())
        error += its.sum() / len(scores) * abs(score - precision)
        row = {"from": number / BINS, "to": (number + 1) / BINS, "boxes": int(its.sum())}
        bins.append({**row, "score": round(score, _DIGITS), "precision": round(precision, _DIGITS)})
    return {
        "boxes": len(scores),
        "expected_calibration_error": round(float(error), _DIGITS) if bins else None,
        "bins": bins,
    }
