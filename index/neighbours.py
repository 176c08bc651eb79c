"""Leaks between splits that only an embedder shows: copies that were mirrored, or cropped a good deal.

:mod:`fullshot.core.leakage` finds what the tables show, which training refuses, and :mod:`fullshot.curation` what
hashes show as well; :func:`check_splits` is all of them, for ``fullshot curate --check``.
"""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core.errors import MissingInput
from fullshot.core.leakage import Leak
from fullshot.core.settings import Settings
from fullshot.core.tables import SPLITS
from fullshot.core.workspace import Workspace
from fullshot.curation import (
    find_leaks,
    fingerprint,
    is_near_duplicate,
    read_for_features,
    split_of_images,
    stored_features,
)
from fullshot.index.embedding import embed_item_shots
from fullshot.index.stores import VECTOR_STORES
from fullshot.train.embedder import load

NEIGHBOURS = 5
"""Of each picture, how many of its nearest in each other split are compared with it."""


def check_splits(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    """Prove that the splits do not leak: by the tables, by hash, and by nearest neighbours once there is an embedder.

    Returns:
        ``pictures`` of each split, what it was ``checked_by``, the ``leaks`` (what the pictures share, and their
        image_id by split), and ``unreadable``: pictures that no embedder could look at.

    Raises:
        MissingInput: nothing was curated yet.
    """
    leaks, unreadable = find_leaks(workspace, settings), 0
    checked_by = ["product", "style", "cluster", "hash"]
    try:
        by_neighbours, unreadable = find_neighbour_leaks(workspace, settings)
        leaks += by_neighbours
        checked_by.append("neighbour")
    except MissingInput:
        pass  # nothing was trained yet
    counts = Counter(split_of_images(workspace).values())
    return {
        "pictures": {split: counts[split] for split in SPLITS},
        "checked_by": checked_by,
        "leaks": [{"share": leak.why, "name": leak.name, **leak.by_split()} for leak in leaks],
        "unreadable": unreadable,
    }


def find_neighbour_leaks(workspace: Workspace, settings: Settings) -> tuple[list[Leak], int]:
    """Pictures of two splits that are nearest neighbours to the embedder in use, and near duplicates.

    A neighbour alone is no leak: an embedder is there to find two products alike. So each is compared as near
    duplicates are, as it is and mirrored.

    Returns:
        The leaks, and how many pictures could not be read; these are named on stderr.

    Raises:
        MissingInput: there is no embedder, or nothing was curated yet.
    """
    splits, features = split_of_images(workspace), stored_features(workspace, settings)
    pictures = workspace.read("images").drop_duplicates("image_id")[["image_id", "path"]]
    pictures = pictures.assign(split=pictures["image_id"].map(splits)).dropna()
    rows = pd.DataFrame({"image_id": features.frame["image_id"], "row": range(len(features.frame))})
    pictures = pictures.merge(rows, on="image_id")
    embedder = load(workspace, device=settings.embedder.device)
    embedded = embed_item_shots("nearest neighbours", workspace.root, pictures["path"].tolist(), embedder)
    pictures = pictures[embedded.readable].reset_index(drop=True)
    names, split_of = pictures["image_id"].tolist(), pictures["split"].tolist()
    thumbnails = features.thumbnails[pictures["row"].to_numpy()]
    mirrored = {
        row: _mirrored_thumbnail(workspace / str(path))
        for row, path in enumerate(pictures["path"])
        if split_of[row] != "train"
    }
    pairs, leaks = _nearest_pairs(embedded.vectors, split_of, settings), []
    if len(pairs):
        ours, theirs, least = thumbnails[pairs[:, 0]], thumbnails[pairs[:, 1]], settings.curate.duplicate_similarity
        as_they_are = is_near_duplicate(ours, theirs, least)
        in_mirror = is_near_duplicate(np.stack([mirrored[row] for row in pairs[:, 0]]), theirs, least)
        for pair, same, same_mirrored in zip(pairs, as_they_are, in_mirror, strict=True):
            if same or same_mirrored:
                images = tuple((names[row], split_of[row]) for row in pair)
                leaks.append(Leak("neighbour", "near duplicate" if same else "mirrored near duplicate", images))
    return leaks, int((~embedded.readable).sum())


def _mirrored_thumbnail(path: Path) -> NDArray[np.uint8]:
    """The thumbnail of a mirrored picture, which is not quite the mirrored thumbnail."""
    return fingerprint(np.ascontiguousarray(read_for_features(path).pixels[:, ::-1])).thumbnail


def _nearest_pairs(vectors: NDArray[np.float32], split_of: list[str], settings: Settings) -> NDArray[np.int64]:
    """Rows of each picture and of its nearest ones in the other splits, shape (M, 2); each two splits once."""
    pairs = [np.zeros((0, 2), np.int64)]
    splits = np.array(split_of)
    with tempfile.TemporaryDirectory() as folder:
        kind = VECTOR_STORES.get(settings.index.store)
        store = kind.from_settings(settings, Path(folder) / "store", vectors.shape[1])
        # Each picture counts by itself, whatever it shows.
        store.build(vectors, np.arange(len(vectors)), [str(row) for row in range(len(vectors))], split_of)
        for queries, gallery in (("test", "train"), ("val", "train"), ("test", "val")):
            ours = np.flatnonzero(splits == queries)
            nearest = store.search(vectors[ours], gallery, NEIGHBOURS)
            pairs += [
                np.array([(row, other) for other, _ in found], np.int64).reshape(-1, 2)
                for row, found in zip(ours, nearest, strict=True)
            ]
        store.close()
    return np.concatenate(pairs)
