"""A detector that looks twice: at a picture and at its mirror image."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fullshot.core.boxes import Box, Picture, iou
from fullshot.core.interfaces import Detector
from fullshot.train.detector.sureness import SAME_PLACE


class MirroringDetector:
    """Scores and corners are the means of both looks; see :class:`fullshot.core.interfaces.Detector`.

    A box that one look alone finds has half its score: what does not depend on the side that it is seen from is surer.

    Args:
        detector: looks.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.labels, self.image_size = detector.labels, detector.image_size
        self.digest = f"{detector.digest}-mirrored"

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """See :meth:`fullshot.core.interfaces.Detector.predict`."""
        both = self._detector.predict([*pictures, *(np.ascontiguousarray(one[:, ::-1]) for one in pictures)])
        seen, mirrored = both[: len(pictures)], both[len(pictures) :]
        return [
            _joined(boxes, [_turned(box, picture.shape[1]) for box in others])
            for picture, boxes, others in zip(pictures, seen, mirrored, strict=True)
        ]


def _turned(box: Box, width: int) -> Box:
    return replace(box, x_min=width - box.x_max, x_max=width - box.x_min)


def _joined(boxes: Sequence[Box], others: Sequence[Box]) -> list[Box]:
    """Each box with the one of its label that lies at its place, the best first."""
    overlaps = iou([box.corners for box in boxes], [box.corners for box in others])
    free = np.ones(len(others), np.bool_)
    joined = []
    for box, row in zip(boxes, overlaps, strict=True):
        is_pair = free & (row > SAME_PLACE) & np.array([other.label == box.label for other in others], np.bool_)
        if not is_pair.any():
            joined.append(_halved(box))
            continue
        place = int(np.where(is_pair, row, 0).argmax())
        free[place] = False
        other = others[place]
        x_min, y_min, x_max, y_max = ((np.array(box.corners) + np.array(other.corners)) / 2).tolist()
        joined.append(Box(box.label, x_min, y_min, x_max, y_max, ((box.score or 0) + (other.score or 0)) / 2))
    joined += [_halved(other) for other, is_free in zip(others, free, strict=True) if is_free]
    return sorted(joined, key=lambda box: -(box.score or 0))


def _halved(box: Box) -> Box:
    return replace(box, score=(box.score or 0) / 2)
