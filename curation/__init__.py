"""Curation: pose, the full-shot rule, quality, near duplicates, splits, the exported CSVs and the report."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.curation.add import AddOptions, add_pictures, parse_constants
    from fullshot.curation.duplicates.fingerprint import THUMBNAIL_BYTES, Fingerprint, fingerprint
    from fullshot.curation.duplicates.search import near_duplicates
    from fullshot.curation.duplicates.similarity import similarity
    from fullshot.curation.features.extract import read_for_features
    from fullshot.curation.features.in_use import features_in_use
    from fullshot.curation.features.poses import kept_poses
    from fullshot.curation.features.store import ImageFeatures
    from fullshot.curation.pose import POSE_ESTIMATORS, PoseEstimator, open_pose_estimator
    from fullshot.curation.pose.garment_boxes import garment_boxes
    from fullshot.curation.pose.people import People
    from fullshot.curation.report import write_report
    from fullshot.curation.run import curate
    from fullshot.curation.splits.leakage import PlacedPictures, find_leaks, placed_pictures

__all__ = [
    "POSE_ESTIMATORS",
    "THUMBNAIL_BYTES",
    "AddOptions",
    "Fingerprint",
    "ImageFeatures",
    "People",
    "PlacedPictures",
    "PoseEstimator",
    "add_pictures",
    "curate",
    "features_in_use",
    "find_leaks",
    "fingerprint",
    "garment_boxes",
    "kept_poses",
    "near_duplicates",
    "open_pose_estimator",
    "parse_constants",
    "placed_pictures",
    "read_for_features",
    "similarity",
    "write_report",
]

__getattr__ = lazy_names(
    __name__,
    {
        ".add": ["AddOptions", "add_pictures", "parse_constants"],
        ".duplicates.fingerprint": ["THUMBNAIL_BYTES", "Fingerprint", "fingerprint"],
        ".duplicates.search": ["near_duplicates"],
        ".duplicates.similarity": ["similarity"],
        ".features.extract": ["read_for_features"],
        ".features.poses": ["kept_poses"],
        ".features.in_use": ["features_in_use"],
        ".features.store": ["ImageFeatures"],
        ".pose": ["POSE_ESTIMATORS", "PoseEstimator", "open_pose_estimator"],
        ".pose.garment_boxes": ["garment_boxes"],
        ".pose.people": ["People"],
        ".report": ["write_report"],
        ".run": ["curate"],
        ".splits.leakage": ["PlacedPictures", "find_leaks", "placed_pictures"],
    },
)
