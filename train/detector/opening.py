"""Which detector finds garments: a workspace's own, else the one that comes along, or that of a file."""

from dataclasses import dataclass
from pathlib import Path

from fullshot.core.errors import MissingInput, UserError
from fullshot.core.files import digest
from fullshot.core.interfaces import Detector
from fullshot.core.progress import say
from fullshot.core.settings import DetectorSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.detector.families import KIND
from fullshot.train.detector.sources import find_source
from fullshot.train.runs import Run
from fullshot.train.weights import STARTER, STARTER_FILE

_STARTER_MAP50 = 0.90
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
    return find_source(runs.latest_run(workspace, KIND, run).name, workspace).load(section)


def open_detector(
    weights: str, section: DetectorSettings | None = None, *, confidence: float | None = None
) -> Detector:
    """A detector from its weights alone; no workspace is needed.

    Args:
        weights: see :func:`fullshot.train.detector.sources.find_source`; or a workspace, for the detector that it uses.
        section: the device, the runtime and the confidence.
        confidence: the least score of a box, in [0, 1]; None: as the settings say.

    Raises:
        UserError: there is no such file, it holds no detector, or this machine has no such device.
        MissingInput: the workspace has no detector.
        StageFailed: the weights of a run are gone or damaged.
    """
    section = _with(section or DetectorSettings(), confidence)
    if not weights:  # an unset variable of a script, which is not to stand for the folder it runs in
        raise UserError(f"expected weights, got nothing: name {STARTER}, a file, the folder of a run, or a workspace")
    path = Path(weights).expanduser()
    if weights != STARTER and path.is_dir() and not (path / "run.json").is_file():
        workspace = Workspace(path)
        workspace.must_be_there()
        own = workspace.settings()
        section = own.detector.model_copy(update=section.model_dump(exclude_defaults=True))
        return load(workspace, settings=own.model_copy(update={"detector": section}))
    return find_source(weights).load(section)


def _with(section: DetectorSettings, confidence: float | None) -> DetectorSettings:
    return section if confidence is None else section.model_copy(update={"confidence": confidence})
