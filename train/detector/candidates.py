"""What a network that looks at every place once needs before and after it, whatever runs it: no torch is needed here.

Pictures are brought to their size and laid on grey; of the boxes of all places, the sure ones are kept that no better
one of their label overlaps.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Picture
from fullshot.train.detector.network_detector import GREY
from fullshot.train.runtimes import FLOAT32, RunningNetwork

_MAX_CANDIDATES = 30_000
_MAX_BOXES = 300
"""So many boxes are looked at, and so many reported of a picture: Ultralytics' defaults."""


_SCALE = np.float32(1 / 255)


class _Place(NamedTuple):
    """Where a picture lies in what the network sees, in pixels of that."""

    left: int
    top: int
    width: int
    height: int


class CandidateNetwork:
    """See :class:`fullshot.train.detector.network_detector.Network`.

    Args:
        run: takes pictures of shape (N, 3, height, width), float32 in [0, 1], RGB, with sides that are multiples of the
            stride, and gives boxes and features. Boxes have the shape (N, 4 + classes, K): centre, width and height
            in pixels, and a score for each label; or, where each garment is reported once, (N, K, 6): corners, score
            and class number. Features have the shape (N, D).
        facts: ``labels`` (a JSON list), ``stride``, ``end2end`` (``True`` where each garment is reported once),
            ``overlap`` (IoU above which the worse of two boxes of one label is left out), ``square`` (``True`` where
            all pictures are seen as squares), ``several`` (``True`` where a box may be reported under several labels,
            not its best alone) and ``smooth`` (``True`` where it learnt from pictures that were averaged as they were
            made smaller, not sampled).
        image_size: longer side in pixels that pictures are brought to.
        confidence: boxes below this score are not reported.
        precision: that it computes in.
    """

    def __init__(
        self,
        run: Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]],
        facts: Mapping[str, str],
        *,
        image_size: int,
        confidence: float,
        precision: str = FLOAT32,
    ) -> None:
        self.labels: tuple[str, ...] = tuple(json.loads(facts["labels"]))
        self.precision = precision
        self._run, self._confidence = run, confidence
        self._stride = int(facts["stride"])
        self._has_pairs = facts["end2end"] == str(False)
        self._max_overlap = float(facts["overlap"])
        self._side = -(-image_size // self._stride) * self._stride
        self._is_square = facts["square"] == str(True)
        self._has_several = facts["several"] == str(True)
        self._shrinking = cv2.INTER_AREA if facts["smooth"] == str(True) else cv2.INTER_LINEAR

    @classmethod
    def of_export(cls, network: RunningNetwork, *, image_size: int, confidence: float) -> Self:
        """The network of a file, which holds the facts."""
        return cls(network, network.facts, image_size=image_size, confidence=confidence, precision=network.precision)

    def __call__(self, pictures: Sequence[Picture]) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
        """See :class:`fullshot.train.detector.network_detector.Network`."""
        shape = pictures[0].shape
        place = self._place(*shape[:2])
        boxes, features = self._run(self.seen(pictures))
        chosen = [self._without_pairs(rows) if self._has_pairs else self._sure(rows) for rows in boxes]
        for rows in chosen:
            rows[:, :4:2] = ((rows[:, :4:2] - place.left) * (shape[1] / place.width)).clip(0, shape[1])
            rows[:, 1:4:2] = ((rows[:, 1:4:2] - place.top) * (shape[0] / place.height)).clip(0, shape[0])
        return chosen, features

    def _place(self, height: int, width: int) -> _Place:
        """In the middle of the smallest rectangle whose sides are multiples of the network's stride."""
        share = self._side / max(height, width)
        new_width, new_height = max(round(width * share), 1), max(round(height * share), 1)
        step = self._side if self._is_square else self._stride
        beside, below = (self._side - new_width) % step, (self._side - new_height) % step
        return _Place(beside // 2, below // 2, new_width, new_height)

    def seen(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Pictures of one shape as the network takes them: shape (N, 3, height, width), float32 in [0, 1], RGB."""
        place = self._place(*pictures[0].shape[:2])
        step = self._side if self._is_square else self._stride
        right, bottom = -(place.width + place.left) % step, -(place.height + place.top) % step
        height, width = place.top + place.height + bottom, place.left + place.width + right
        batch = np.empty((len(pictures), 3, height, width), np.float32)
        for picture, planes in zip(pictures, batch, strict=True):
            if picture.shape[:2] != (place.height, place.width):
                how = self._shrinking if place.height < picture.shape[0] else cv2.INTER_LINEAR
                picture = np.asarray(cv2.resize(picture, (place.width, place.height), interpolation=how))
            if (height, width) != picture.shape[:2]:
                grey, beside = (GREY,) * 3, (place.top, bottom, place.left, right)
                picture = np.asarray(cv2.copyMakeBorder(picture, *beside, cv2.BORDER_CONSTANT, value=grey))
            # Plane by plane, from bytes to numbers in one pass: a third of the time of turning the whole about.
            for plane, channel in zip(planes, cv2.split(picture), strict=True):
                np.multiply(channel, _SCALE, out=plane, dtype=np.float32)
        return batch

    def _sure(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of boxes (M, 6) of a network that reports each garment once, those with the confidence."""
        return rows[rows[:, 4] > self._confidence]

    def _without_pairs(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of candidates, the best of those that overlap each other, as rows of shape (M, 6).

        Args:
            rows: shape (4 + classes, K): centre, width and height in pixels, and the score of each class.
        """
        if self._has_several:
            numbers, places = np.nonzero(rows[4:] > self._confidence)
        else:
            places = np.flatnonzero(rows[4:].max(axis=0) > self._confidence)
            numbers = rows[4:, places].argmax(axis=0)
        scores: NDArray[np.float32] = rows[4 + numbers, places]
        corners = rows[:4, places].T
        low, size = corners[:, :2] - corners[:, 2:] / 2, corners[:, 2:]
        kept = cv2.dnn.NMSBoxesBatched(
            np.concatenate([low, size], axis=1, dtype=np.float64).tolist(),
            scores.tolist(),
            numbers.tolist(),
            self._confidence,
            self._max_overlap,
            top_k=_MAX_CANDIDATES,
        )
        best = np.asarray(kept, np.int64).ravel()[:_MAX_BOXES]
        columns: list[NDArray[Any]] = [low[best], low[best] + size[best], scores[best, None], numbers[best, None]]
        return np.concatenate(columns, axis=1, dtype=np.float32)
