"""Check that no product, no colour of one and no near duplicate of a picture is in two splits."""

from collections.abc import Mapping

import numpy as np

from fullshot.core import leakage
from fullshot.core.dataset import Dataset
from fullshot.core.errors import MissingInput
from fullshot.core.leakage import Leak
from fullshot.core.settings import Settings
from fullshot.curation.duplicates.clusters import label_clusters
from fullshot.curation.duplicates.search import find_pairs
from fullshot.curation.features.store import KEY_COLUMNS, ImageFeatures, kept_features, keys_of
from fullshot.curation.pose import open_pose_estimator


def find_leaks(data: Dataset, settings: Settings) -> list[Leak]:
    """Every leak that tables and hashes show: by product, by style, by cluster, and by hash.

    The hashes are compared anew, whatever the table says of clusters: a table that was edited shows here.

    Raises:
        MissingInput: nothing was curated yet, or there are pictures without features.
    """
    return [*leakage.by_tables(data), *_by_hash(data, settings)]


def split_of_images(data: Dataset) -> Mapping[str, str]:
    """The split of every picture that was not rejected, by image_id."""
    return dict(data.rows("SELECT image_id, split FROM kept"))


def stored_features(data: Dataset, settings: Settings) -> ImageFeatures:
    """The features of the workspace's pictures that curation keeps.

    Raises:
        MissingInput: a picture that has a split has no features, or they are lost.
    """
    root = data.workspace.root
    features = kept_features(root, keys_of(data.frame("images", KEY_COLUMNS)), open_pose_estimator(settings))
    missing = set(split_of_images(data)) - set(features.frame["image_id"])
    if missing:
        raise MissingInput(
            f"{len(missing)} pictures of {root} without features, such as {min(missing)[:12]}: "
            f"run `fullshot curate {root}` first"
        )
    return features


def _by_hash(data: Dataset, settings: Settings) -> list[Leak]:
    splits, features = split_of_images(data), stored_features(data, settings)
    names = features.frame["image_id"].to_numpy()
    # Those without a split first go: pairs are searched only as far as clusters need them.
    rows = np.flatnonzero([name in splits for name in names])
    limits, hashes = settings.curate, features.frame["phash"].to_numpy()[rows]
    pairs = find_pairs(hashes, features.thumbnails[rows], limits.duplicate_radius, limits.duplicate_similarity)
    labels = label_clusters(len(rows), pairs)
    leaks = []
    for label in np.flatnonzero(np.bincount(labels, minlength=len(rows)) > 1):
        images = tuple((str(names[row]), splits[names[row]]) for row in rows[labels == label])
        if len({split for _, split in images}) > 1:
            leaks.append(Leak("hash", images[0][0][:12], images))
    return leaks
