"""One look at every picture: pose, quality and fingerprint, kept in Parquet shards.

A picture is decoded once, in a worker process, and all that curation asks of its pixels is measured then. Whatever is
decided later (the full-shot rule, what counts as junk, which pictures are copies) is decided from what is kept here.
"""

import functools
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute
import pyarrow.parquet
from numpy.typing import NDArray

from curation import quality
from curation.estimators import Estimator
from curation.fingerprint import THUMBNAIL_BYTES, fingerprint
from curation.layouts import Layout
from curation.pose import People, PoseEstimator, gathered
from fullshot import engine, storage
from fullshot.files import write_bytes
from fullshot.progress import bar
from fullshot.workspace import Workspace

FOLDER = "looks"

LONGEST = 512
"""The longer side, in pixels, below which no picture is decoded. The landmark model sees 256 × 256 pixels of a person,
the quality measures and hashes less."""

_MAKE = "1"
"""Of what is measured besides the pose; looks of another make are taken again."""

SCHEMA = pyarrow.schema(
    [
        ("image_id", pyarrow.string()),
        ("make", pyarrow.string()),
        ("width", pyarrow.int32()),  # of the whole picture, upright
        ("height", pyarrow.int32()),
        # (people, joints, 4) one after the other: x, y (shares of width and height), visibility, presence
        ("keypoints", pyarrow.list_(pyarrow.float32())),
        *((name, pyarrow.float32()) for name in quality.MEASURES),
        ("phash", pyarrow.uint64()),
        ("thumbnail", pyarrow.binary(THUMBNAIL_BYTES)),
    ]
)

# A shard is what a kill costs, and what a process is handed at a time. Its landmarker takes as long to build as six
# pictures take to be looked at (0.13 s and 0.02 s).
_LEAST_SHARD, _MOST_SHARD = 32, 256
_SHARDS_A_PROCESS = 8


@dataclass(frozen=True)
class Unreadable:
    """A picture that could not be judged: ``kind`` is ``missing``, ``too-large`` or ``not-an-image``."""

    image_id: str
    kind: str
    message: str


@dataclass(frozen=True)
class Looks:
    """What is known of pictures; N of them, with P people in all.

    Args:
        frame: columns ``image_id, width, height``, those of :data:`curation.quality.MEASURES`, and ``phash`` (uint64).
        thumbnails: shape (N, THUMBNAIL_BYTES), uint8, see :class:`curation.fingerprint.Fingerprint`.
        people: all of them, in the order of their pictures.
        owners: shape (P,): the row of each person's picture.
        unreadable: the pictures asked for of which nothing is known.
        taken: how many pictures were looked at in this run.
    """

    frame: pd.DataFrame
    thumbnails: NDArray[np.uint8]
    people: People
    owners: NDArray[np.int64]
    unreadable: list[Unreadable]
    taken: int

    def people_of(self, row: int) -> People:
        """The people in one picture."""
        first, last = np.searchsorted(self.owners, [row, row + 1])
        return People(self.people.keypoints[first:last], self.people.layout)


Job = tuple[str, str]
"""A picture: its image_id, and its path relative to the workspace."""


