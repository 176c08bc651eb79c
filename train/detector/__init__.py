"""The garment detector: fit one on the workspace's boxes, measure it, load it to find garments.

A detector belongs to a family, such as YOLO. A family implements
:class:`fullshot.core.interfaces.DetectorTrainer` in a package of its own and has a name in :data:`DETECTORS`.
"""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names
from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from fullshot.core.interfaces import Detector, DetectorTrainer, DetectorWithFeatures
    from fullshot.train.detector.data import DetectionData, DetectionPicture
    from fullshot.train.detector.detections import (
        DETECTIONS,
        detection_row,
        detection_store,
        detector_version,
        kept_detections,
    )
    from fullshot.train.detector.evaluation import compare, evaluate
    from fullshot.train.detector.exporting import export
    from fullshot.train.detector.fitting import fit, follow
    from fullshot.train.detector.opening import DetectorInUse, in_use, is_starter, load, open_detector
    from fullshot.train.detector.photos import COLOURS, Detected, Photo, Photos, detect_photos, draw_boxes
    from fullshot.train.detector.sources import Source, find_source
    from fullshot.train.weights import STARTER

__all__ = [
    "COLOURS",
    "DETECTIONS",
    "DETECTORS",
    "STARTER",
    "Detected",
    "DetectionData",
    "DetectionPicture",
    "Detector",
    "DetectorInUse",
    "DetectorTrainer",
    "DetectorWithFeatures",
    "Photo",
    "Photos",
    "Source",
    "compare",
    "detect_photos",
    "detection_row",
    "detection_store",
    "detector_version",
    "draw_boxes",
    "evaluate",
    "export",
    "find_source",
    "fit",
    "follow",
    "in_use",
    "is_starter",
    "kept_detections",
    "load",
    "open_detector",
]

DETECTORS: "Registry[type[DetectorTrainer[DetectionData]]]" = Registry(
    "detector family",
    "fullshot.detectors",
    {
        "yolo": "fullshot.train.detector.yolo:YoloTrainer",
        **dict.fromkeys(
            ("fcos", "retinanet", "faster-rcnn", "ssdlite"), "fullshot.train.detector.torchvision:TorchvisionTrainer"
        ),
    },
    keeps("fullshot.core.interfaces:DetectorTrainer"),
)
"""The families of detectors, by ``detector.family``."""

__getattr__ = lazy_names(
    __name__,
    {
        ".data": ["DetectionData", "DetectionPicture"],
        ".detections": ["DETECTIONS", "detection_row", "detection_store", "detector_version", "kept_detections"],
        ".evaluation": ["compare", "evaluate"],
        ".opening": ["DetectorInUse", "in_use", "is_starter", "load", "open_detector"],
        ".exporting": ["export"],
        ".fitting": ["fit", "follow"],
        ".sources": ["Source", "find_source"],
        ".photos": ["COLOURS", "Detected", "Photo", "Photos", "detect_photos", "draw_boxes"],
        "fullshot.train.weights": ["STARTER"],
        "fullshot.core.interfaces": ["Detector", "DetectorTrainer", "DetectorWithFeatures"],
    },
)
