"""The features of every picture (pose, quality measures, fingerprint), kept by :mod:`fullshot.core.features`.

A picture is decoded once, in a worker process, and all that curation asks of its pixels is measured then. Whatever is
decided later (the full-shot rule, which pictures are of no use, which are near duplicates) is decided from its
features.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from fullshot.core.features import FeatureStore, Rows, arrays, geometry_store
from fullshot.core.features.keys import STAMP_COLUMNS
from fullshot.core.interfaces import Engine
from fullshot.curation.features.extract import extract, schema
from fullshot.curation.features.versions import KIND, shards_folder, version_name, version_of
from fullshot.curation.pose import PoseEstimator
from fullshot.curation.pose.people import People
from fullshot.curation.pose.skeletons import Skeleton
from fullshot.curation.quality.checks import measure_names

KEY_COLUMNS = ["image_id", "path", "bytes"]
"""What has to be known of a picture to ask for its features."""

_LEAST_SHARD, _MOST_SHARD = 16, 256
"""Pictures that a worker is handed at a time: half a second's work at least, and what a kill costs at most."""


@dataclass(frozen=True)
class Unreadable:
    """A picture without features: ``kind`` is ``missing``, ``too-large`` or ``not-an-image``."""

    image_id: str
    kind: str
    message: str


class ImageFeatures:
    """The features of N pictures, with P people in all; what is not asked for is not read.

    Args:
        rows: of the store, all of them readable.
        image_ids: of these.
        asked: the image_id of all pictures asked for.
        skeleton: of the people.
        unreadable: the pictures asked for that have no features, in order of their image_id.
        extracted: how many pictures this run worked on; the features of the others were kept.
    """

    def __init__(
        self,
        rows: Rows,
        image_ids: pyarrow.ChunkedArray,
        asked: pyarrow.ChunkedArray,
        skeleton: Skeleton,
        unreadable: list[Unreadable],
        extracted: int,
    ) -> None:
        self._rows = rows
        self.image_ids = image_ids
        self.asked = asked
        self._skeleton = skeleton
        self.unreadable = unreadable
        self.extracted = extracted

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Columns ``width, height``, the measures of all quality checks, and ``phash`` (uint64), in numbers alone."""
        return pd.DataFrame(self._rows.columns(["width", "height", *measure_names(), "phash"]), copy=False)

    def thumbnails(self) -> NDArray[np.uint8]:
        """Shape (N, THUMBNAIL_BYTES), see :class:`Fingerprint`, read anew; many of them are mapped from a file.

        Ask for some of them by :func:`fullshot.core.features.arrays.take`.
        """
        return self._rows.array("thumbnail")

    def stamps(self) -> list[NDArray[np.int64]]:
        """Sizes and modification times of the files that the features were made from, shape (N,) each."""
        return list(self._rows.columns(STAMP_COLUMNS).values())

    def let_go(self) -> None:
        """Forget what was read; it is read again when it is asked for."""
        for name in ("frame", "_everybody"):
            self.__dict__.pop(name, None)

    @cached_property
    def _everybody(self) -> tuple[People, NDArray[np.int64]]:
        return self._people(self._rows.read(["keypoints"]))

    @property
    def people(self) -> People:
        """All people, in the order of their pictures."""
        return self._everybody[0]

    @property
    def owners(self) -> NDArray[np.int64]:
        """Shape (P,): the row of each person's picture."""
        return self._everybody[1]

    def people_of(self, row: int) -> People:
        """The people in one picture."""
        first, last = np.searchsorted(self.owners, [row, row + 1])
        return self.people[first:last]

    def people_by_part(self) -> Iterator[tuple[NDArray[np.int64], People, NDArray[np.int64]]]:
        """The people of all pictures, some pictures at a time: those of four million are two gigabytes.

        Yields:
            The rows of M pictures, shape (M,), int64; the people in them; and for each person the number, below M, of
            its picture, ascending. Every row comes once, in no order.
        """
        for numbers, table in self._rows.scan(["keypoints"]):
            yield numbers, *self._people(table)

    def _people(self, table: pyarrow.Table) -> tuple[People, NDArray[np.int64]]:
        keypoints = table["keypoints"].combine_chunks()
        a_person = len(self._skeleton.joints) * 4
        # Offsets instead of values: a sliced or filtered array may begin anywhere in its buffer.
        counts = np.diff(keypoints.offsets.to_numpy()) // a_person
        everybody = keypoints.flatten().to_numpy(zero_copy_only=False).reshape(-1, len(self._skeleton.joints), 4)
        return People(everybody, self._skeleton), np.repeat(np.arange(table.num_rows), counts)


