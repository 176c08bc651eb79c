"""The features of every picture (pose, quality measures, fingerprint), kept in Parquet shards.

A picture is decoded once, in a worker process, and all that curation asks of its pixels is measured then. Whatever is
decided later (the full-shot rule, which pictures are of no use, which are near duplicates) is decided from its
features.
"""

import contextlib
import functools
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute
import pyarrow.parquet
from numpy.typing import NDArray

from fullshot.core.engines import shards
from fullshot.core.interfaces import Engine
from fullshot.core.progress import bar
from fullshot.core.workspace import Workspace
from fullshot.curation.duplicates.fingerprint import THUMBNAIL_BYTES
from fullshot.curation.features.extract import Job, Unreadable, extract_shard, schema
from fullshot.curation.features.versions import shards_folder, version_of
from fullshot.curation.pose import PoseEstimator
from fullshot.curation.pose.people import People
from fullshot.curation.pose.skeletons import Skeleton
from fullshot.curation.quality.checks import measure_names

# A shard is what a kill costs, and what a process is handed at a time.
_LEAST_SHARD, _MOST_SHARD = 16, 256
_SHARDS_A_PROCESS = 16


@dataclass(frozen=True)
class ImageFeatures:
    """The features of N pictures, with P people in all.

    Args:
        frame: columns ``image_id, width, height``, the measures of all quality checks, and ``phash`` (uint64).
        thumbnails: shape (N, THUMBNAIL_BYTES), uint8, see :class:`Fingerprint`.
        people: all of them, in the order of their pictures.
        owners: shape (P,), int64: the row of each person's picture.
        unreadable: the pictures asked for that have no features.
        extracted: how many pictures this run worked on; the features of the others were kept.
    """

    frame: pd.DataFrame
    thumbnails: NDArray[np.uint8]
    people: People
    owners: NDArray[np.int64]
    unreadable: list[Unreadable]
    extracted: int

    def people_of(self, row: int) -> People:
        """The people in one picture."""
        first, last = np.searchsorted(self.owners, [row, row + 1])
        return self.people[first:last]


def intact(workspace: Workspace, pictures: pd.DataFrame) -> set[str]:
    """The pictures whose files are there, as large as they were when they were stored.

    Args:
        workspace: with the files.
        pictures: columns ``image_id``, ``path`` and ``bytes``.
    """
    sizes: dict[str, int] = {}
    for folder in sorted({path.rpartition("/")[0] for path in pictures["path"]}):
        with contextlib.suppress(OSError), os.scandir(workspace / folder) as entries:
            sizes |= {f"{folder}/{entry.name}": entry.stat().st_size for entry in entries if entry.is_file()}
    rows = zip(pictures["image_id"], pictures["path"], pictures["bytes"], strict=True)
    return {identity for identity, path, size in rows if sizes.get(path) == size}


