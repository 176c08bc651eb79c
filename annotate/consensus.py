"""What several annotators of one picture agree on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fullshot.core.boxes import Box, iou, matched


@dataclass(frozen=True)
class Vote:
    """What one annotation says.

    Attributes:
        annotator: who made it.
        verdict: ``boxes`` or ``not_full_shot``.
        shot: which it is, where it is no full shot.
        boxes: that were drawn.
    """

    annotator: str
    verdict: str
    shot: str | None
    boxes: Sequence[Box]


def agreed(votes: Sequence[Vote], same_iou: float) -> tuple[str, str | None, list[Box]] | None:
    """What more than half of the annotators say.

    Args:
        votes: the oldest first; of several of one annotator the newest counts.
        same_iou: the least intersection over union of two boxes of one garment.

    Returns:
        Verdict, shot and boxes; None where fewer than two people said anything.
    """
    each = {vote.annotator: vote for vote in votes}
    if len(each) < 2:
        return None
    shots = Counter(vote.shot for vote in each.values() if vote.verdict == "not_full_shot")
    if 2 * shots.total() > len(each):
        return "not_full_shot", min(shots, key=lambda shot: (-shots[shot], str(shot))), []
    drawn = [(vote.annotator, vote.boxes) for vote in each.values()]
    return "boxes", None, majority(drawn, same_iou)


def majority(drawn: Sequence[tuple[str, Sequence[Box]]], same_iou: float) -> list[Box]:
    """The boxes that more than half of the annotators drew, each corner the median of theirs.

    Boxes of one label that overlap enough are one garment; each annotator adds at most one box to it.

    Args:
        drawn: each annotator and their boxes.
        same_iou: the least intersection over union of two boxes of one garment.
    """
    garments: list[list[Box]] = []
    for _, boxes in drawn:
        present = list(garments)
        for label in dict.fromkeys(box.label for box in boxes):
            mine = [box for box in boxes if box.label == label]
            theirs = [garment for garment in present if garment[0].label == label]
            overlaps = iou([box.corners for box in mine], [_middle(garment).corners for garment in theirs])
            pairs = matched(overlaps, same_iou)
            for row, column in pairs:
                theirs[column].append(mine[row])
            taken = {row for row, _ in pairs}
            garments += [[box] for row, box in enumerate(mine) if row not in taken]
    agreed = [_middle(garment) for garment in garments if 2 * len(garment) > len(drawn)]
    return sorted(agreed, key=lambda box: (box.label, box.corners))


def _middle(garment: Sequence[Box]) -> Box:
    x_min, y_min, x_max, y_max = map(float, np.median([box.corners for box in garment], axis=0))
    return Box(garment[0].label, x_min, y_min, x_max, y_max, source="human")
