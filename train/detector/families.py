"""The family of a detector: the one that the settings name, or the one that a run was trained by."""

from typing import TYPE_CHECKING

from fullshot.core.interfaces import DetectorTrainer
from fullshot.core.settings import DetectorSettings
from fullshot.core.taxonomy import ALL_GARMENTS
from fullshot.train.detector import DETECTORS
from fullshot.train.runs import Run

if TYPE_CHECKING:
    from fullshot.train.detector.data import DetectionData  # with Arrow, which who opens a detector can do without

KIND = "detector"

FIRST = "yolo"
"""The family of version 0.1, which knew no other: its runs do not name theirs."""


def trainer_for(section: DetectorSettings) -> "DetectorTrainer[DetectionData]":
    """The family that the settings name.

    Raises:
        UserError: there is none of this name; says which there are.
    """
    return DETECTORS.get(section.family).from_settings(section)


def trainer_of(run: Run, section: DetectorSettings) -> "DetectorTrainer[DetectionData]":
    """The family that a run was trained by, to open it.

    Args:
        run: a finished one.
        section: says the device and the confidence; the rest is as the run was trained.

    Raises:
        UserError: there is no such family here, because another package brought it.
    """
    record = run.record
    trained_with = {"family": record.get("family", FIRST), "image_size": record["settings"][KIND]["image_size"]}
    return trainer_for(section.model_copy(update=trained_with))


def labels_of(run: Run) -> tuple[str, ...]:
    """What the detector of a run tells apart, in the order of its class numbers; runs of version 0.1 know no choice."""
    return tuple(str(run.section.get("labels", ALL_GARMENTS)).split())