def extract_features(
    workspace: Workspace, jobs: Sequence[Job], estimator: PoseEstimator, workers: Engine, trusted: Collection[str]
) -> ImageFeatures:
    """The features of pictures; they are extracted where none of this version are kept.

    Args:
        workspace: keeps them in its folder ``features``.
        jobs: the pictures.
        estimator: finds the people.
        workers: do it; they are let go when all is done.
        trusted: pictures whose kept features are used; those of the others are extracted whatever is kept.

    Returns:
        The pictures asked for, in order of their image_id.
    """
    version = version_of(estimator)
    folder = shards_folder(workspace.root, version)
    kept = _together(_shards(folder, version))
    known = set(kept["image_id"].to_pylist()) & set(trusted)
    todo = [job for job in jobs if job[0] not in known]
    unreadable: list[Unreadable] = []
    if todo:
        share = -(-len(todo) // (workers.count * _SHARDS_A_PROCESS))
        parts = shards(todo, min(max(share, _LEAST_SHARD), _MOST_SHARD))
        work = functools.partial(extract_shard, root=workspace.root, estimator=estimator, version=version)
        with bar("curate", "pictures") as advance:
            advance(0, len(todo))
            done = 0
            for number, failed in workers.map(work, parts):
                unreadable += failed
                done += len(parts[number])
                advance(done, len(todo), f"{len(unreadable)} unreadable" if unreadable else "")
        workers.let_go()
        kept = _together(_shards(folder, version))
    unreadable.sort(key=lambda failed: failed.image_id)
    lost = {failed.image_id for failed in unreadable}
    jobs = [job for job in jobs if job[0] not in lost] if lost else jobs
    return _as_arrays(_wanted(kept, jobs), estimator.skeleton, unreadable, len(todo))


def kept_features(workspace: Workspace, estimator: PoseEstimator) -> ImageFeatures:
    """The features of the workspace's pictures that earlier runs kept; none are extracted."""
    images = workspace.read("images")
    version = version_of(estimator)
    kept = _together(_shards(shards_folder(workspace.root, version), version))
    jobs = list(zip(images["image_id"], images["path"], strict=True))
    return _as_arrays(_wanted(kept, jobs), estimator.skeleton, [], 0)


def _wanted(kept: pyarrow.Table, jobs: Sequence[Job]) -> pyarrow.Table:
    """The rows of the pictures asked for, in order of their image_id; a table that is so already is not copied."""
    wanted = pyarrow.array([identity for identity, _ in jobs], pyarrow.string())
    asked = pyarrow.compute.is_in(kept["image_id"], wanted)
    if not pyarrow.compute.all(asked, min_count=0).as_py():
        kept = kept.filter(asked)
    return kept if kept["image_id"].to_pandas().is_monotonic_increasing else kept.sort_by("image_id")


def _as_arrays(table: pyarrow.Table, skeleton: Skeleton, unreadable: list[Unreadable], extracted: int) -> ImageFeatures:
    keypoints = table["keypoints"].combine_chunks()
    a_person = len(skeleton.joints) * 4
    # Offsets instead of values: a sliced or filtered array may begin anywhere in its buffer.
    counts = np.diff(keypoints.offsets.to_numpy()) // a_person
    everybody = keypoints.flatten().to_numpy(zero_copy_only=False).reshape(-1, len(skeleton.joints), 4)
    thumbnails = b"".join(table["thumbnail"].to_pylist())
    columns = ["image_id", "width", "height", *measure_names(), "phash"]
    return ImageFeatures(
        table.select(columns).to_pandas(),
        np.frombuffer(thumbnails, np.uint8).reshape(-1, THUMBNAIL_BYTES),
        People(everybody, skeleton),
        np.repeat(np.arange(table.num_rows), counts),
        unreadable,
        extracted,
    )


def _shards(folder: Path, version: str) -> dict[Path, pyarrow.Table]:
    """What each shard holds of this version."""
    return {path: _current(path, version) for path in sorted(folder.glob("*.parquet"))}


def _together(tables: Mapping[Path, pyarrow.Table]) -> pyarrow.Table:
    # In order of their first pictures: shards of one run are cut from a list in order.
    in_order = sorted(
        (table for table in tables.values() if table.num_rows), key=lambda rows: rows["image_id"][0].as_py()
    )
    together = pyarrow.concat_tables([schema().empty_table(), *in_order])
    # Two shards may hold one picture, where a run was given other pictures than the one before it.
    again = together["image_id"].to_pandas().duplicated().to_numpy()
    return together.filter(pyarrow.array(~again)) if again.any() else together


def _current(path: Path, version: str) -> pyarrow.Table:
    """A shard's rows of this version; none of a broken file, or one without a column: they are extracted again."""
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException):
        return schema().empty_table()
    if "make" in table.column_names:  # as fullshot 0.1 called it
        table = table.rename_columns({"make": "version"})
    # Columns of a check that is not installed any more do no harm.
    if any(name not in table.column_names or table.schema.field(name).type != kind for name, kind in _types()):
        return schema().empty_table()
    return table.select(schema().names).filter(pyarrow.compute.equal(table["version"], version))


def _types() -> list[tuple[str, pyarrow.DataType]]:
    return [(field.name, field.type) for field in schema()]
