"""The figures of pictures that have something in common: a shop, a product type, a kind of shot."""

from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute as pc

from fullshot.train.detector.evaluation.findings import Findings
from fullshot.train.detector.evaluation.matching import Matches, errors

MOST = 40
"""Groups of a kind that are measured, those of the most pictures: a shop may have a thousand product types."""


def by_group(
    findings: Findings, matches: Matches, threshold: float, groups: pyarrow.Table
) -> tuple[dict[str, Any], int]:
    """Figures by group, that of the most pictures first.

    Args:
        findings: the boxes.
        matches: of them.
        threshold: the least score of a box that is believed.
        groups: ``image_id`` and ``name``, a row a picture and group.

    Returns:
        By name: ``pictures``, ``boxes``, ``map50``, ``map50_95`` (means over the labels that are there), ``missed`` and
        ``wrong`` (boxes); and how many groups are left out.
    """
    count = len(findings.image_ids)
    missed, wrong = errors(findings.expected, findings.found, matches, threshold, count)
    boxes = np.bincount(findings.expected.pictures, minlength=count)
    numbers = pc.index_in(groups["image_id"], value_set=pyarrow.array(findings.image_ids, pyarrow.string()))
    is_there = pc.is_valid(numbers)  # the others cannot be read
    names = groups["name"].filter(is_there).combine_chunks().dictionary_encode()
    pictures, places = numbers.filter(is_there).to_numpy(), names.indices.to_numpy()
    order = np.argsort(-np.bincount(places), kind="stable")
    measured = {}
    for place in order[:MOST].tolist():
        which = np.zeros(count, np.bool_)
        which[pictures[places == place]] = True
        figures = findings.precisions(which).figures()
        measured[names.dictionary[place].as_py()] = {
            "pictures": int(which.sum()),
            "boxes": int(boxes[which].sum()),
            "map50": figures["map50"],
            "map50_95": figures["map50_95"],
            "missed": int(missed[which].sum()),
            "wrong": int(wrong[which].sum()),
        }
    return measured, max(0, len(order) - MOST)
