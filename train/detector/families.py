"""The family of a detector: the one that the settings name, or the one that a run was trained by."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fullshot.core.errors import UserError
from fullshot.core.interfaces import DetectorTrainer, KnowsDefaults
from fullshot.core.settings import DetectorSettings
from fullshot.core.taxonomy import ALL_GARMENTS
from fullshot.train.detector import DETECTORS
from fullshot.train.runs import Run

if TYPE_CHECKING:
    from fullshot.train.detector.data import DetectionData  # with Arrow, which who opens a detector can do without

KIND = "detector"

FIRST = "yolo"
"""The family of version 0.1, which knew no other: its runs do not name theirs."""

_USUAL: Mapping[str, float] = {"epochs": 16, "image_size": 384, "learning_rate": 1e-3}
"""What a family is trained with where neither the settings nor itself say it."""


def with_defaults(section: DetectorSettings) -> DetectorSettings:
    """The settings, with the family's own in the place of those that are 0.

    Raises:
        UserError: there is no such family; says which there are.
    """
    family: object = DETECTORS.get(section.family)
    own = {**_USUAL, **(family.defaults(section) if isinstance(family, KnowsDefaults) else {})}
    return section.model_copy(update={name: own[name] for name in own if not getattr(section, name)})


def trainer_for(section: DetectorSettings) -> "DetectorTrainer[DetectionData]":
    """The family that the settings name.

    Raises:
        UserError: there is none of this name; says which there are.
    """
    return DETECTORS.get(section.family).from_settings(with_defaults(section))


def trainer_of(run: Run, section: DetectorSettings) -> "DetectorTrainer[DetectionData]":
    """The family that a run was trained by, to open it.

    Args:
        run: a finished one.
        section: says the device and the confidence; the rest is as the run was trained.

    Raises:
        UserError: there is no such family here, because another package brought it; or the run's record is damaged.
    """
    trained_with = {"family": run.record.get("family", FIRST), "image_size": image_size_of(run)}
    return trainer_for(section.model_copy(update=trained_with))


def image_size_of(run: Run) -> int:
    """The longer side in pixels of the pictures that the detector of a run learnt from.

    Raises:
        UserError: the run's record does not say it.
    """
    size = run.section.get("image_size")
    if not isinstance(size, int):
        raise UserError(f"{run.file}: expected the setting {KIND}.image_size: the file was damaged or edited")
    return size


def labels_of(run: Run) -> tuple[str, ...]:
    """What the detector of a run tells apart, in the order of its class numbers; runs of version 0.1 know no choice."""
    return tuple(str(run.section.get("labels", ALL_GARMENTS)).split())
