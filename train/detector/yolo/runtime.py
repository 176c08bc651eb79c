"""The network of a YOLO's export, run by ONNX Runtime: what Ultralytics does before and after it, without torch."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Picture
from fullshot.train.detector.yolo.detector import GREY
from fullshot.train.exported import ExportedNetwork

_MAX_OVERLAP = 0.7
"""Of two boxes of one label that overlap more (IoU), the better one is reported: Ultralytics' default."""

_MAX_CANDIDATES = 30_000
_MAX_BOXES = 300
"""So many boxes are looked at, and so many reported of a picture: Ultralytics' defaults."""


class _Place(NamedTuple):
    """Where a picture lies in what the network sees, in pixels of that."""

    left: int
    top: int
    width: int
    height: int


class OnnxNetwork:
    """See :class:`fullshot.train.detector.yolo.detector.Network`.

    Args:
        network: made by :func:`fullshot.train.detector.yolo.export.export_of`.
        image_size: longer side in pixels that pictures are brought to.
        confidence: boxes below this score are not reported.
    """

    def __init__(self, network: ExportedNetwork, *, image_size: int, confidence: float) -> None:
        self.labels: tuple[str, ...] = tuple(json.loads(network.facts["labels"]))
        self._network, self._confidence = network, confidence
        self._stride = int(network.facts["stride"])
        self._has_pairs = network.facts["end2end"] == str(False)
        self._side = -(-image_size // self._stride) * self._stride

    def __call__(self, pictures: Sequence[Picture]) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
        """See :class:`fullshot.train.detector.yolo.detector.Network`."""
        shape = pictures[0].shape
        place = self._place(*shape[:2])
        seen = np.stack([self._letterboxed(picture, place) for picture in pictures])
        batch = np.ascontiguousarray(seen.transpose(0, 3, 1, 2), np.float32)
        batch /= 255
        boxes, features = self._network(batch)
        chosen = [self._without_pairs(rows.T) if self._has_pairs else self._sure(rows) for rows in boxes]
        for rows in chosen:
            rows[:, :4:2] = ((rows[:, :4:2] - place.left) * (shape[1] / place.width)).clip(0, shape[1])
            rows[:, 1:4:2] = ((rows[:, 1:4:2] - place.top) * (shape[0] / place.height)).clip(0, shape[0])
        return chosen, features

    def _place(self, height: int, width: int) -> _Place:
        """In the middle of the smallest rectangle whose sides are multiples of the network's stride."""
        share = self._side / max(height, width)
        new_width, new_height = max(round(width * share), 1), max(round(height * share), 1)
        beside, below = (self._side - new_width) % self._stride, (self._side - new_height) % self._stride
        return _Place(beside // 2, below // 2, new_width, new_height)

    def _letterboxed(self, picture: Picture, place: _Place) -> NDArray[np.uint8]:
        if picture.shape[:2] != (place.height, place.width):
            picture = np.asarray(cv2.resize(picture, (place.width, place.height), interpolation=cv2.INTER_LINEAR))
        right, bottom = -(place.width + place.left) % self._stride, -(place.height + place.top) % self._stride
        return np.pad(picture, ((place.top, bottom), (place.left, right), (0, 0)), constant_values=GREY)

    def _sure(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of boxes (M, 6) of a network that reports each garment once, those with the confidence."""
        return rows[rows[:, 4] > self._confidence]

    def _without_pairs(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of candidates, the best of those that overlap each other, as rows of shape (M, 6).

        Args:
            rows: shape (K, 4 + classes): centre, width and height in pixels, and the score of each class.
        """
        numbers = rows[:, 4:].argmax(axis=1)
        scores = rows[np.arange(len(rows)), 4 + numbers]
        sure = scores > self._confidence
        rows, scores, numbers = rows[sure], scores[sure], numbers[sure]
        low, size = rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4]
        kept = cv2.dnn.NMSBoxesBatched(
            np.concatenate([low, size], axis=1).astype(np.float64).tolist(),
            scores.tolist(),
            numbers.tolist(),
            self._confidence,
            _MAX_OVERLAP,
            top_k=_MAX_CANDIDATES,
        )
        best = np.asarray(kept, np.int64).ravel()[:_MAX_BOXES]
        columns = [low[best], low[best] + size[best], scores[best, None], numbers[best, None]]
        return np.concatenate(columns, axis=1, dtype=np.float32)
