"""The family of YOLO detectors: trained, measured and opened with Ultralytics."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import digest
from fullshot.core.progress import Advance, say
from fullshot.core.settings import DetectorSettings, WeightsSettings
from fullshot.train import exported, torchrun
from fullshot.train.detector.data import DetectionData
from fullshot.train.detector.network_detector import Network, NetworkDetector
from fullshot.train.detector.yolo import dataset, library
from fullshot.train.detector.yolo.checkpoint import Checkpoint
from fullshot.train.detector.yolo.pictures import Pictures
from fullshot.train.detector.yolo.start import Start, find, names_weights
from fullshot.train.weights import NONE

MODEL = "garment-nano"
"""Where the settings name none."""

RECIPE: dict[str, Any] = {
    "optimizer": "AdamW",
    "lrf": 0.01,
    "warmup_epochs": 2,
    "warmup_bias_lr": 0.0,
    "scale": 0.25,
    # A wear with few boxes counts more: a shop sells far fewer dresses than shirts.
    "cls_pw": 0.5,
    "mosaic": 0.0,
    "close_mosaic": 0,
    "workers": 0,
    "cache": "ram",
    "deterministic": False,
    "patience": 0,
    "verbose": False,
    "exist_ok": True,
}
"""What differs from Ultralytics' defaults, which are made for 100,000 pictures on a GPU.

