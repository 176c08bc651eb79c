"""Leaks between splits that only an embedder shows: copies that were mirrored, or cropped a good deal.

:mod:`fullshot.core.leakage` finds what the tables show, which training refuses, and :mod:`fullshot.curation` what
hashes show as well; :func:`check_splits` is all of them, for ``fullshot curate --check``.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray

from fullshot.core.dataset import Dataset
from fullshot.core.engines import open_engine
from fullshot.core.errors import MissingInput
from fullshot.core.features import FOLDER, FeatureStore, Job, Made, Unreadable, arrays, reading
from fullshot.core.leakage import Leak
from fullshot.core.progress import say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.tables import SPLITS
from fullshot.core.workspace import Workspace
from fullshot.curation import (
    THUMBNAIL_BYTES,
    PlacedPictures,
    find_leaks,
    fingerprint,
    near_duplicates,
    placed_pictures,
    read_for_features,
)
from fullshot.index.in_use import MIRRORED, MIRRORED_VERSION
from fullshot.index.stores import VECTOR_STORES
from fullshot.train import inputs_of, keep_figures, kept_figures
from fullshot.train.embedder import Embedder, digest_in_use, kept_embeddings, load, unreadable_paths, whole_pictures

STAGE = "curate --check"

NEIGHBOURS = 5
"""Of each picture, how many of its nearest in each other split are compared with it."""

WANTED = {
    "products": ("product_id", "style"),
    "images": ("image_id", "product_id", "path", "bytes"),
    "curated": ("image_id", "keep", "cluster", "split"),
}
"""The columns to open a data set with."""

_FEW = 256
"""Pictures that this process mirrors itself: to start others takes as long."""

_NO_SPLIT = -1
"""In place of the split of a picture that cannot be read."""

_QUERIES, _GALLERY = 4096, 500_000
"""Pictures whose neighbours are sought at once, and among how many."""

_MEMORY = 1 << 28
"""Bytes of vectors that are in memory; more are mapped from a file."""


def check_splits(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    """Prove that the splits do not leak: by the tables, by hash, and by nearest neighbours once there is an embedder.

    Returns:
        ``pictures`` of each split, what it was ``checked_by``, the ``leaks`` (what the pictures share, and their
        image_id by split), and ``unreadable``: pictures that no embedder could look at. What was found is kept, and
        answered again while nothing has changed.

    Raises:
        MissingInput: nothing was curated yet.
    """
    path = workspace / FOLDER / "check.json"
    inputs = _inputs(workspace, settings)
    if (kept := kept_figures(path, inputs, STAGE)) is not None:
        return kept
    figures = _checked(workspace, settings)
    keep_figures(path, inputs, figures)
    return figures


def _inputs(workspace: Workspace, settings: Settings) -> dict[str, str]:
    """What the answer depends on."""
    try:
        embedder = digest_in_use(workspace)
    except MissingInput:
        embedder = ""
    sections = {"curate": settings.curate, "index": settings.index}
    return inputs_of(workspace, tuple(WANTED), sections, embedder=embedder, mirrored=MIRRORED_VERSION)


def _checked(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    checked_by = ["product", "style", "cluster", "hash"]
    with workspace.open(WANTED) as data:
        placed = placed_pictures(data, settings)
        leaks, unreadable = find_leaks(data, settings, placed), 0
        try:
            by_neighbours, unreadable = find_neighbour_leaks(data, settings, placed)
            leaks += by_neighbours
            checked_by.append("neighbour")
        except MissingInput:
            pass  # nothing was trained yet
    return {
        "pictures": placed.counts(),
        "checked_by": checked_by,
        "leaks": [{"share": leak.why, "name": leak.name, **leak.by_split()} for leak in leaks],
        "unreadable": unreadable,
    }


def find_neighbour_leaks(
    data: Dataset, settings: Settings, placed: PlacedPictures | None = None
) -> tuple[list[Leak], int]:
    """Pictures of two splits that are nearest neighbours to the embedder in use, and near duplicates.

    A neighbour alone is no leak: an embedder is there to find two products alike. So each is compared as near
    duplicates are, as it is and mirrored.

    Args:
        data: the tables.
        settings: which embedder, and when two pictures are near duplicates.
        placed: the pictures of this data, where they are known already.

    Returns:
        The leaks, and how many pictures could not be read; these are named on stderr.

    Raises:
        MissingInput: there is no embedder, or nothing was curated yet.
    """
    workspace = data.workspace
    placed = placed_pictures(data, settings) if placed is None else placed
    embedder = load(workspace, device=settings.embedder.device)
    placed.features.let_go()
    vectors, is_readable, unreadable = _vectors(placed, workspace, embedder, settings)
    say_unreadable(STAGE, unreadable)
    pairs = _nearest_pairs(vectors, np.where(is_readable, placed.split, _NO_SPLIT), settings)
    del vectors
    leaks = []
    if len(pairs):
        keys = placed.keys().select(["image_id", "path"])
        thumbnails, least = placed.features.thumbnails(), settings.curate.duplicate_similarity
        queries, number = np.unique(pairs[:, 0], return_inverse=True)
        mirrored = _mirrored_thumbnails(workspace, keys.take(pyarrow.array(queries)), settings)
        as_they_are = near_duplicates(thumbnails, pairs[:, 0], thumbnails, pairs[:, 1], least)
        in_mirror = near_duplicates(mirrored, number, thumbnails, pairs[:, 1], least)
        for row in np.flatnonzero(as_they_are | in_mirror):
            names = keys["image_id"].take(pyarrow.array(pairs[row])).to_pylist()
            splits = [SPLITS[one] for one in placed.split[pairs[row]]]
            why = "near duplicate" if as_they_are[row] else "mirrored near duplicate"
            leaks.append(Leak("neighbour", why, tuple(zip(names, splits, strict=True))))
    return leaks, len(unreadable)


def _vectors(
    placed: PlacedPictures, workspace: Workspace, embedder: Embedder, settings: Settings
) -> tuple[NDArray[np.float32], NDArray[np.bool_], list[str]]:
    """The vectors of N pictures, shape (N, d), float32; which can be read, (N,); and the paths of those that cannot."""
    keys = placed.keys().select(["image_id", "path"])
    vectors = arrays.zeros((len(keys), embedder.dimension), np.dtype(np.float32), _MEMORY)
    is_readable = np.zeros(len(keys), np.bool_)
    unreadable: list[str] = []
    for first in range(0, len(keys), _GALLERY):
        part = slice(first, first + _GALLERY)
        rows = kept_embeddings(workspace.root, whole_pictures(keys.slice(first, _GALLERY)), embedder, settings, STAGE)
        vectors[part], is_readable[part] = rows.array("vector"), rows.is_readable
        arrays.let_go(vectors)
        unreadable += unreadable_paths(rows)
    return vectors, is_readable, unreadable


def _mirrored_thumbnails(workspace: Workspace, keys: pyarrow.Table, settings: Settings) -> NDArray[np.uint8]:
    """The thumbnails of pictures as they are mirrored, shape (N, THUMBNAIL_BYTES), uint8; kept in the workspace."""
    schema = pyarrow.schema([("thumbnail", pyarrow.binary(THUMBNAIL_BYTES))])
    store = FeatureStore(workspace.root, MIRRORED, MIRRORED_VERSION, schema, "curate --check")
    with open_engine(settings.engine.name) as workers:
        rows = store.fill(keys, mirror, workers, STAGE, least=_FEW)
    return np.asarray(rows.array("thumbnail"), np.uint8)


def mirror(jobs: Sequence[Job]) -> list[Made]:
    """The thumbnails of mirrored pictures, which are not quite the mirrored thumbnails: what a worker does."""
    made: list[Made] = []
    for job in jobs:
        picture = reading(job.path, read_for_features)
        if isinstance(picture, Unreadable):
            made.append(picture)
        else:
            mirrored = np.ascontiguousarray(picture.pixels[:, ::-1])
            made.append({"thumbnail": fingerprint(mirrored).thumbnail.tobytes()})
    return made


def _nearest_pairs(vectors: NDArray[np.float32], split: NDArray[np.int64], settings: Settings) -> NDArray[np.int64]:
    """Rows of each picture and of its nearest ones in the other splits, shape (M, 2); each two splits once."""
    pairs = [np.zeros((0, 2), np.int64)]
    for queries, gallery in (("test", "train"), ("val", "train"), ("test", "val")):
        ours, theirs = (np.flatnonzero(split == SPLITS.index(name)) for name in (queries, gallery))
        nearest = _nearest(vectors, ours, theirs, settings)
        rows, places = np.nonzero(nearest >= 0)
        pairs.append(np.stack([ours[rows], nearest[rows, places]], axis=1))
    return np.concatenate(pairs)


def _nearest(
    vectors: NDArray[np.float32], ours: NDArray[np.int64], theirs: NDArray[np.int64], settings: Settings
) -> NDArray[np.int64]:
    """The rows nearest to some in others: a part of these at a time is in the memory.

    Args:
        vectors: shape (N, d), float32.
        ours: shape (Q,), whose neighbours.
        theirs: shape (G,), in which, ascending.
        settings: name the vector store.

    Returns:
        Shape (Q, NEIGHBOURS), the nearest first; -1 where there are fewer. Of rows at one distance the lower comes
        first.
    """
    best = np.full((len(ours), NEIGHBOURS), -1, np.int64)
    distance = np.full((len(ours), NEIGHBOURS), np.inf, np.float32)
    kind = VECTOR_STORES.get(settings.index.store)
    for first in range(0, len(theirs), _GALLERY):
        part = theirs[first : first + _GALLERY]
        with tempfile.TemporaryDirectory() as folder:
            store = kind.from_settings(settings, Path(folder) / "store", vectors.shape[1])
            # Each picture counts by itself, whatever it shows.
            store.build(arrays.take(vectors, part), part, [str(row) for row in part], ["gallery"] * len(part))
            for start in range(0, len(ours), _QUERIES):
                rows = ours[start : start + _QUERIES]
                found = store.search(arrays.take(vectors, rows), "gallery", NEIGHBOURS)
                for row, answer in enumerate(found, start):
                    both = [*zip(best[row].tolist(), distance[row].tolist(), strict=True), *answer]
                    there = sorted((far, other) for other, far in both if other >= 0)[:NEIGHBOURS]
                    best[row, : len(there)] = [other for _, other in there]
                    distance[row, : len(there)] = [far for far, _ in there]
            store.close()
    return best
