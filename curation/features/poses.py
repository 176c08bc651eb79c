"""The people whom curation found in pictures, for whoever asks for them again."""

from pathlib import Path

import pyarrow

from fullshot.curation.features.store import kept_features
from fullshot.curation.pose import People, PoseEstimator


def kept_poses(root: Path, keys: pyarrow.Table, estimator: PoseEstimator) -> dict[str, People]:
    """The people in pictures, by image_id, as far as curation has looked at them with this estimator.

    Args:
        root: of the workspace.
        keys: ``image_id`` and ``path`` of the pictures.
        estimator: of the settings.
    """
    features = kept_features(root, keys, estimator)
    return {name: features.people_of(row) for row, name in enumerate(features.image_ids.to_pylist())}
