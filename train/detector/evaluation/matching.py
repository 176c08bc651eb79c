"""Which found boxes are right, which expected ones were found, and how sure a score has to be."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import iou
from fullshot.train.detector.columns import BoxColumns

LEAST_OVERLAP = 0.5
"""IoU from which a found box is in the place of an expected one: that of mAP@0.5."""

NONE = -1

_PARTS = 10_000
"""Of a score of 1."""


@dataclass(frozen=True)
class Matches:
    """Found boxes beside expected ones: E are expected, F were found.

    Attributes:
        is_right: shape (F,): whether a found box has one of its label that no better box has taken, as COCO matches.
        taken_with: shape (E,), float64: the score of the box that has taken an expected one; 0 where none has.
        own: shape (E,), float64: the best score of a box of its label in its place, whether it took it or not; or 0.
        other: shape (E,), float64: the best score of a wrong box of another label in its place; or 0.
        other_label: shape (E,), int64: that box's label; or :data:`NONE`.
    """

    is_right: NDArray[np.bool_]
    taken_with: NDArray[np.float64]
    own: NDArray[np.float64]
    other: NDArray[np.float64]
    other_label: NDArray[np.int64]


def match(expected: BoxColumns, found: BoxColumns, pictures: int) -> Matches:
    """Match the boxes of each picture.

    Args:
        expected: with the boxes that are to be found.
        found: with scores.
        pictures: how many there are.
    """
    taken_with, own, other = np.zeros((3, len(expected)))
    made = Matches(np.zeros(len(found), np.bool_), taken_with, own, other, np.full(len(expected), NONE, np.int64))
    borders = expected.borders(pictures), found.borders(pictures)
    for number in range(pictures):
        ours, theirs = (slice(*edges[number : number + 2]) for edges in borders)
        if ours.start < ours.stop and theirs.start < theirs.stop:
            _match_one(expected, found, ours, theirs, made)
    return made


def _match_one(expected: BoxColumns, found: BoxColumns, ours: slice, theirs: slice, made: Matches) -> None:
    """Match the boxes of one picture."""
    overlaps = iou(expected.corners[ours], found.corners[theirs])  # type: ignore[arg-type]
    is_there = overlaps >= LEAST_OVERLAP
    is_own = expected.labels[ours][:, None] == found.labels[theirs]
    scores = found.scores[theirs]
    free = np.where(is_there & is_own, overlaps, 0.0)
    for place in np.argsort(-scores, kind="stable"):
        row = int(free[:, place].argmax())
        if free[row, place]:
            made.is_right[theirs.start + place] = True
            made.taken_with[ours.start + row] = scores[place]
            free[row] = 0.0
    made.own[ours] = np.where(is_there & is_own, scores, 0.0).max(axis=1)
    others = np.where(is_there & ~is_own & ~made.is_right[theirs], scores, 0.0)
    best = others.argmax(axis=1)
    made.other[ours] = others.max(axis=1)
    made.other_label[ours] = np.where(made.other[ours] > 0, found.labels[theirs][best], NONE)


def best_score(found: BoxColumns, is_right: NDArray[np.bool_], expected: int) -> float:
    """The score from which boxes are best believed: that of the best F1 over all labels; 1 where no box is right.

    Args:
        found: F boxes.
        is_right: shape (F,), see :class:`Matches`.
        expected: how many boxes there are to be found.
    """
    if not is_right.any():
        return 1.0
    order = np.argsort(-found.scores, kind="stable")
    scores, right = found.scores[order], np.cumsum(is_right[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + expected)
    # Boxes of one score are believed together.
    f1[np.append(scores[1:] == scores[:-1], False)] = 0.0
    # Rounded down, so that what is told is what is counted with.
    return math.floor(float(scores[int(f1.argmax())]) * _PARTS) / _PARTS


def errors(
    expected: BoxColumns, found: BoxColumns, matches: Matches, threshold: float, pictures: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many boxes of each picture were missed, and how many wrong ones were found: both of shape (P,).

    Args:
        expected: with the boxes that are to be found.
        found: with scores.
        matches: of them.
        threshold: the least score of a found box that counts.
        pictures: P.
    """
    is_missed, is_wrong = matches.taken_with < threshold, (found.scores >= threshold) & ~matches.is_right
    missed = np.bincount(expected.pictures[is_missed], minlength=pictures)
    return missed, np.bincount(found.pictures[is_wrong], minlength=pictures)
