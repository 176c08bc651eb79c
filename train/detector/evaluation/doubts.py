"""Boxes that people drew and the detector doubts: where it is good, some of them are mistakes of theirs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fullshot.train.detector.evaluation.findings import Findings
from fullshot.train.detector.evaluation.matching import Matches
from fullshot.train.detector.evaluation.showing import DIGITS, MOST, shown

MOST_NAMED = 200
"""Boxes that are named, the most doubted first; the others are counted."""


def doubted(
    findings: Findings, matches: Matches, threshold: float, task_of: Callable[[str], str | None]
) -> dict[str, Any]:
    """The expected boxes in whose place nothing of their label was found, or surely something else.

    What is found there as another label is doubted up to twice as much as what is not found: that may be a weakness of
    the detector alone.

    Args:
        findings: the boxes.
        matches: of them.
        threshold: the least score of a box that is believed.
        task_of: the place where a person opens a picture's task in Label Studio, by its image_id; None: not known.

    Returns:
        ``count``, and ``boxes``, the most doubted first: ``image_id``, ``path``, ``label``, ``corners`` in pixels of
        the upright picture, ``doubt`` in [0, 1], ``score`` (the best of a box of its label there), ``found_as`` and
        ``found_with`` (the label and score of a wrong box there; None without), ``task`` (None where it is not
        known); and ``picture`` of the first, see :func:`fullshot.train.detector.evaluation.showing.shown`.
    """
    expected = findings.expected
    other = np.where(matches.other >= threshold, matches.other, 0.0)
    doubts = (1 - matches.own) * (1 + other) / 2
    which = np.flatnonzero((matches.own < threshold) | (other > 0))
    order = which[np.argsort(-doubts[which], kind="stable")]
    rows = []
    for place, number in enumerate(order[:MOST_NAMED].tolist()):
        picture, is_other = int(expected.pictures[number]), bool(other[number])
        image_id = findings.image_ids[picture]
        row = {
            "image_id": image_id,
            "path": findings.paths[picture],
            "label": findings.labels[expected.labels[number]],
            "corners": expected.corners[number].round(1).tolist(),
            "doubt": round(float(doubts[number]), DIGITS),
            "score": round(float(matches.own[number]), DIGITS),
            "found_as": findings.labels[matches.other_label[number]] if is_other else None,
            "found_with": round(float(other[number]), DIGITS) if is_other else None,
            "task": task_of(image_id),
        }
        if place < MOST:
            row["picture"] = shown(findings, matches, threshold, picture)
        rows.append(row)
    return {"count": len(which), "boxes": rows}
