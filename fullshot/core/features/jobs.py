"""What a worker process does for a feature store: a shard of jobs is made into rows, and these are written."""

import errno
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, TypeVar, cast, overload

import numpy as np
import pyarrow

from fullshot.core import pictures
from fullshot.core.boxes import Corners
from fullshot.core.features import shards
from fullshot.core.features.keys import BOX_COLUMNS, MISSING_FILE, STAMP_COLUMNS, stamp_of

Decoded = TypeVar("Decoded")

_LEAST_PART = 4
"""Rows of the last parts for several workers: what one does alone at the end, while the others have nothing to do."""


@dataclass(frozen=True)
class Job:
    """What one row is made from.

    Attributes:
        image_id: the picture.
        path: its file.
        box: ``(x_min, y_min, x_max, y_max)`` in pixels of the picture as it is stored; None: the whole picture.
        stamp: of the file before it is read, see :func:`fullshot.core.features.keys.stamp_of`.
    """

    image_id: str
    path: Path
    box: Corners | None = None
    stamp: tuple[int, int] = MISSING_FILE


@dataclass(frozen=True)
class Unreadable:
    """Why there is no row of a picture: ``kind`` is ``missing``, ``too-large`` or ``not-an-image``."""

    kind: str
    message: str


Made = Mapping[str, Any] | Unreadable
"""A row's columns, without its key; or why there are none."""

Make = Callable[[Sequence[Job]], Sequence[Made]]
"""Makes the rows of some jobs, in their order; importable by name, as are its arguments. The jobs of one picture follow
each other. A value may be a number, a string, bytes, or a one-dimensional array."""


def reading(path: Path, read: Callable[[Path], Decoded]) -> Decoded | Unreadable:
    """What a reader of :mod:`fullshot.core.pictures` makes of a file, or why it cannot be read.

    Args:
        path: the file.
        read: such as :func:`fullshot.core.pictures.read_rgb`.
    """
    try:
        return read(path)
    except pictures.TooLarge as error:
        return Unreadable("too-large", str(error))
    except MemoryError:
        return Unreadable("too-large", "more than there is memory for")
    except pictures.NotAnImage as error:
        return Unreadable("not-an-image", str(error))
    except OSError as error:
        return Unreadable("missing", error.strerror or type(error).__name__)


class Part(Sequence[Job]):
    """Some rows of a table of keys, as jobs; sent to a worker it takes its own rows along and no others.

    Args:
        root: of the workspace.
        keys: columns ``image_id``, ``path``, and of a store of boxes those of :data:`BOX_COLUMNS`.
    """

    def __init__(self, root: Path, keys: pyarrow.Table) -> None:
        self._root = root
        self.keys = keys

    def __len__(self) -> int:
        return int(self.keys.num_rows)

    @overload
    def __getitem__(self, index: int) -> Job: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Job]: ...
    def __getitem__(self, index: int | slice) -> Job | Sequence[Job]:
        return list(self)[index]

    def __iter__(self) -> Iterator[Job]:
        names = self.keys["image_id"].to_pylist(), self.keys["path"].to_pylist()
        if BOX_COLUMNS[0] in self.keys.column_names:
            corners: Sequence[tuple[float | None, ...]] = list(
                zip(*(self.keys[name].to_pylist() for name in BOX_COLUMNS), strict=True)
            )
        else:
            corners = [(None,)] * len(self)
        for identity, path, box in zip(*names, corners, strict=True):
            if box[0] is None or math.isnan(box[0]):
                yield Job(identity, self._root / path)
            else:
                yield Job(identity, self._root / path, cast(Corners, tuple(box)))

    def __getstate__(self) -> tuple[Path, bytes]:
        # A slice of a table is pickled with all of the table; Arrow's own format has its rows alone.
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, self.keys.schema) as writer:
            writer.write_table(self.keys)
        return self._root, sink.getvalue().to_pybytes()

    def __setstate__(self, state: tuple[Path, bytes]) -> None:
        self._root = state[0]
        self.keys = pyarrow.ipc.open_stream(state[1]).read_all()

    @classmethod
    def cut(cls, root: Path, keys: pyarrow.Table, size: int, workers: int = 1) -> list[Self]:
        """Parts of about ``size`` rows; the rows of one picture, which follow each other, stay together.

        For several workers the last parts are ever smaller, so that these have done about at one time.
        """
        names = keys["image_id"]
        ends = [0]
        while ends[-1] < len(names):
            if workers > 1:
                left = len(names) - ends[-1]
                size = min(size, max(-(-left // (2 * workers)), _LEAST_PART))
            end = min(ends[-1] + size, len(names))
            while end < len(names) and names[end].equals(names[end - 1]):
                end += 1
            ends.append(end)
        return [cls(root, keys.slice(start, end - start)) for start, end in pairwise(ends)]


def make_shard(part: Sequence[Job], *, make: Make, folder: Path, schema: pyarrow.Schema) -> tuple[Path, int]:
    """Make the rows of some jobs, and write them as one shard.

    Args:
        part: the jobs.
        make: see :data:`Make`; it is not asked about files that are not there.
        folder: of the store.
        schema: of its shards.

    Returns:
        The shard, and how many of its pictures cannot be read.
    """
    # Before they are read: a file that is changed meanwhile has another stamp afterwards, and is asked again.
    jobs = [replace(job, stamp=stamp_of(os.fspath(job.path))) for job in part]
    there = [job for job in jobs if job.stamp != MISSING_FILE]
    rows = iter(make(there) if there else ())
    missing = Unreadable("missing", os.strerror(errno.ENOENT))
    made = [missing if job.stamp == MISSING_FILE else next(rows) for job in jobs]
    broken = {job.path for job, row in zip(jobs, made, strict=True) if isinstance(row, Unreadable)}
    return shards.write(folder, as_table(jobs, made, schema)), len(broken)


def as_table(jobs: Sequence[Job], made: Sequence[Made], schema: pyarrow.Schema) -> pyarrow.Table:
    """The rows of jobs as a shard holds them.

    Args:
        jobs: with their stamps.
        made: of them, in their order.
        schema: of the store's shards.
    """
    rows = [
        {"image_id": job.image_id, **_corners(job, schema), **dict(zip(STAMP_COLUMNS, job.stamp, strict=True))}
        | ({"unreadable": row.kind, "message": row.message} if isinstance(row, Unreadable) else dict(row))
        for job, row in zip(jobs, made, strict=True)
    ]
    return pyarrow.Table.from_pylist(rows, schema=schema)


def _corners(job: Job, schema: pyarrow.Schema) -> dict[str, float]:
    if BOX_COLUMNS[0] not in schema.names:
        return {}
    return dict(zip(BOX_COLUMNS, job.box or (np.nan,) * 4, strict=True))
