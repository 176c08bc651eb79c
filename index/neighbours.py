"""Leaks that hashes do not show and an embedder does: copies that were mirrored, or cut off a good deal."""

from collections import Counter
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core.errors import MissingInput
from fullshot.core.leakage import Leak
from fullshot.core.progress import bar
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
from fullshot.index.catalog import embedded
from fullshot.train.embedder import load

NEIGHBOURS = 5
"""Of each picture, how many of its nearest on each other side are compared with it."""


def by_neighbours(workspace: Workspace, settings: Settings) -> list[Leak]:
    """Pictures on two sides that are nearest neighbours to the embedder in use and look alike.

    A neighbour alone is no leak: an embedder is there to find two products alike. So each is compared as copies are,
    as it is and mirrored.

    Raises:
        MissingInput: there is no embedder, or nothing was curated yet.
    """
    sides, features = split_of_images(workspace), stored_features(workspace, settings)
    pictures = workspace.read("images").drop_duplicates("image_id")[["image_id", "path"]]
    pictures = pictures.assign(split=pictures["image_id"].map(sides)).dropna()
    pictures = pictures.merge(pd.DataFrame({"image_id": features.frame["image_id"], "row": range(len(features.frame))}))
    embedder = load(workspace, device=settings.embedder.device)
    with bar("nearest neighbours", "pictures") as advance:
        parts = list(embedded(workspace.root, pictures, embedder, advance))
    vectors, readable = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    pictures = pictures[readable].reset_index(drop=True)
    paths = pictures["path"].to_numpy()
    thumbnails = features.thumbnails[pictures["row"].to_numpy()]
    in_mirror = {row: _in_mirror(workspace.root / paths[row]) for row in np.flatnonzero(pictures["split"] != "train")}
    found = []
    for first, second in (("test", "train"), ("val", "train"), ("test", "val")):
        pairs = _neighbours(vectors, (pictures["split"] == first).to_numpy(), (pictures["split"] == second).to_numpy())
        if not len(pairs):
            continue
        ours, theirs = thumbnails[pairs[:, 0]], thumbnails[pairs[:, 1]]
        turned = np.stack([in_mirror[row] for row in pairs[:, 0]])
        least = settings.curate.duplicate_similarity
        as_they_are, mirrored = is_near_duplicate(ours, theirs, least), is_near_duplicate(turned, theirs, least)
        for pair, same, turned_round in zip(pairs, as_they_are, mirrored, strict=True):
            if same or turned_round:
                images = tuple((str(pictures["image_id"][one]), str(pictures["split"][one])) for one in pair)
                found.append(Leak("neighbour", "alike" if same else "alike in a mirror", images))
    return found


def _in_mirror(path: Path) -> NDArray[np.uint8]:
    """The thumbnail of a picture seen in a mirror: that of the picture, mirrored, is not quite the same."""
    return fingerprint(np.ascontiguousarray(read_for_features(path).pixels[:, ::-1])).thumbnail


def _neighbours(
    vectors: NDArray[np.float32], queries: NDArray[np.bool_], gallery: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Pairs of rows, shape (M, 2): each of the queries, and its nearest in the gallery."""
    ours, theirs = np.flatnonzero(queries), np.flatnonzero(gallery)
    if not len(ours) or not len(theirs):
        return np.zeros((0, 2), np.int64)
    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(vectors[theirs])
    _, nearest = index.search(vectors[ours], min(NEIGHBOURS, len(theirs)))
    return np.stack([np.repeat(ours, nearest.shape[1]), theirs[nearest.ravel()]], axis=1)


def check(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    """Prove that the splits do not leak: by the tables, by hash, and by nearest neighbours once there is an embedder.

    Returns:
        ``pictures`` on each side, what it was ``checked_by``, and the ``leaks``: what the pictures share and their
        image_id by side.

    Raises:
        MissingInput: nothing was curated yet.
    """
    found = find_leaks(workspace, settings)
    checked_by = ["product", "style", "cluster", "hash"]
    try:
        found += by_neighbours(workspace, settings)
        checked_by.append("neighbour")
    except MissingInput:
        pass  # nothing was trained yet
    sides = Counter(split_of_images(workspace).values())
    return {
        "pictures": {side: sides[side] for side in SPLITS},
        "checked_by": checked_by,
        "leaks": [{"share": leak.why, "name": leak.name, **leak.by_side()} for leak in found],
    }
