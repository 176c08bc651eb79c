"""A trained YOLO: pictures in, garment boxes and features out."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.boxes import Box, Picture
from fullshot.core.files import digest
from fullshot.train.detector.yolo import library

_BATCH = 16
"""Pictures that go through the network at once."""

_GREY = 114
"""What Ultralytics puts beside a picture that is not square, in each channel."""


class YoloDetector:
    """Finds garments in pictures.

    Args:
        weights: a ``.pt`` file of Ultralytics.
        image_size: longer side in pixels that pictures are brought to; the one it was trained with.
        confidence: boxes below this score are not reported.
        device: see :class:`fullshot.core.settings.DetectorSettings`.

    Raises:
        UserError: the file does not hold a detector, or this machine has no such device.
    """

    def __init__(self, weights: Path, *, image_size: int, confidence: float, device: str) -> None:
        self.digest = digest(weights)[:16]
        self.image_size = image_size
        self._confidence = confidence
        self._model = library.open_model(str(weights))
        self._device = library.device(device)
        self._backbone_output: list[Any] = []
        _keep_output(self._model.model, self._backbone_output)

    @property
    def labels(self) -> tuple[str, ...]:
        """What it tells apart, in the order of its class numbers."""
        return tuple(str(name) for _, name in sorted(self._model.names.items()))

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """Find the garments of each picture; see :meth:`fullshot.core.interfaces.Detector.predict`."""
        return [boxes for batch in self._batches(pictures) for boxes in batch]

    def predict_with_features(self, pictures: Sequence[Picture]) -> tuple[list[list[Box]], NDArray[np.float32]]:
        """Find the garments of each picture, and describe the picture.

        The features are the output of the backbone's last layer, averaged over the picture with the grey beside it.

        Args:
            pictures: each of shape (height, width, 3), uint8, RGB.

        Returns:
            Boxes as of :meth:`predict`, and features of shape (N, D), float32.
        """
        # Brought to one shape: in a batch of several, Ultralytics pads each as its neighbours need it.
        squares = [_squared(picture, self.image_size) for picture in pictures]
        boxes: list[list[Box]] = []
        features = []
        for batch in self._batches(squares):
            boxes += batch
            features.append(self._backbone_output[0].float().mean(dim=(2, 3)).cpu().numpy())
        unsquared = [
            _unsquared(found, picture, self.image_size) for found, picture in zip(boxes, pictures, strict=True)
        ]
        return unsquared, np.concatenate(features) if features else np.zeros((0, 0), np.float32)

    def _batches(self, pictures: Sequence[Picture]) -> Iterator[list[list[Box]]]:
        for first in range(0, len(pictures), _BATCH):
            # Ultralytics reads an array as OpenCV would hand it out: BGR.
            batch = [np.ascontiguousarray(picture[..., ::-1]) for picture in pictures[first : first + _BATCH]]
            results = self._model.predict(
                batch, imgsz=self.image_size, conf=self._confidence, device=self._device, verbose=False, save=False
            )
            yield [self._boxes(result.boxes.data.cpu().numpy()) for result in results]

    def _boxes(self, rows: NDArray[np.float32]) -> list[Box]:
        """Boxes from rows of shape (N, 6): corners in pixels, score, class number."""
        boxes = [
            Box(self._model.names[int(number)], float(x_min), float(y_min), float(x_max), float(y_max), float(score))
            for x_min, y_min, x_max, y_max, score, number in rows
        ]
        return sorted(boxes, key=lambda box: -(box.score or 0.0))


def _keep_output(network: Any, place: list[Any]) -> None:
    """Let ``place`` hold what the backbone's last layer gave in the latest pass."""

    # A function, not a method: Ultralytics copies the model with its hooks, and would copy the detector too.
    def keep(module: object, given: object, output: Any) -> None:
        place[:] = [output]

    network.model[len(network.yaml["backbone"]) - 1].register_forward_hook(keep)


def _fitted(picture: Picture, side: int) -> tuple[int, int, int, int]:
    """Where a picture lies in a square, its sides kept in proportion: left, top, width, height in pixels."""
    height, width = picture.shape[:2]
    share = side / max(height, width)
    width, height = max(1, round(width * share)), max(1, round(height * share))
    return (side - width) // 2, (side - height) // 2, width, height


def _squared(picture: Picture, side: int) -> Picture:
    """A picture brought to a square, with grey beside it."""
    left, top, width, height = _fitted(picture, side)
    square = Image.new("RGB", (side, side), (_GREY,) * 3)
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
