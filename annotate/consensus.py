"""What several annotators of one picture agree on."""

from collections.abc import Sequence

import numpy as np

from fullshot.boxes import Box
from fullshot.overlap import iou, matched


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
