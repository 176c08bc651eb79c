"""Curation: pose, the full-shot rule, quality, near duplicates, splits, the exported CSVs and the report."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullshot.curation.add import AddOptions, add_pictures, parse_constants
    from fullshot.curation.duplicates.fingerprint import Fingerprint, fingerprint
    from fullshot.curation.duplicates.similarity import is_near_duplicate, similarity
    from fullshot.curation.features.extract import read_for_features
    from fullshot.curation.features.store import ImageFeatures
    from fullshot.curation.pose import POSE_ESTIMATORS, PoseEstimator, open_pose_estimator
    from fullshot.curation.pose.garment_boxes import garment_boxes
    from fullshot.curation.pose.people import People
    from fullshot.curation.report import write_report
    from fullshot.curation.run import curate
    from fullshot.curation.splits.leakage import find_leaks, split_of_images, stored_features

__all__ = [
    "POSE_ESTIMATORS",
    "AddOptions",
    "Fingerprint",
    "ImageFeatures",
    "People",
    "PoseEstimator",
    "add_pictures",
    "curate",
    "find_leaks",
    "fingerprint",
    "garment_boxes",
    "is_near_duplicate",
    "open_pose_estimator",
    "parse_constants",
    "read_for_features",
    "similarity",
    "split_of_images",
    "stored_features",
    "write_report",
]

_PLACES = {
    "POSE_ESTIMATORS": "pose",
    "AddOptions": "add",
    "Fingerprint": "duplicates.fingerprint",
    "ImageFeatures": "features.store",
    "People": "pose.people",
    "PoseEstimator": "pose",
    "add_pictures": "add",
    "curate": "run",
    "find_leaks": "splits.leakage",
    "fingerprint": "duplicates.fingerprint",
    "garment_boxes": "pose.garment_boxes",
    "is_near_duplicate": "duplicates.similarity",
    "open_pose_estimator": "pose",
    "parse_constants": "add",
    "read_for_features": "features.extract",
    "similarity": "duplicates.similarity",
    "split_of_images": "splits.leakage",
    "stored_features": "splits.leakage",
    "write_report": "report",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: what starts the workers must not load the tables first, nor `fullshot --help` anything.
    if name in _PLACES:
        return getattr(import_module(f"fullshot.curation.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
