"""The garment detector: fit one on the workspace's boxes, measure it, load it to find garments.

A detector belongs to a family, such as YOLO. A family implements
:class:`fullshot.core.interfaces.DetectorTrainer` in a package of its own and has a name in :data:`DETECTORS`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fullshot.core.registry import Registry

if TYPE_CHECKING:
    from fullshot.core.interfaces import Detector, DetectorTrainer, DetectorWithFeatures
    from fullshot.train.detector.data import DetectionData, DetectionPicture
    from fullshot.train.detector.evaluation import evaluate
    from fullshot.train.detector.families import load
    from fullshot.train.detector.fitting import fit

__all__ = [
    "DETECTORS",
    "DetectionData",
    "DetectionPicture",
    "Detector",
    "DetectorTrainer",
    "DetectorWithFeatures",
    "evaluate",
    "fit",
    "load",
]

DETECTORS: "Registry[type[DetectorTrainer[DetectionData]]]" = Registry(
    "detector family", "fullshot.detectors", {"yolo": "fullshot.train.detector.yolo:YoloTrainer"}
)
"""The families of detectors, by ``detector.family``."""

_MODULES = {
    "DetectionData": "fullshot.train.detector.data",
    "DetectionPicture": "fullshot.train.detector.data",
    "Detector": "fullshot.core.interfaces",
    "DetectorTrainer": "fullshot.core.interfaces",
    "DetectorWithFeatures": "fullshot.core.interfaces",
    "evaluate": "fullshot.train.detector.evaluation",
    "fit": "fullshot.train.detector.fitting",
    "load": "fullshot.train.detector.families",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the registry alone needs neither pandas nor torch.
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
