"""The pictures in which most goes wrong."""

from typing import Any

import numpy as np

from fullshot.train.detector.evaluation.findings import Findings
from fullshot.train.detector.evaluation.matching import Matches, errors
from fullshot.train.detector.evaluation.showing import MOST, shown


def worst(findings: Findings, matches: Matches, threshold: float) -> dict[str, Any]:
    """The pictures with the most boxes that were missed, or found where there is none of their label.

    Args:
        findings: the boxes.
        matches: of them.
        threshold: the least score of a box that is believed.

    Returns:
        ``count`` (pictures in which something is wrong), and ``pictures``, the worst first: ``missed``, ``wrong``, and
        what :func:`fullshot.train.detector.evaluation.showing.shown` gives. Among equals, those with the surest wrong
        boxes come first.
    """
    count, found = len(findings.image_ids), findings.found
    missed, wrong = errors(findings.expected, found, matches, threshold, count)
    is_wrong = (found.scores >= threshold) & ~matches.is_right
    sureness = np.bincount(found.pictures[is_wrong], weights=found.scores[is_wrong], minlength=count)
    bad = int((missed + wrong > 0).sum())
    order = np.lexsort((-sureness, -(missed + wrong)))[: min(MOST, bad)]
    pictures = [
        {
            "missed": int(missed[picture]),
            "wrong": int(wrong[picture]),
            **shown(findings, matches, threshold, picture),
        }
        for picture in order.tolist()
    ]
    return {"count": bad, "pictures": pictures}
