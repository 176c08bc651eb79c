"""The boxes that are to be found in the pictures of a split, and those that a detector found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Box
from fullshot.core.interfaces import Detector
from fullshot.core.workspace import Workspace
from fullshot.train.detector.columns import BoxColumns
from fullshot.train.detector.data import DetectionData
from fullshot.train.detector.detections import kept_detections
from fullshot.train.detector.metrics import Precisions, precisions

LEAST_SCORE = 0.005
"""Of boxes that average precision is measured on: those below change its third digit, and would be most of all."""


@dataclass(frozen=True)
class Findings:
    """P pictures, their boxes, and what was found.

    Attributes:
        labels: that are told apart.
        image_ids: P.
        paths: P, relative to the workspace.
        sizes: shape (P, 2), int64: width and height of each, upright, in pixels.
        expected: the boxes that are to be found.
        found: those that were.
    """

    labels: tuple[str, ...]
    image_ids: list[str]
    paths: list[str]
    sizes: NDArray[np.int64]
    expected: BoxColumns
    found: BoxColumns

    def precisions(self, which: NDArray[np.bool_] | None = None) -> Precisions:
        """How precise the detector is.

        Args:
            which: of the pictures, shape (P,); None: all.
        """
        if which is None or which.all():
            return self._precisions
        expected, found = self.expected.of_pictures(which), self.found.of_pictures(which)
        return precisions(self.labels, expected, found, self.sizes[which])

    @cached_property
    def _precisions(self) -> Precisions:
        return precisions(self.labels, self.expected, self.found, self.sizes)


def gather(workspace: Workspace, detector: Detector, data: DetectionData, split: str) -> Findings:
    """Look for the boxes of a split's pictures; what is found is kept, and not looked for again.

    Args:
        workspace: holds the pictures.
        detector: with the confidence :data:`LEAST_SCORE`.
        data: the pictures and boxes.
        split: of them.
    """
    image_ids, paths, sizes = [], [], []

    def pictures_seen() -> Iterator[Sequence[Box]]:
        for picture in data.splits[split]:
            image_ids.append(picture.image_id)
            paths.append(picture.path.relative_to(workspace.root).as_posix())
            sizes.append((picture.width, picture.height))
            yield picture.boxes

    expected = BoxColumns.of(data.labels, pictures_seen())
    found = kept_detections(workspace.root, paths, detector, LEAST_SCORE)
    # One that was there a moment ago may be gone: nothing is found in it.
    answers = BoxColumns.of(data.labels, (boxes or () for boxes in found))
    return Findings(data.labels, image_ids, paths, np.array(sizes, np.int64).reshape(-1, 2), expected, answers)
