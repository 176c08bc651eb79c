"""The network of a YOLO's weights, run by Ultralytics and torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Picture
from fullshot.train.detector.yolo import library
from fullshot.train.runtimes import FLOAT32


class TorchNetwork:
    """See :class:`fullshot.train.detector.network_detector.Network`.

    Args:
        weights: a ``.pt`` file of Ultralytics.
        image_size: longer side in pixels that pictures are brought to.
        confidence: boxes below this score are not reported.
        device: see :class:`fullshot.core.settings.DetectorSettings`.

    Raises:
        UserError: the file does not hold a detector, or this machine has no such device.
    """

    precision = FLOAT32

    def __init__(self, weights: Path, *, image_size: int, confidence: float, device: str) -> None:
        self._model = library.open_model(str(weights))
        self._arguments = {
            "imgsz": image_size,
            "conf": confidence,
            "device": library.device(device),
            "verbose": False,
            "save": False,
        }
        self._backbone_output: list[Any] = []
        keep_backbone_output(self._model.model, self._backbone_output)

    @property
    def labels(self) -> tuple[str, ...]:
        """See :class:`fullshot.train.detector.network_detector.Network`."""
        return tuple(str(name) for _, name in sorted(self._model.names.items()))

    def __call__(self, pictures: Sequence[Picture]) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
        """See :class:`fullshot.train.detector.network_detector.Network`."""
        # Ultralytics reads an array as OpenCV would hand it out: BGR.
        batch = [np.ascontiguousarray(picture[..., ::-1]) for picture in pictures]
        results = self._model.predict(batch, **self._arguments)
        features = self._backbone_output[0].float().mean(dim=(2, 3)).cpu().numpy()
        return [result.boxes.data.cpu().numpy() for result in results], features


def keep_backbone_output(network: Any, place: list[Any]) -> None:
    """Let ``place`` hold what the backbone's last layer gave in the latest pass.

    Args:
        network: of Ultralytics.
        place: a list, whose content is replaced.
    """

    # A function, not a method: Ultralytics copies the model with its hooks, and would copy the caller too.
    def keep(module: object, given: object, output: Any) -> None:
        place[:] = [output]

    network.model[len(network.yaml["backbone"]) - 1].register_forward_hook(keep)