def look(workspace: Workspace, jobs: Sequence[Job], estimator: Estimator, processes: int) -> Looks:
    """Look at every picture that this estimator has not seen yet; the others are known.

    Args:
        workspace: what is found is kept in its folder ``looks``.
        jobs: the pictures.
        estimator: finds the people.
        processes: how many at once; 0: one a core.

    Returns:
        The pictures asked for, in order of their image_id.
    """
    folder = workspace / FOLDER
    make = made_by(estimator)
    shards = _shards(folder, make)
    found = _together(shards)
    known = set(found["image_id"].to_pylist())
    todo = [job for job in jobs if job[0] not in known]
    unreadable: list[Unreadable] = []
    if todo:
        share = -(-len(todo) // ((processes or engine.cores()) * _SHARDS_A_PROCESS))
        parts = engine.shards(todo, min(max(share, _LEAST_SHARD), _MOST_SHARD))
        work = functools.partial(look_at_shard, root=workspace.root, estimator=estimator, make=make)
        with bar("curate", "pictures") as advance:
            advance(0, len(todo))
            done = 0
            for number, failed in engine.map_shards(work, parts, processes):
                unreadable += failed
                done += len(parts[number])
                advance(done, len(todo), f"{len(unreadable)} unreadable" if unreadable else "")
        shards = _shards(folder, make)
        found = _together(shards)
    for path, table in shards.items():
        if not table.num_rows:
            path.unlink()
    unreadable.sort(key=lambda failed: failed.image_id)
    return _as_arrays(_wanted(found, jobs), estimator.layout, unreadable, len(todo))


def stored(workspace: Workspace, estimator: Estimator) -> Looks:
    """What earlier runs found in the workspace's pictures, without looking at any."""
    images = workspace.read("images")
    found = _together(_shards(workspace / FOLDER, made_by(estimator)))
    jobs = list(zip(images["image_id"], images["path"], strict=True))
    return _as_arrays(_wanted(found, jobs), estimator.layout, [], 0)


def made_by(estimator: Estimator) -> str:
    """What a look depends on besides the picture; looks made by anything else are taken again."""
    return f"{_MAKE} {estimator.make}"


def _wanted(found: pyarrow.Table, jobs: Sequence[Job]) -> pyarrow.Table:
    wanted = pyarrow.array([identity for identity, _ in jobs], pyarrow.string())
    return found.filter(pyarrow.compute.is_in(found["image_id"], wanted)).sort_by("image_id")


def look_at_shard(jobs: Sequence[Job], *, root: Path, estimator: Estimator, make: str) -> list[Unreadable]:
    """Look at some pictures and write what was found as one shard; run by a process of :func:`look`."""
    rows: list[dict[str, Any]] = []
    unreadable: list[Unreadable] = []
    with estimator.opened() as pose:
        for identity, path in jobs:
            try:
                found = measured(root / path, pose)
            except storage.TooLarge as error:
                unreadable.append(Unreadable(identity, "too-large", str(error)))
            except storage.NotAnImage as error:
                unreadable.append(Unreadable(identity, "not-an-image", str(error)))
            except OSError as error:
                unreadable.append(Unreadable(identity, "missing", error.strerror or type(error).__name__))
            else:
                rows.append({"image_id": identity, "make": make, **found})
    if rows:
        memory = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=SCHEMA), memory)
        # The name follows from what is inside: the same pictures are never kept twice.
        name = hashlib.sha256("".join(row["image_id"] for row in rows).encode()).hexdigest()[:16]
        write_bytes(root / FOLDER / f"{name}.parquet", memory.getvalue())
    return unreadable


def measured(path: Path, pose: PoseEstimator) -> Mapping[str, Any]:
    """What one picture's row holds, without its name.

    Raises:
        NotAnImage: it does not decode.
        OSError: it cannot be read.
    """
    picture = storage.read_reduced(path, LONGEST)
    people = gathered(pose.people(picture.pixels), pose.layout)
    print_ = fingerprint(picture.pixels)
    return {
        "width": picture.width,
        "height": picture.height,
        "keypoints": people.keypoints.astype(np.float32).ravel(),
        **quality.measure(picture.pixels),
        "phash": print_.phash,
        "thumbnail": print_.thumbnail.tobytes(),
    }


def _as_arrays(stored: pyarrow.Table, layout: Layout, unreadable: list[Unreadable], taken: int) -> Looks:
    keypoints = stored["keypoints"].combine_chunks()
    a_person = len(layout.joints) * 4
    # Offsets instead of values: a sliced or filtered array may begin anywhere in its buffer.
    counts = np.diff(keypoints.offsets.to_numpy()) // a_person
    everybody = keypoints.flatten().to_numpy(zero_copy_only=False).reshape(-1, len(layout.joints), 4)
    thumbnails = b"".join(stored["thumbnail"].to_pylist())
    columns = ["image_id", "width", "height", *quality.MEASURES, "phash"]
    return Looks(
        stored.select(columns).to_pandas(),
        np.frombuffer(thumbnails, np.uint8).reshape(-1, THUMBNAIL_BYTES),
        People(everybody, layout),
        np.repeat(np.arange(stored.num_rows), counts),
        unreadable,
        taken,
    )


def _shards(folder: Path, make: str) -> dict[Path, pyarrow.Table]:
    """What each shard holds of this make."""
    return {path: _current(path, make) for path in sorted(folder.glob("*.parquet"))}


def _together(shards: Mapping[Path, pyarrow.Table]) -> pyarrow.Table:
    together = pyarrow.concat_tables([SCHEMA.empty_table(), *shards.values()])
    # Two shards may hold one picture, where a run was given other pictures than the one before it.
    return together.filter(pyarrow.array(~together["image_id"].to_pandas().duplicated().to_numpy()))


def _current(path: Path, make: str) -> pyarrow.Table:
    """A shard's rows of this make; none of a broken file, or one of another schema: they are made again."""
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException):
        return SCHEMA.empty_table()
    if not table.schema.equals(SCHEMA):
        return SCHEMA.empty_table()
    return table.filter(pyarrow.compute.equal(table["make"], make))
