"""All figures of one split: of the boxes that a detector found, beside those that it should find."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow

from fullshot.train.detector.evaluation.calibration import calibration
from fullshot.train.detector.evaluation.confusion import confusion
from fullshot.train.detector.evaluation.doubts import doubted
from fullshot.train.detector.evaluation.findings import Findings
from fullshot.train.detector.evaluation.groups import by_group
from fullshot.train.detector.evaluation.matching import best_score, match
from fullshot.train.detector.evaluation.showing import DIGITS
from fullshot.train.detector.evaluation.tables import not_there
from fullshot.train.detector.evaluation.worst import worst

DETAILS = "details"
"""What a page needs and no terminal has room for, among the figures."""


def figures(
    findings: Findings, groups: Mapping[str, pyarrow.Table], task_of: Callable[[str], str | None]
) -> dict[str, Any]:
    """Measure a detector.

    Args:
        findings: the boxes.
        groups: what pictures have in common, see :class:`fullshot.train.detector.evaluation.tables.SplitRows`.
        task_of: the place of a picture's task in Label Studio, by its image_id; None: not known.

    Returns:
        What :func:`fullshot.train.detector.evaluate` tells of a split, but for its name and counts; and
        :data:`DETAILS`: ``labels``, ``curves``, ``confusion``, ``calibration``, ``worst``, ``doubted``.
    """
    expected, found, count = findings.expected, findings.found, len(findings.image_ids)
    precisions = findings.precisions()
    matches = match(expected, found, count)
    threshold = best_score(found, matches.is_right, len(expected))
    measured = {name: by_group(findings, matches, threshold, rows) for name, rows in groups.items()}
    calibrated = calibration(found.scores, matches.is_right)
    bad, doubts = worst(findings, matches, threshold), doubted(findings, matches, threshold, task_of)
    return {
        **precisions.figures(),
        "by_size": precisions.by_size(),
        **{f"by_{name}": rows for name, (rows, _) in measured.items()},
        "groups_left_out": {name: left_out for name, (_, left_out) in measured.items() if left_out},
        "columns_not_there": not_there(groups),
        "best_score": round(threshold, DIGITS),
        "calibration_error": calibrated["expected_calibration_error"],
        "pictures_with_errors": bad["count"],
        "doubted_boxes": doubts["count"],
        DETAILS: {
            "labels": list(findings.labels),
            "curves": precisions.curves(),
            "confusion": confusion(findings.labels, expected, found, count, threshold),
            "calibration": calibrated,
            "worst": bad,
            "doubted": doubts,
        },
    }
