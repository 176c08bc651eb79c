"""Check that no product, no colour of one and no near duplicate of a picture is in two splits."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullshot.core import leakage
from fullshot.core.dataset import Dataset
from fullshot.core.errors import MissingInput
from fullshot.core.leakage import Leak
from fullshot.core.settings import CurateSettings, Settings
from fullshot.core.tables import SPLITS
from fullshot.curation.duplicates.clusters import label_clusters
from fullshot.curation.duplicates.search import find_pairs
from fullshot.curation.features.store import ImageFeatures, kept_features
from fullshot.curation.pose import open_pose_estimator

_PLACED = "SELECT image_id, path, bytes, split FROM pictures JOIN kept USING (image_id) ORDER BY image_id"


@dataclass(frozen=True)
class PlacedPictures:
    """The N pictures that were not rejected, in order of their image_id.

    Attributes:
        image_ids: N of them.
        keys: gives ``image_id`` and ``path`` of all of them; those of four million are half a gigabyte.
        split: shape (N,): the number of each one's split in :data:`fullshot.core.tables.SPLITS`.
        features: of all of them, in that order.
    """

    image_ids: pyarrow.ChunkedArray
    keys: Callable[[], pyarrow.Table]
    split: NDArray[np.int64]
    features: ImageFeatures

    def counts(self) -> dict[str, int]:
        """How many pictures each split has."""
        return dict(zip(SPLITS, np.bincount(self.split, minlength=len(SPLITS)).tolist(), strict=True))


def find_leaks(data: Dataset, settings: Settings, pictures: PlacedPictures | None = None) -> list[Leak]:
    """Every leak that tables and hashes show: by product, by style, by cluster, and by hash.

    The hashes are compared anew, whatever the table says of clusters: a table that was edited shows here.

    Args:
        data: with ``images``, ``products`` and ``curated``.
        settings: which features, and when two pictures are near duplicates.
        pictures: those of this data, where they are known already.

    Raises:
        MissingInput: nothing was curated yet, or there are pictures without features.
    """
    leaks = leakage.by_tables(data)
    pictures = placed_pictures(data, settings) if pictures is None else pictures
    return [*leaks, *_by_hash(pictures, settings.curate)]


def placed_pictures(data: Dataset, settings: Settings) -> PlacedPictures:
    """The pictures that have a split and were not rejected, with their features.

    Raises:
        MissingInput: nothing was curated yet; or one of them has no features, or they are lost.
    """
    keys = functools.partial(data.arrow, _PLACED)
    table = keys()
    features = kept_features(data.workspace.root, table, open_pose_estimator(settings), keys)
    ((lost, first),) = data.rows("SELECT count(*), min(image_id) FROM kept ANTI JOIN images USING (image_id)")
    if len(features) < len(table):
        there = features.image_ids
        without = table["image_id"].filter(pc.invert(pc.is_in(table["image_id"], value_set=there)))
        lost, first = lost + len(without), min(filter(None, (first, without[0].as_py())))
    if lost:
        root = data.workspace.root
        raise MissingInput(
            f"{lost} pictures of {root} without features, such as {first[:12]}: run `fullshot curate {root}` first"
        )
    split = pc.index_in(table["split"], value_set=pyarrow.array(SPLITS)).to_numpy().astype(np.int64)
    return PlacedPictures(features.image_ids, keys, split, features)


def _by_hash(pictures: PlacedPictures, limits: CurateSettings) -> list[Leak]:
    features, split = pictures.features, pictures.split
    hashes = features.frame["phash"].to_numpy()
    pairs = find_pairs(hashes, features.thumbnails(), limits.duplicate_radius, limits.duplicate_similarity)
    labels = label_clusters(len(split), pairs)
    straddling = np.unique(labels[np.flatnonzero(split != split[labels])])
    rows = np.flatnonzero(np.isin(labels, straddling))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    leaks = []
    for cluster in np.split(rows, np.flatnonzero(np.diff(labels[rows])) + 1) if len(rows) else ():
        names = pictures.image_ids.take(pyarrow.array(cluster)).to_pylist()
        images = tuple((name, SPLITS[number]) for name, number in zip(names, split[cluster], strict=True))
        leaks.append(Leak("hash", images[0][0][:12], images))
    return leaks
