"""Which of a detector's boxes are sure enough to learn from."""

from collections.abc import Sequence

from fullshot.core.boxes import Box, iou

LEAST_SEEN = 0.05
"""Of a box that is looked at; one that is found in a picture or in its mirror image alone has half its score."""

UNSURE = 0.2
"""From this score on there may be a garment.

The starter weights, on 533 street photos without boxes (Clothing Co-Parsing): with 0.35 for what is sure (92 to 96% of
such boxes are right on others), 279 photos teach; with 0.45, and unsure from 0.15 on, 112.
"""

SAME_PLACE = 0.5
"""IoU from which two boxes are of one garment."""

_RIVAL = 0.5
"""Share of a box's score that none of another label has at its place, where the box is sure."""


def sure_boxes(found: Sequence[Box], *, labels: Sequence[str], least: float) -> list[Box] | None:
    """The boxes of a picture that are sure.

    A box is sure with the least score, where no box of another label at its place has more than half as much.

    Args:
        found: in one picture, of all scores from :data:`UNSURE` on.
        labels: that count.
        least: score of a sure box.

    Returns:
        The sure boxes; none where nothing is to be seen; None where there is a box that is neither sure nor at the
        place of a sure one: whether something is there, nobody knows, and who learnt that nothing is might unlearn it.
    """
    seen = [box for box in found if box.label in labels and (box.score or 0) >= UNSURE]
    overlaps = iou([box.corners for box in seen], [box.corners for box in seen])
    sure = []
    for box, row in zip(seen, overlaps, strict=True):
        rivals = [
            other.score or 0
            for other, overlap in zip(seen, row, strict=True)
            if other.label != box.label and overlap > SAME_PLACE
        ]
        if (box.score or 0) >= least and max(rivals, default=0) <= _RIVAL * (box.score or 0):
            sure.append(box)
    at_sure = iou([box.corners for box in seen], [box.corners for box in sure])
    explained = [
        box in sure or (len(sure) > 0 and row.max() > SAME_PLACE) for box, row in zip(seen, at_sure, strict=True)
    ]
    return sure if all(explained) else None
