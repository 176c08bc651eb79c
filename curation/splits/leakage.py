"""Prove that no product, no colour of one and no copy of a picture is on two sides of a split."""

from collections.abc import Mapping

import numpy as np

from fullshot.core import leakage as leaks
from fullshot.core.errors import MissingInput
from fullshot.core.leakage import Leak
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.duplicates import search as duplicates
from fullshot.curation.features.store import ImageFeatures, stored
from fullshot.curation.pose import open_pose_estimator


def find_leaks(workspace: Workspace, settings: Settings) -> list[Leak]:
    """Every leak that tables and hashes show: by product, by style, by cluster, and by hash.

    The hashes are compared anew, whatever the table says of clusters: a table that was edited shows here.

    Raises:
        MissingInput: nothing was curated yet, or there are pictures that curation has not looked at.
    """
    return [*leaks.by_tables(workspace), *_by_hash(workspace, settings)]


def split_of_images(workspace: Workspace) -> Mapping[str, str]:
    """The split of every picture that was not thrown out, by image_id."""
    curated = workspace.read("curated")
    curated = curated[curated["keep"].fillna(True).astype(bool)]
    return dict(curated[["image_id", "split"]].itertuples(index=False, name=None))


def stored_features(workspace: Workspace, settings: Settings) -> ImageFeatures:
    """What curation knows of the workspace's pictures.

    Raises:
        MissingInput: a picture that has a side was not looked at, or its look is lost.
    """
    features = stored(workspace, open_pose_estimator(settings))
    missing = set(split_of_images(workspace)) - set(features.frame["image_id"])
    if missing:
        raise MissingInput(
            f"{len(missing)} pictures of {workspace.root} without a look, such as {min(missing)[:12]}: "
            f"run `fullshot curate {workspace.root}` first"
        )
    return features


def _by_hash(workspace: Workspace, settings: Settings) -> list[Leak]:
    sides, features = split_of_images(workspace), stored_features(workspace, settings)
    names = features.frame["image_id"].to_numpy()
    # Those without a side first go: pairs are told only as far as clusters need them.
    rows = np.flatnonzero([name in sides for name in names])
    limits, hashes = settings.curate, features.frame["phash"].to_numpy()[rows]
    pairs = duplicates.find(hashes, features.thumbnails[rows], limits.duplicate_radius, limits.duplicate_similarity)
    labels = duplicates.clusters(len(rows), pairs)
    found = []
    for label in np.flatnonzero(np.bincount(labels, minlength=len(rows)) > 1):
        images = tuple((str(names[row]), sides[names[row]]) for row in rows[labels == label])
        if len({side for _, side in images}) > 1:
            found.append(Leak("hash", images[0][0][:12], images))
    return found