def keys_of(pictures: pd.DataFrame) -> pyarrow.Table:
    """Rows of ``images`` as keys; a picture that stands in several rows is one key.

    Args:
        pictures: columns :data:`KEY_COLUMNS`.

    Returns:
        In order of the image_id.
    """
    each = pictures[KEY_COLUMNS].drop_duplicates("image_id").sort_values("image_id")
    return pyarrow.Table.from_pandas(each, preserve_index=False)


def extract_features(
    root: Path, keys: Callable[[], pyarrow.Table], estimator: PoseEstimator, workers: Engine
) -> ImageFeatures:
    """The features of pictures; they are extracted where none of this version are kept, or their file has changed.

    Args:
        root: of the workspace.
        keys: gives the pictures: :data:`KEY_COLUMNS`, see :func:`keys_of`; asked again in the rare case that their
            paths are needed once more.
        estimator: finds the people.
        workers: do it; they are let go when all is done.

    Returns:
        Those of the pictures that can be read, in the order of the keys.
    """
    make = functools.partial(extract, estimator=estimator, geometries=geometry_store(root))
    asked = keys()
    store = _store(root, estimator)
    rows = store.fill(asked, make, workers, "curate", least=_LEAST_SHARD, most=_MOST_SHARD, anew=keys)
    if rows.made:
        workers.let_go()
    return _features(rows, asked["image_id"], estimator)


def kept_features(
    root: Path, keys: pyarrow.Table, estimator: PoseEstimator, anew: Callable[[], pyarrow.Table] | None = None
) -> ImageFeatures:
    """The features of pictures that earlier runs kept, in the order of the keys; none are extracted.

    They are what was decided from, whatever has become of the files since. With ``anew``, which gives the keys once
    more, they do not hold them.
    """
    rows = _store(root, estimator).look_up(keys, of_any_file=True, anew=anew)
    return _features(rows, keys["image_id"], estimator)


def _store(root: Path, estimator: PoseEstimator) -> FeatureStore:
    version = version_of(estimator)
    return FeatureStore(
        root,
        KIND,
        version_name(version),
        schema(),
        "curate",
        folder=shards_folder(root, version),
        obsolete=("version", "make"),  # as shards of version 0.1 say themselves
    )


def _features(rows: Rows, asked: pyarrow.ChunkedArray, estimator: PoseEstimator) -> ImageFeatures:
    asked = arrays.copied(asked.cast(pyarrow.string()))
    readable, lost = np.flatnonzero(rows.is_readable), np.flatnonzero(rows.is_present & ~rows.is_readable)
    why = rows.take(lost).read(["unreadable", "message"])
    columns = asked.take(pyarrow.array(lost)), *why.columns
    found = zip(*(column.to_pylist() for column in columns), strict=True)
    unreadable = sorted((Unreadable(*one) for one in found), key=lambda one: one.image_id)
    is_all = len(readable) == len(rows)
    image_ids = asked if is_all else asked.filter(pyarrow.array(rows.is_readable))
    return ImageFeatures(
        rows if is_all else rows.take(readable), image_ids, asked, estimator.skeleton, unreadable, rows.made
    )
