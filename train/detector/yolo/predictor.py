"""The trained detector: pictures in, garment boxes out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fullshot.core.boxes import Box, Picture
from fullshot.core.files import digest as file_digest
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.detector.yolo import library as yolo

_BATCH = 16
"""Pictures that go through the network at once."""


class Detector:
    """Finds garments in pictures.

    Args:
        weights: a ``.pt`` file of Ultralytics.
        image_size: longer side in pixels that pictures are brought to; the one it was trained with.
        confidence: boxes below this score are not reported.
        device: see :class:`fullshot.core.settings.DetectorSettings`.

    Raises:
        UserError: the file does not hold a detector, or this machine has no such device.
    """

    def __init__(self, weights: Path, *, image_size: int, confidence: float = 0.25, device: str = "") -> None:
        self.digest = file_digest(weights)[:16]
        self.confidence = confidence
        self._size = image_size
        self._model = yolo.open_model(str(weights))
        self._device = yolo.device(device)

    @property
    def labels(self) -> tuple[str, ...]:
        """What it tells apart, in the order of its class numbers."""
        return tuple(str(name) for _, name in sorted(self._model.names.items()))

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """Find the garments of each picture.

        Args:
            pictures: each of shape (height, width, 3), uint8, RGB.

        Returns:
            A picture's boxes, best score first; corners in pixels of the picture as it was given, inside it.
        """
        found: list[list[Box]] = []
        for first in range(0, len(pictures), _BATCH):
            # Ultralytics reads an array as OpenCV would hand it out: BGR.
            batch = [np.ascontiguousarray(picture[..., ::-1]) for picture in pictures[first : first + _BATCH]]
            results = self._model.predict(
                batch, imgsz=self._size, conf=self.confidence, device=self._device, verbose=False, save=False
            )
            found.extend(self._boxes(result.boxes.data.cpu().numpy()) for result in results)
        return found

    def _boxes(self, rows: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> list[Box]:
        """Boxes from rows of shape (N, 6), float32: corners in pixels, score, class number."""
        boxes = [
            Box(self._model.names[int(number)], float(x_min), float(y_min), float(x_max), float(y_max), float(score))
            for x_min, y_min, x_max, y_max, score, number in rows
        ]
        return sorted(boxes, key=lambda box: -(box.score or 0.0))


def load(workspace: Workspace, run: str | None = None, *, settings: Settings | None = None) -> Detector:
    """The detector in use, or the one of a finished run.

    Args:
        workspace: where it was trained.
        run: the run's name; None: the latest.
        settings: say the device and the least score; None: the workspace's.

    Raises:
        MissingInput: none was trained yet; says what to run first.
        UserError: there is no such run, or this machine has no such device.
    """
    chosen = runs.latest(workspace, "detector", run)
    section = (settings or workspace.settings()).detector
    size = int(chosen.record["settings"]["detector"]["image_size"])
    weights = chosen.folder / "weights" / "best.pt"
    return Detector(weights, image_size=size, confidence=section.confidence, device=section.device)
