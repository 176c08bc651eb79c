"""A picture as a page shows it: its size, the boxes that are to be found in it, and those that were."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.train.detector.columns import BoxColumns
from fullshot.train.detector.evaluation.findings import Findings
from fullshot.train.detector.evaluation.matching import Matches

DIGITS = 4
"""Of scores and shares in what is written."""

MOST = 24
"""Pictures of a kind that a page shows."""


def shown(findings: Findings, matches: Matches, threshold: float, picture: int) -> dict[str, Any]:
    """One picture with its boxes.

    Args:
        findings: the boxes.
        matches: of them.
        threshold: the least score of a box that is believed; others are not shown.
        picture: its number.

    Returns:
        ``image_id``, ``path``, ``width`` and ``height`` in pixels, ``expected`` and ``found``: boxes with ``label``,
        ``corners`` in pixels, ``right`` (found, or a right one), and ``score``, which is None of expected ones.
    """
    expected, found = findings.expected, findings.found
    ours = expected.pictures == picture
    theirs = (found.pictures == picture) & (found.scores >= threshold)
    width, height = findings.sizes[picture].tolist()
    return {
        "image_id": findings.image_ids[picture],
        "path": findings.paths[picture],
        "width": width,
        "height": height,
        "expected": _boxes(findings.labels, expected.chosen(ours), matches.taken_with[ours] >= threshold),
        "found": _boxes(findings.labels, found.chosen(theirs), matches.is_right[theirs]),
    }


def _boxes(labels: tuple[str, ...], boxes: BoxColumns, is_right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    columns = (boxes.labels, boxes.corners.round(1), boxes.scores.round(DIGITS), is_right)
    return [
        {"label": labels[label], "corners": corners, "right": right, "score": None if np.isnan(score) else score}
        for label, corners, score, right in zip(*(column.tolist() for column in columns), strict=True)
    ]
