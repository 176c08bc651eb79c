"""Which pictures of a workspace are near duplicates of which; searched again only when pictures or settings change."""

import hashlib
import io
import zipfile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core.files import write_bytes
from fullshot.core.settings import CurateSettings
from fullshot.core.workspace import Workspace
from fullshot.curation.duplicates.clusters import label_clusters, representatives
from fullshot.curation.duplicates.search import find_pairs
from fullshot.curation.features.store import ImageFeatures
from fullshot.curation.features.versions import features_folder

_PAIRS = "pairs.npz"

_CLUSTER_DIGITS = 16

_REJECTED = 2**40  # pixels: more than any picture has


def mark_duplicates(
    workspace: Workspace, features: ImageFeatures, keep: NDArray[np.bool_], limits: CurateSettings
) -> tuple["pd.Series[str]", "pd.Series[str]"]:
    """The cluster of each picture that has near duplicates, and the one that stands for it where it does not itself.

    A cluster is named by the first digits of its lowest image_id. A rejected picture stands for none that is kept.

    Args:
        workspace: the pairs found are kept in its folder ``features``.
        features: of N pictures, in order of their image_id.
        keep: shape (N,), which of them were not rejected.
        limits: ``duplicate_radius`` and ``duplicate_similarity``.

    Returns:
        Two columns of N rows; empty cells where a picture has no duplicate, or stands for the others.
    """
    frame = features.frame
    labels = label_clusters(len(frame), _pairs(workspace, features, limits))
    pixels = frame["width"].to_numpy(np.int64) * frame["height"].to_numpy(np.int64)
    pixels = np.where(keep, pixels, pixels - _REJECTED)
    best = representatives(labels, pixels, frame["sharpness"].to_numpy(float), frame["image_id"].tolist())
    names = frame["image_id"]
    several = np.bincount(labels, minlength=len(frame))[labels] > 1
    cluster = names.iloc[labels].str[:_CLUSTER_DIGITS].reset_index(drop=True)
    stands_for_it = names.iloc[best].reset_index(drop=True)
    return cluster.where(several), stands_for_it.where(several & (stands_for_it != names))


def _pairs(workspace: Workspace, features: ImageFeatures, limits: CurateSettings) -> NDArray[np.int64]:
    """Pairs of near duplicates; those of the same pictures and settings are not looked for again."""
    hashes = features.frame["phash"].to_numpy()
    asked = f"{limits.duplicate_radius} {limits.duplicate_similarity} {' '.join(features.frame['image_id'])}".encode()
    key = np.frombuffer(hashlib.sha256(asked + hashes.tobytes()).digest(), np.uint8)
    path = features_folder(workspace.root) / _PAIRS
    try:
        with np.load(path) as kept:
            if np.array_equal(kept["key"], key):
                return np.asarray(kept["pairs"], np.int64)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # none yet, or cut short
    pairs = find_pairs(hashes, features.thumbnails, limits.duplicate_radius, limits.duplicate_similarity)
    memory = io.BytesIO()
    np.savez(memory, key=key, pairs=pairs)
    write_bytes(path, memory.getvalue())
    return pairs
