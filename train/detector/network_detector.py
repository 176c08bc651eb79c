"""A trained detector: pictures in, garment boxes and features out, whatever runs its network."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.boxes import Box, Picture

_BATCH = 16
"""Pictures that go through the network at once."""

GREY = 114
"""What lies beside a picture that is not square, in each channel: the value that Ultralytics trains with."""


class Network(Protocol):
    """What runs the network: the library that trained it, with torch, or ONNX Runtime.

    Attributes:
        labels: what it tells apart, in the order of its class numbers.
        precision: see :class:`fullshot.core.interfaces.DetectorInPrecision`.
    """

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def precision(self) -> str: ...

    def __call__(self, pictures: Sequence[Picture]) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
        """Boxes and features of pictures.

        Args:
            pictures: of one shape (height, width, 3), uint8, RGB.

        Returns:
            A picture's boxes as rows of shape (M, 6): corners in pixels of the picture, score, class number. And the
            output of the backbone's last layer, averaged over each picture and what lies beside it: shape (N, D).
        """


class NetworkDetector:
    """Finds garments in pictures; see :class:`fullshot.core.interfaces.DetectorWithFeatures`.

    Args:
        network: with the confidence of the settings, below which it reports no box.
        digest: of its weights.
        image_size: longer side in pixels that pictures are brought to; the one it was trained with.
    """

    def __init__(self, network: Network, *, digest: str, image_size: int) -> None:
        self.digest, self.image_size = digest, image_size
        self._network = network

    @property
    def labels(self) -> tuple[str, ...]:
        """What it tells apart, in the order of its class numbers."""
        return self._network.labels

    @property
    def precision(self) -> str:
        """See :class:`fullshot.core.interfaces.DetectorInPrecision`."""
        return self._network.precision

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """Find the garments of each picture; see :meth:`fullshot.core.interfaces.Detector.predict`."""
        found: list[list[Box]] = [[] for _ in pictures]
        for rows in _of_one_shape(pictures):
            boxes, _ = self._network([pictures[row] for row in rows])
            for row, its_boxes in zip(rows, boxes, strict=True):
                found[row] = self._boxes(its_boxes)
        return found

    def predict_with_features(self, pictures: Sequence[Picture]) -> tuple[list[list[Box]], NDArray[np.float32]]:
        """Find the garments of each picture, and describe the picture.

        The features are the output of the backbone's last layer, averaged over the picture with the grey beside it.

        Args:
            pictures: each of shape (height, width, 3), uint8, RGB.

        Returns:
            Boxes as of :meth:`predict`, and features of shape (N, D), float32.
        """
        # Brought to one shape, so that features of any two pictures compare.
        squares = [_squared(picture, self.image_size) for picture in pictures]
        found: list[list[Box]] = []
        features = []
        for start in range(0, len(squares), _BATCH):
            boxes, described = self._network(squares[start : start + _BATCH])
            features.append(described)
            found += [
                _unsquared(self._boxes(its_boxes), picture, self.image_size)
                for its_boxes, picture in zip(boxes, pictures[start : start + _BATCH], strict=True)
            ]
        return found, np.concatenate(features) if features else np.zeros((0, 0), np.float32)

    def _boxes(self, rows: NDArray[np.float32]) -> list[Box]:
        """Boxes from rows of shape (M, 6): corners in pixels, score, class number."""
        boxes = [
            Box(self.labels[int(number)], float(x_min), float(y_min), float(x_max), float(y_max), float(score))
            for x_min, y_min, x_max, y_max, score, number in rows
        ]
        return sorted(boxes, key=lambda box: -(box.score or 0.0))


def _of_one_shape(pictures: Sequence[Picture]) -> Iterator[list[int]]:
    """Rows of pictures that go through the network together: no answer depends on the pictures beside it."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for row, picture in enumerate(pictures):
        by_shape.setdefault(picture.shape, []).append(row)
    for rows in by_shape.values():
        yield from (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))


def _fitted(picture: Picture, side: int) -> tuple[int, int, int, int]:
    """Where a picture lies in a square, its sides kept in proportion: left, top, width, height in pixels."""
    height, width = picture.shape[:2]
    share = side / max(height, width)
    width, height = max(1, round(width * share)), max(1, round(height * share))
    return (side - width) // 2, (side - height) // 2, width, height


def _squared(picture: Picture, side: int) -> Picture:
    """A picture brought to a square, with grey beside it."""
    left, top, width, height = _fitted(picture, side)
    square = Image.new("RGB", (side, side), (GREY,) * 3)
    square.paste(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR), (left, top))
    return np.asarray(square)


def _unsquared(boxes: Sequence[Box], picture: Picture, side: int) -> list[Box]:
    """Boxes of a square, in pixels of the picture that it was made of, without those in the grey beside it."""
    left, top, width, height = _fitted(picture, side)
    across, down = picture.shape[1] / width, picture.shape[0] / height
    found = []
    for box in boxes:
        x_min, x_max = (float(np.clip((x - left) * across, 0, picture.shape[1])) for x in (box.x_min, box.x_max))
        y_min, y_max = (float(np.clip((y - top) * down, 0, picture.shape[0])) for y in (box.y_min, box.y_max))
        if x_min < x_max and y_min < y_max:
            found.append(Box(box.label, x_min, y_min, x_max, y_max, box.score))
    return found
