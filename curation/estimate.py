"""Estimate poses over many pictures: in processes, kept in Parquet shards, going on where a run stopped."""

import functools
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from curation.pose import MOST_PEOPLE, NAMES, MediaPipePose, Person
from curation.pose_model import PoseModel
from fullshot import engine, storage
from fullshot.files import write_bytes
from fullshot.progress import bar
from fullshot.workspace import Workspace

FOLDER = "poses"

_SCHEMA = pyarrow.schema(
    [
        ("image_id", pyarrow.string()),
        ("pose_model", pyarrow.string()),  # its sha256
        ("most_people", pyarrow.int32()),
        # (people, 33, 4) one after the other: x, y (shares of width and height), visibility, presence
        ("keypoints", pyarrow.list_(pyarrow.float32())),
    ]
)

# A shard is what a kill costs, and what a process is handed at a time. Its landmarker takes as long to build as six
# pictures take to be looked at (0.13 s and 0.02 s).
_LEAST_SHARD, _MOST_SHARD = 32, 256
_SHARDS_A_PROCESS = 8


@dataclass(frozen=True)
class Unreadable:
    """A picture that could not be judged: ``kind`` is ``missing`` or ``not-an-image``."""

    image_id: str
    kind: str
    message: str


@dataclass(frozen=True)
class Poses:
    """What is known of all pictures asked for.

    Args:
        people: of every readable picture, by image_id.
        unreadable: the others.
        judged: how many pictures were looked at in this run.
    """

    people: dict[str, list[Person]]
    unreadable: list[Unreadable]
    judged: int


Job = tuple[str, str]
"""A picture: its image_id, and its path relative to the workspace."""


def estimate(workspace: Workspace, jobs: Sequence[Job], model: PoseModel, processes: int) -> Poses:
    """The people in each picture; those that this model has seen before are not looked at again.

    Args:
        workspace: keypoints are kept in its folder ``poses``.
        jobs: the pictures.
        model: the pose model.
        processes: how many at once; 0: one a core.
    """
    folder = workspace / FOLDER
    there = _stored(folder, model)
    todo = [job for job in jobs if job[0] not in there]
    unreadable: list[Unreadable] = []
    if todo:
        share = -(-len(todo) // ((processes or engine.cores()) * _SHARDS_A_PROCESS))
        parts = engine.shards(todo, min(max(share, _LEAST_SHARD), _MOST_SHARD))
        work = functools.partial(estimate_shard, root=workspace.root, model=model)
        with bar("curate", "pictures") as advance:
            advance(0, len(todo))
            done = 0
            for number, failed in engine.map_shards(work, parts, processes):
                unreadable += failed
                done += len(parts[number])
                advance(done, len(todo))
        there = _stored(folder, model)
    _forget(folder, model)
    people = {identity: there[identity] for identity, _ in jobs if identity in there}
    return Poses(people, sorted(unreadable, key=lambda failed: failed.image_id), len(todo))


def estimate_shard(jobs: Sequence[Job], *, root: Path, model: PoseModel) -> list[Unreadable]:
    """Look at some pictures and write their keypoints as one shard; run by a process of :func:`estimate`."""
    rows: list[dict[str, Any]] = []
    unreadable: list[Unreadable] = []
    with MediaPipePose(model) as pose:
        for identity, path in jobs:
            try:
                people = pose.people(storage.read_rgb(root / path))
            except storage.NotAnImage as error:
                unreadable.append(Unreadable(identity, "not-an-image", str(error)))
            except OSError as error:
                unreadable.append(Unreadable(identity, "missing", error.strerror or type(error).__name__))
            else:
                keypoints = np.array([person.keypoints for person in people], dtype=np.float32).ravel()
                known = {"image_id": identity, "pose_model": model.sha256, "most_people": MOST_PEOPLE}
                rows.append({**known, "keypoints": keypoints})
    if rows:
        memory = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=_SCHEMA), memory)
        # The name follows from what is inside: the same pictures are never kept twice.
        name = hashlib.sha256("".join(row["image_id"] for row in rows).encode()).hexdigest()[:16]
        write_bytes(root / FOLDER / f"{name}.parquet", memory.getvalue())
    return unreadable


def _stored(folder: Path, model: PoseModel) -> dict[str, list[Person]]:
    people: dict[str, list[Person]] = {}
    for path in sorted(folder.glob("*.parquet")):
        table = _current(path, model)
        flat = table["keypoints"].combine_chunks()
        for identity, keypoints in zip(table["image_id"].to_pylist(), flat, strict=True):
            shaped = keypoints.values.to_numpy().astype(float).reshape(-1, len(NAMES), 4)
            people[identity] = [Person(each) for each in shaped]
    return people


def _current(path: Path, model: PoseModel) -> pyarrow.Table:
    """A shard's rows by this model; none of a broken file, or one of another make: they are made again."""
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException):
        return _SCHEMA.empty_table()
    if not table.schema.equals(_SCHEMA):
        return _SCHEMA.empty_table()
    by_this = pyarrow.compute.equal(table["pose_model"], model.sha256)
    return table.filter(pyarrow.compute.and_(by_this, pyarrow.compute.equal(table["most_people"], MOST_PEOPLE)))


def _forget(folder: Path, model: PoseModel) -> None:
    """Delete the shards that hold nothing of this model's."""
    for path in folder.glob("*.parquet"):
        if not _current(path, model).num_rows:
            path.unlink()
