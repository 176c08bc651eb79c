"""The families of torchvision's detectors: trained by Lightning, opened by ONNX Runtime where it runs them."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from fullshot.core.files import digest
from fullshot.core.progress import Advance, say
from fullshot.core.settings import DetectorSettings
from fullshot.train import exported, weights
from fullshot.train.detector.data import DetectionData
from fullshot.train.detector.network_detector import NetworkDetector

BACKBONE = "tf_efficientnet_lite0"
"""Where the settings name no model: small, quick on a CPU, and its weights come as a package."""

WEIGHTS = "weights.safetensors"

_RECIPE = "1"
"""Of how a network is built and trained; another one trains anew what this one has trained."""

_WHAT = "the detector"


class TorchvisionTrainer:
    """Trains one of torchvision's detectors; see :class:`fullshot.core.interfaces.DetectorTrainer`.

    Args:
        settings: of the detector; its family says which network it is, its model names a backbone of timm.
    """

    def __init__(self, settings: DetectorSettings) -> None:
        self._settings = settings
        self._backbone = settings.model or BACKBONE

    @classmethod
    def from_settings(cls, settings: DetectorSettings) -> Self:
        """The family with these settings."""
        return cls(settings)

    def inputs(self) -> Mapping[str, Mapping[str, str]]:
        """The backbone, the weights that it starts from, and the versions of the libraries."""
        # A patch release fixes, a minor one may train otherwise.
        versions = {name: ".".join(version(name).split(".")[:2]) for name in ("torchvision", "timm")}
        model = {"name": self._backbone, "sha256": self._start().digest}
        return {"model": model, "recipe": {"recipe": _RECIPE, "libraries": json.dumps(versions)}}

    def _start(self) -> weights.Pretrained:
        return weights.find(self._settings.weights, backbone=self._backbone)

    def fit(self, data: DetectionData, folder: Path, advance: Advance) -> Mapping[str, Any]:
        """Train; go on after the last whole epoch where the folder holds one."""
        from fullshot.train.detector.torchvision import fitting

        start = self._start()
        say(f"fullshot: {self._settings.family} on {self._backbone} starts {start.source}")
        fitted = fitting.train(self._settings, self._backbone, start, data, folder, self.weights(folder), advance)
        if exported.can_export(_WHAT):
            key = digest(self.weights(folder))[:16]
            exported.write_export(folder / exported.FILE, key, _WHAT, lambda: self._export(folder))
        return fitted

    def clean_up(self, folder: Path) -> None:
        """Delete what only going on would need."""
        from fullshot.train.driving import CHECKPOINT

        (folder / CHECKPOINT).unlink(missing_ok=True)

    def weights(self, folder: Path) -> Path:
        """Where the best weights lie."""
        return folder / WEIGHTS

    def load(self, folder: Path) -> NetworkDetector:
        """The detector of a finished run; on a CPU, ONNX Runtime runs it, where the network can be exported."""
        # Not above: it loads OpenCV, which a training has no use for.
        from fullshot.train.detector.candidates import CandidateNetwork

        settings, path = self._settings, self.weights(folder)
        key = digest(path)[:16]
        size, confidence = settings.image_size, settings.confidence
        network = None
        if exported.runs_on_cpu(settings.device):
            export = exported.open_export(folder / exported.FILE, key, _WHAT, lambda: self._export(folder))
            if export is not None:
                network = CandidateNetwork.of_export(export, image_size=size, confidence=confidence)
        if network is None:
            network = CandidateNetwork(*self._runner(path), image_size=size, confidence=confidence)
        return NetworkDetector(network, digest=key, image_size=size)

    def _runner(self, path: Path) -> Any:
        from fullshot.train.detector.torchvision.weights import read, runner
        from fullshot.train.devices import device_of

        saved = read(path)
        device = device_of(self._settings.device, "detector.device")
        return runner(saved.network(), saved.architecture, saved.labels, device)

    def _export(self, folder: Path) -> exported.Export:
        from fullshot.train.detector.torchvision.weights import export_of, read

        return export_of(read(self.weights(folder)))
