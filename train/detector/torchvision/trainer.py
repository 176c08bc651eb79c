"""The families of torchvision's detectors: trained by Lightning, opened from their export where they have one."""

import functools
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fullshot.core.files import digest
from fullshot.core.progress import Advance, say
from fullshot.core.settings import DetectorSettings, WeightsSettings
from fullshot.train import exported, torchrun, weights
from fullshot.train.detector.network_detector import NetworkDetector
from fullshot.train.timm_hub import published_by_timm

if TYPE_CHECKING:
    from fullshot.train.detector.data import DetectionData  # with Arrow, which who opens a detector can do without
    from fullshot.train.detector.torchvision.weights import Runner

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
        self._wanted = settings.weights
        # Who names no backbone and no weights gets the best there are: a detector that knows garments already.
        fits = settings.starter and settings.family == weights.STARTER_FAMILY
        if fits and not (settings.weights or settings.model):
            self._wanted = weights.STARTER
        self._sources: WeightsSettings | None = None

    @classmethod
    def from_settings(cls, settings: DetectorSettings) -> Self:
        """The family with these settings."""
        return cls(settings)

    @classmethod
    def defaults(cls, settings: DetectorSettings) -> Mapping[str, float]:
        """An SSDLite looks at small pictures, and takes longer."""
        return {"epochs": 40, "image_size": 320} if settings.family == "ssdlite" else {}

    @functools.cached_property
    def _backbone(self) -> str:
        return self._settings.model or weights.backbone_of(self._wanted) or BACKBONE

    def inputs(self) -> Mapping[str, Mapping[str, str]]:
        """The backbone, the weights that it starts from, and the versions of the libraries."""
        return self._inputs(self._start.digest)

    def _inputs(self, sha256: str) -> Mapping[str, Mapping[str, str]]:
        # A patch release fixes, a minor one may train otherwise.
        versions = {name: ".".join(version(name).split(".")[:2]) for name in ("torchvision", "timm")}
        model = {"name": self._backbone, "sha256": sha256}
        return {"model": model, "recipe": {"recipe": _RECIPE, "libraries": json.dumps(versions)}}

    def look_for_weights(self, sources: WeightsSettings) -> None:
        """Let timm's hub be asked for the weights of a backbone."""
        self._sources = sources
        self.__dict__.pop("_start", None)

    def lacks_weights(self) -> bool:
        """Whether weights of ImageNet are wanted that are not there."""
        return self._start.lacks

    def inputs_as(self, made_with: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]] | None:
        """As :meth:`inputs`, with the weights that another run began with."""
        if self._wanted not in ("", weights.IMAGENET, weights.STARTER):
            return None
        return self._inputs(str(made_with.get("model", {}).get("sha256", "")))

    @functools.cached_property
    def _start(self) -> weights.Pretrained:
        sources = self._sources
        return weights.find(
            self._wanted,
            backbone=self._backbone,
            published=published_by_timm(self._backbone, sources),
            download=sources.download == "auto" if sources else None,
        )

    def fit(self, data: "DetectionData", folder: Path, advance: Advance) -> Mapping[str, Any]:
        """Train; go on after the last whole epoch where the folder holds one."""
        from fullshot.train.detector.torchvision import fitting

        start = self._start
        if not torchrun.is_follower() and not self.epochs_done(folder):
            say(f"fullshot: {self._settings.family} on {self._backbone} starts {start.source}")
        fitted = fitting.train(self._settings, self._backbone, start, data, folder, self.weights(folder), advance)
        if not torchrun.is_follower() and exported.can_export(_WHAT):
            key = digest(self.weights(folder))[:16]
            exported.write_export(folder / exported.FILE, key, _WHAT, lambda: self.export(folder))
        return fitted

    def clean_up(self, folder: Path) -> None:
        """Delete what only going on would need."""
        from fullshot.train.driving import CHECKPOINT

        (folder / CHECKPOINT).unlink(missing_ok=True)

    def epochs_done(self, folder: Path) -> int:
        """See :meth:`fullshot.core.interfaces.ContinuingTrainer.epochs_done`."""
        from fullshot.train.driving import epochs_done

        return epochs_done(folder)

    def take_over(self, before: Path, folder: Path) -> None:
        """See :meth:`fullshot.core.interfaces.ContinuingTrainer.take_over`."""
        from fullshot.train.detector.torchvision.training import carry_on

        carry_on(before, folder)

    def weights(self, folder: Path) -> Path:
        """Where the best weights lie."""
        return folder / WEIGHTS

    def load(self, folder: Path) -> NetworkDetector:
        """The detector of a finished run; on a CPU its export is run, where the network has one."""
        return open_weights(self.weights(folder), folder / exported.FILE, self._settings)

    def export(self, folder: Path) -> exported.Export:
        """The network of a finished run, to be exported."""
        return export_weights(self.weights(folder))


def open_weights(file: Path, export: Path, settings: DetectorSettings) -> NetworkDetector:
    """A detector from a file of weights.

    Args:
        file: of the weights.
        export: where their export lies, or is to lie.
        settings: the size of pictures, the device, the runtime and the confidence.

    Raises:
        UserError: the file holds no detector, or this machine has no such device.
    """
    # Not above: it loads OpenCV, which a training has no use for.
    from fullshot.train.detector.candidates import CandidateNetwork

    key, size = digest(file)[:16], settings.image_size
    network = None
    if exported.runs_on_cpu(settings.device):
        opened = exported.open_export(
            export,
            key,
            _WHAT,
            lambda: export_weights(file),
            runtime=settings.runtime,
            precision=settings.precision,
        )
        if opened is not None:
            network = CandidateNetwork.of_export(opened, image_size=size, confidence=settings.confidence)
    if network is None:
        run, facts = _runner(file, settings.device)
        network = CandidateNetwork(run, facts, image_size=size, confidence=settings.confidence)
    return NetworkDetector(network, digest=key, image_size=size)


def _runner(file: Path, device: str) -> "Runner":
    from fullshot.train.detector.torchvision.weights import read, runner
    from fullshot.train.devices import device_of

    saved = read(file)
    return runner(saved.network(), saved.architecture, saved.labels, device_of(device, "detector.device"))


def export_weights(file: Path) -> exported.Export:
    """The network of a file of weights, to be exported.

    Raises:
        UserError: the file holds no detector.
        NotExportable: its network cannot be exported.
    """
    from fullshot.train.detector.torchvision.weights import export_of, read

    return export_of(read(file))