With the default settings, on 121 outfit images of the built-in shop: AP@0.5 on 37 others .99 top, .93 bottom, .98 foot.
"""

_DATA = "data"
"""What Ultralytics reads, in the folder of a run."""

_FROM_SCRATCH, _GOING_ON = 2e-3, 2e-4
"""Learning rates: weights that know something already are changed a tenth as fast, so that they keep it."""

_WHAT = "the detector"


class YoloTrainer:
    """Trains YOLO detectors, and opens them; see :class:`fullshot.core.interfaces.DetectorTrainer`.

    Args:
        settings: of the detector.
    """

    def __init__(self, settings: DetectorSettings) -> None:
        self._settings = settings
        self._model = settings.model or MODEL
        self._sources: WeightsSettings | None = None
        self._pictures = Pictures()

    @classmethod
    def from_settings(cls, settings: DetectorSettings) -> Self:
        """The family with these settings."""
        return cls(settings)

    @classmethod
    def defaults(cls, settings: DetectorSettings) -> Mapping[str, float]:
        """Longer than most where it learns from nothing; what it has learnt before is not to be lost in a few steps."""
        return {
            "epochs": 80,
            "image_size": 256,
            "learning_rate": _GOING_ON if names_weights(settings.model, settings.weights) else _FROM_SCRATCH,
        }

    def look_for_weights(self, sources: WeightsSettings) -> None:
        """Let Ultralytics be asked for weights that it publishes."""
        self._sources = sources
        self.__dict__.pop("_start", None)

    def lacks_weights(self) -> bool:
        """Whether weights of Ultralytics are wanted that are not there."""
        return self._start.lacks

    def inputs_as(self, made_with: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]] | None:
        """As :meth:`inputs`, with the weights that another run began with."""
        if not self._start.is_published:
            return None
        return self._inputs(str(made_with.get("model", {}).get("sha256", "")))

    @functools.cached_property
    def _start(self) -> Start:
        return find(self._model, self._settings.weights, self._sources)

    def inputs(self) -> Mapping[str, Mapping[str, str]]:
        """What the model's file holds, this module's recipe, and the version of Ultralytics."""
        if torchrun.processes() > 1:
            raise UserError(
                "yolo trains on one device here: run it without torchrun; fcos, retinanet, faster-rcnn and ssdlite "
                "train on several"
            )
        if self._settings.weights not in ("", NONE):
            raise UserError(
                "setting detector.weights: yolo begins with its model's file: name a .pt file by detector.model instead"
            )
        return self._inputs(digest(library.architecture(self._start.file)))

    def _inputs(self, sha256: str) -> Mapping[str, Mapping[str, str]]:
        # A patch release of Ultralytics fixes, a minor one may train otherwise.
        version = ".".join(library.version().split(".")[:2])
        return {
            "model": {"name": Path(self._model).stem, "sha256": sha256},
            "recipe": {"recipe": json.dumps(RECIPE, sort_keys=True), "ultralytics": version},
        }

    def fit(self, data: DetectionData, folder: Path, advance: Advance) -> Mapping[str, Any]:
        """Train; go on after the last whole epoch where the folder holds one."""
        folder = folder.resolve()
        self._pictures.forget()
        self._pictures.know(data)
        yaml = dataset.write(data, folder / _DATA, sampling=self._settings.sampling)
        checkpoint = Checkpoint(folder)
        before = checkpoint.restore(self._settings.epochs)
        if not before["epochs"]:
            say(f"fullshot: yolo ({Path(self._model).stem}) starts {self._start.source}")
        with library.log_to(_log(folder)):
            advance(before["epochs"], self._settings.epochs)
            if before["complete"]:
                library.strip(checkpoint.best)  # the copy was taken before Ultralytics did so
            else:
                if before["epochs"]:
                    library.go_on_to(checkpoint.last, self._settings.epochs, before["patient_since"])
                self._train(yaml, folder, checkpoint, before["epochs"], advance)
            if exported.can_export(_WHAT):
                key = digest(self.weights(folder))[:16]
                exported.write_export(folder / exported.FILE, key, _WHAT, lambda: self.export(folder))
        after = checkpoint.state()
        return {
            "resumed_at": before["epochs"],
            "epochs": after["epochs"],
            "best_epoch": after["best_epoch"],
            "seconds": round(after["seconds"], 1),
        }

    def _train(self, yaml: Path, folder: Path, checkpoint: Checkpoint, epochs_done: int, advance: Advance) -> None:
        settings = self._settings
        if epochs_done:
            library.open_model(
                str(checkpoint.best)
            )  # Ultralytics will read it again at the end, and not ask what is in it
        model = library.open_model(str(checkpoint.last) if epochs_done else self._start.file)
        # Not above: they load Ultralytics and TensorBoard, which who opens a detector has no use for.
        from fullshot.train.detector.yolo import reading
        from fullshot.train.detector.yolo.telling import Teller

        teller = Teller(folder)
        model.add_callback("on_model_save", teller.tell)
        model.add_callback("on_model_save", checkpoint.save)
        model.add_callback("on_model_save", lambda trainer: advance(trainer.epoch + 1, trainer.epochs))
        arguments = {
            **RECIPE,
            "data": str(yaml),
            "epochs": settings.epochs,
            "imgsz": settings.image_size,
            "batch": settings.batch,
            # One step a batch: the default gathers 64 pictures for a step, too few steps for a small data set.
            "nbs": settings.batch,
            "lr0": settings.learning_rate,
            "seed": settings.seed,
            "plots": settings.plots,
            "patience": settings.patience,
            "device": library.device(settings.device),
            "amp": library.mixed_precision(settings.device),
            "save_dir": str(folder),
        }
        try:
            model.train(reading.trainer_of(model, self._pictures, teller.keep), resume=bool(epochs_done), **arguments)
        except (RuntimeError, AssertionError, ValueError, FileNotFoundError) as error:
            words = " ".join(str(error).split())[:300]
            raise StageFailed(f"the training broke off, see {_log(folder)}: {words}") from error

    def clean_up(self, folder: Path) -> None:
        """Delete what only going on would need."""
        Checkpoint(folder).remove()
        self._pictures.forget()

    def epochs_done(self, folder: Path) -> int:
        """See :meth:`fullshot.core.interfaces.ContinuingTrainer.epochs_done`."""
        return int(Checkpoint(folder).state()["epochs"])

    def take_over(self, before: Path, folder: Path) -> None:
        """See :meth:`fullshot.core.interfaces.ContinuingTrainer.take_over`."""
        Checkpoint(folder).take_over(Checkpoint(before))

    def weights(self, folder: Path) -> Path:
        """Where the best weights lie."""
        return Checkpoint(folder).best

    def load(self, folder: Path) -> NetworkDetector:
        """The detector of a finished run; on a CPU, its export is run."""
        settings, weights = self._settings, self.weights(folder)
        key = digest(weights)[:16]
        network: Network | None = None
        if exported.runs_on_cpu(settings.device):
            export = exported.open_export(
                folder / exported.FILE,
                key,
                _WHAT,
                lambda: self.export(folder),
                runtime=settings.runtime,
                precision=settings.precision,
            )
            if export is not None:
                # Not above: it loads OpenCV, which a training has no use for.
                from fullshot.train.detector.candidates import CandidateNetwork

                network = CandidateNetwork.of_export(
                    export, image_size=settings.image_size, confidence=settings.confidence
                )
        if network is None:
            from fullshot.train.detector.yolo.weights import TorchNetwork

            network = TorchNetwork(
                weights, image_size=settings.image_size, confidence=settings.confidence, device=settings.device
            )
        return NetworkDetector(network, digest=key, image_size=settings.image_size)

    def export(self, folder: Path) -> exported.Export:
        """The network of a finished run, to be exported."""
        from fullshot.train.detector.yolo.export import export_of

        return export_of(self.weights(folder), self._settings.image_size)


def _log(folder: Path) -> Path:
    """Takes what Ultralytics says."""
    return folder / "train.log"
