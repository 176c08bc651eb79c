"""What boxes are, and what they are found as: supervision's confusion matrix."""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fullshot.train.detector.columns import BoxColumns
from fullshot.train.detector.evaluation.matching import LEAST_OVERLAP

if TYPE_CHECKING:
    from supervision import Detections

_AT_ONCE = 2000
"""Pictures whose boxes are objects at a time."""


def confusion(
    labels: tuple[str, ...], expected: BoxColumns, found: BoxColumns, pictures: int, threshold: float
) -> list[list[int]]:
    """Count boxes by what they are and what they are found as.

    Args:
        labels: K, that are told apart.
        expected: the boxes of P pictures.
        found: those found in them.
        pictures: P.
        threshold: the least score of a found box that counts.

    Returns:
        K + 1 rows, a label each, then what is nothing; and as many columns: what it is found as, last what is not
        found. In a place (IoU of at least 0.5), a box of the same label comes first.
    """
    from supervision import ConfusionMatrix

    counts = np.zeros((len(labels) + 1,) * 2, np.int64)
    sure = found.chosen(found.scores >= threshold)
    for first in range(0, pictures, _AT_ONCE):
        which = np.zeros(pictures, np.bool_)
        which[first : first + _AT_ONCE] = True
        number = int(which.sum())
        counts += ConfusionMatrix.from_detections(
            predictions=list(_detections(sure.of_pictures(which), number)),
            targets=list(_detections(expected.of_pictures(which), number)),
            classes=list(labels),
            conf_threshold=0.0,  # it leaves out a box of exactly this score
            iou_threshold=np.nextafter(LEAST_OVERLAP, 0.0),  # and one of exactly this overlap
        ).matrix
    return [[int(count) for count in row] for row in counts]


def _detections(boxes: BoxColumns, pictures: int) -> "Iterator[Detections]":
    from supervision import Detections

    borders = boxes.borders(pictures)
    scores: NDArray[np.float64] = np.nan_to_num(boxes.scores, nan=1.0)  # of a box that was drawn
    for start, end in itertools.pairwise(borders):
        yield Detections(
            xyxy=boxes.corners[start:end].astype(np.float32),
            class_id=boxes.labels[start:end],
            confidence=scores[start:end].astype(np.float32),
        )
