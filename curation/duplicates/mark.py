"""Which pictures of a workspace are near duplicates of which; searched again only when pictures or settings change."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fullshot.core.files import write_bytes
from fullshot.core.settings import CurateSettings
from fullshot.curation.duplicates.clusters import label_clusters, representatives
from fullshot.curation.duplicates.search import find_pairs
from fullshot.curation.features.store import ImageFeatures
from fullshot.curation.features.versions import MEASURES_VERSION, features_folder

_VERSION = "1"
"""Of how pairs are found; those that another version found are looked for again."""

_PAIRS = "pairs.npz"

_NAMES_AT_ONCE = 100_000

_REJECTED = 2**40  # pixels: more than any picture has


def find_clusters(root: Path, features: ImageFeatures, limits: CurateSettings) -> NDArray[np.int64]:
    """The cluster of each picture, see :func:`label_clusters`.

    Args:
        root: of the workspace; the pairs found are kept in its folder ``features``.
        features: of N pictures, in order of their image_id.
        limits: ``duplicate_radius`` and ``duplicate_similarity``.
    """
    return label_clusters(len(features), _pairs(root, features, limits))


def mark_duplicates(
    labels: NDArray[np.int64], features: ImageFeatures, keep: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cluster of each picture that has near duplicates, and the one that stands for it where it does not itself.

    A rejected picture stands for none that is kept.

    Args:
        labels: of N pictures, see :func:`find_clusters`.
        features: of these.
        keep: shape (N,), which of them were not rejected.

    Returns:
        Rows of pictures, int64 (N,) each: the lowest of the cluster, and the one that stands for it; -1 where a picture
        has no duplicate, or stands for the others.
    """
    frame = features.frame
    is_one_of_several = np.bincount(labels, minlength=len(frame))[labels] > 1
    rows = np.flatnonzero(is_one_of_several)
    pixels = frame["width"].to_numpy(np.int64)[rows] * frame["height"].to_numpy(np.int64)[rows]
    pixels = np.where(keep[rows], pixels, pixels - _REJECTED)
    best = rows[representatives(labels[rows], pixels, frame["sharpness"].to_numpy(float)[rows])]
    cluster, stands_for_it = np.full((2, len(frame)), -1, np.int64)
    cluster[rows] = labels[rows]
    stands_for_it[rows] = np.where(best == rows, -1, best)
    return cluster, stands_for_it


def _pairs(root: Path, features: ImageFeatures, limits: CurateSettings) -> NDArray[np.int64]:
    """Pairs of near duplicates; those of the same features and settings are not looked for again."""
    hashes = features.frame["phash"].to_numpy()
    key = _key(features, limits)
    path = features_folder(root) / _PAIRS
    try:
        with np.load(path) as kept:
            if np.array_equal(kept["key"], key):
                return np.asarray(kept["pairs"], np.int64)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # none yet, or cut short
    pairs = find_pairs(hashes, features.thumbnails(), limits.duplicate_radius, limits.duplicate_similarity)
    memory = io.BytesIO()
    np.savez(memory, key=key, pairs=pairs)
    write_bytes(path, memory.getvalue())
    return pairs


def _key(features: ImageFeatures, limits: CurateSettings) -> NDArray[np.uint8]:
    """A digest of what pairs depend on: the settings, the versions, the pictures, their hashes and their thumbnails.

    For the thumbnails, gigabytes of millions of pictures, stand the files that they were made from.
    """
    versions = f"{_VERSION} {MEASURES_VERSION}"
    digest = hashlib.sha256(f"{versions} {limits.duplicate_radius} {limits.duplicate_similarity} ".encode())
    names = features.image_ids
    for start in range(0, len(names), _NAMES_AT_ONCE):
        separator = " " if start else ""
        digest.update((separator + " ".join(names.slice(start, _NAMES_AT_ONCE).to_pylist())).encode())
    for column in (features.frame["phash"].to_numpy(), *features.stamps()):
        digest.update(column.tobytes())
    return np.frombuffer(digest.digest(), np.uint8)
