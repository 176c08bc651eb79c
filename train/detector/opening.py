"""Which detector finds garments: a workspace's own, else the one that comes along, or that of a file."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from fullshot.core.errors import MissingInput, UserError
from fullshot.core.files import digest
from fullshot.core.interfaces import Detector
from fullshot.core.progress import say
from fullshot.core.settings import DetectorSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.detector.families import KIND, trainer_of
from fullshot.train.runs import Run
from fullshot.train.weights import STARTER, STARTER_FILE

_STARTER_MAP50 = 0.84
"""On the photos that it was chosen on, see its card."""


@dataclass(frozen=True)
class DetectorInUse:
    """The detector that a workspace uses.

    Attributes:
        name: of its run, or :data:`STARTER`.
        digest: of its weights, 16 hexadecimal digits; boxes carry it as their ``model``.
        map50: its mean average precision on pictures that it was chosen by.
        run: that it was trained in; None: it came along.
    """

    name: str
    digest: str
    map50: float
    run: Run | None = None


def in_use(workspace: Workspace, settings: Settings | None = None) -> DetectorInUse:
    """The detector that a workspace uses; no weights are loaded.

    Args:
        workspace: where one may have been trained.
        settings: say whether the starter weights may be used; None: the workspace's.

    Raises:
        MissingInput: none was trained yet, and the settings want no other; says what to run first.
    """
    try:
        run = runs.latest_run(workspace, KIND)
    except MissingInput:
        if not (settings or workspace.settings()).detector.starter:
            raise
        return DetectorInUse(STARTER, digest(STARTER_FILE)[:16], _STARTER_MAP50)
    metrics = run.metrics
    return DetectorInUse(
        run.name, str(metrics.get("weights", "")), float(metrics.get("val", {}).get("map50", 0.0)), run
    )


def is_starter(detector: Detector) -> bool:
    """Whether a detector has the weights that come along."""
    return detector.digest == digest(STARTER_FILE)[:16]


def load(
    workspace: Workspace, run: str | None = None, *, settings: Settings | None = None, confidence: float | None = None
) -> Detector:
    """The detector in use, or the one of a finished run.

    Args:
        workspace: where it was trained.
        run: the run's name, or :data:`STARTER`; None: the one in use.
        settings: say the device and the least score of a box; None: the workspace's.
        confidence: the least score of a box, in [0, 1]; None: as the settings say.

    Raises:
        MissingInput: none was trained yet, and the settings want no other; says what to run first.
        UserError: there is no such run, or this machine has no such device.
        StageFailed: its weights are gone or damaged.
    """
    settings = settings or workspace.settings()
    section = _with(settings.detector, confidence)
    if run is None and in_use(workspace, settings).run is None:
        say(f"fullshot: no detector was trained in {workspace.root}: the starter weights find the garments")
        run = STARTER
    if run == STARTER:
        return open_detector(STARTER, section)
    chosen = runs.latest_run(workspace, KIND, run)
    trainer = trainer_of(chosen, section)
    runs.whole_weights(workspace, chosen, trainer.weights(chosen.folder))
    return trainer.load(chosen.folder)


def open_detector(
    weights: str, section: DetectorSettings | None = None, *, confidence: float | None = None
) -> Detector:
    """A detector from its weights alone; no workspace is needed.

    Args:
        weights: :data:`STARTER`; a file that a training of torchvision's families wrote (``.safetensors``), or an
            export (``.onnx``); the folder of a run; or a workspace, for the detector that it uses.
        section: the device, the confidence, and for an export that does not say it the size of pictures.
        confidence: the least score of a box, in [0, 1]; None: as the settings say.

    Raises:
        UserError: there is no such file, it holds no detector, or this machine has no such device.
        MissingInput: the workspace has no detector.
    """
    section = _with(section or DetectorSettings(), confidence)
    path = STARTER_FILE if weights == STARTER else Path(weights).expanduser()
    if path.suffix == ".safetensors" and path.is_file():
        return _of_safetensors(path, section)
    if path.suffix == ".onnx" and path.is_file():
        return _of_export(path, section)
    if (path / "run.json").is_file():
        return _of_run(path, section)
    if path.is_dir():
        workspace = Workspace(path)
        workspace.must_be_there()
        own = workspace.settings()
        section = own.detector.model_copy(update=section.model_dump(exclude_defaults=True))
        return load(workspace, settings=own.model_copy(update={"detector": section}))
    raise UserError(
        f"weights {weights!r}: expected {STARTER}, a file .safetensors or .onnx, the folder of a run, or a workspace"
    )


def _with(section: DetectorSettings, confidence: float | None) -> DetectorSettings:
    return section if confidence is None else section.model_copy(update={"confidence": confidence})


def _of_run(folder: Path, section: DetectorSettings) -> Detector:
    run = Run(KIND, folder.name, folder, "")
    if run.record.get("kind", KIND) != KIND:
        raise UserError(f"{folder} is a run of the {run.record['kind']}: expected one of the {KIND}")
    if not run.finished:
        raise UserError(
            f"the run {folder} is not finished: go on with it by `fullshot train {KIND} … --resume {run.name}`"
        )
    return trainer_of(run, section).load(folder)


def _of_safetensors(path: Path, section: DetectorSettings) -> Detector:
    from safetensors import SafetensorError, safe_open

    from fullshot.train.detector.torchvision import open_weights

    try:
        with safe_open(path, framework="numpy") as file:
            image_size = int(file.metadata()["image_size"])
    except (SafetensorError, OSError, TypeError, KeyError, ValueError):
        raise UserError(f"{path} holds no detector that fullshot trained") from None
    # Beside weights that came along or from elsewhere may be no place to write.
    place = Path(platformdirs.user_cache_dir("fullshot")) / "detectors" / f"{digest(path)[:16]}.onnx"
    with contextlib.suppress(OSError):  # it is then said that the export cannot be written
        place.parent.mkdir(parents=True, exist_ok=True)
    return open_weights(path, place, section.model_copy(update={"image_size": image_size}))


def _of_export(path: Path, section: DetectorSettings) -> Detector:
    from fullshot.train.detector.candidates import CandidateNetwork
    from fullshot.train.detector.network_detector import NetworkDetector
    from fullshot.train.exported import read_export

    network = read_export(path)
    if "stride" not in network.facts:
        raise UserError(f"{path} holds no detector, but another network that was exported")
    image_size = int(network.facts["image_size"])
    run = CandidateNetwork.of_export(network, image_size=image_size, confidence=section.confidence)
    return NetworkDetector(run, digest=digest(path)[:16], image_size=image_size)
