"""What is made from pixels, kept once, by picture, box and the version of what made it."""

import contextlib
import functools
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from fullshot.core.engines import open_engine
from fullshot.core.features import lookup, shards
from fullshot.core.features.jobs import Job, Made, Make, Part, as_table, make_shard
from fullshot.core.features.keys import (
    BOX_COLUMNS,
    NO_STAMP,
    STAMP_COLUMNS,
    hold_their_names,
    joined_keys,
    key_schema,
    stamps,
)
from fullshot.core.features.rows import Places, Rows
from fullshot.core.interfaces import Engine
from fullshot.core.progress import bar

FOLDER = "features"
"""Of a workspace: ``features/<kind>/<version>/<shard>.parquet``."""

# A shard is what a kill costs, and what a process is handed at a time.
_LEAST_SHARD, _MOST_SHARD = 16, 256
_SHARDS_A_PROCESS = 16


class FeatureStore:
    """The rows of one kind and version: Parquet shards in a folder of the workspace.

    A row belongs to a picture, and in a store of boxes to a box of it. It remembers size and modification time of the
    picture's file: where these have changed, the row is made again, unless the file still holds the bytes that it is
    named by (a workspace that was copied). A picture that cannot be read has a row that says so, and is asked again
    when its file has changed.

    All methods take **keys**: a :class:`pyarrow.Table` with ``image_id`` and ``path`` (relative to the workspace); in a
    store of boxes also ``x_min, y_min, x_max, y_max`` in pixels of the picture as it is stored, all of them null or NaN
    for the whole picture; ``bytes``, where it is there, is how large the file was when it was stored. Other columns do
    no harm. A table of pandas becomes one by ``pyarrow.Table.from_pandas(frame[[…]], preserve_index=False)``.

    Args:
        root: the workspace's folder.
        kind: such as ``pictures``; one word.
        version: of what makes the rows: letters, digits, ``.``, ``_`` and ``-``. Rows of another version are not seen.
        schema: the columns that are made. For arrays, ``pyarrow.binary(n)`` and ``pyarrow.list_(pyarrow.float32(), n)``
            are read without a Python object a row (:meth:`Rows.array`).
        made_by: the command that makes the rows, such as ``curate``; for messages.
        boxed: whether rows belong to boxes.
        folder: where the shards lie, if not where they should; for those of earlier versions of fullshot.
        obsolete: columns that shards of earlier versions have, and which are dropped when these are merged.

    Example:
        >>> store = FeatureStore(root, "sizes", "1", pyarrow.schema([("width", pyarrow.int32())]), "curate")
        >>> rows = store.fill(keys, measure, workers, "curate")     # makes what is missing, by the workers
        >>> rows.made, rows.read(["width"]), rows.unreadable()      # N rows, in the keys' order

    where ``measure`` is a function of a module::

        def measure(jobs: Sequence[Job]) -> list[Made]:
            found = [reading(job.path, read_geometry) for job in jobs]
            return [one if isinstance(one, Unreadable) else {"width": one.width} for one in found]
    """

    def __init__(
        self,
        root: Path,
        kind: str,
        version: str,
        schema: pyarrow.Schema,
        made_by: str,
        *,
        boxed: bool = False,
        folder: Path | None = None,
        obsolete: Collection[str] = (),
    ) -> None:
        for word in (kind, version):
            if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", word):
                raise ValueError(f"expected letters, digits, '.', '_' and '-', got {word!r}")
        self.root = root
        self.folder = folder or root / FOLDER / kind / version
        self.schema = pyarrow.unify_schemas([key_schema(boxed=boxed), schema])
        self._boxed = boxed
        self._obsolete = frozenset(obsolete)
        self._command = f"fullshot {made_by} {root}"

    def look_up(
        self, keys: pyarrow.Table, *, of_any_file: bool = False, anew: Callable[[], pyarrow.Table] | None = None
    ) -> Rows:
        """The rows that are there; nothing is made or written.

        Damaged shards are told of in a line on stderr, and their rows count as missing.

        Args:
            keys: see the class.
            of_any_file: also rows of files that have changed since: what was seen when they were made. The files are
                not looked at.
            anew: see :meth:`fill`.
        """
        if of_any_file:
            paths = shards.listed(self.folder)
            found = lookup.find(keys, paths, self.schema, self._say_broken)
            places = Places(paths, found.shard, found.row, found.is_unreadable)
        else:
            places, _ = self._places(keys, self._say_broken)
        again = functools.partial(self.look_up, of_any_file=of_any_file)
        return Rows(anew or functools.partial(_same, keys), places, self.schema, 0, again, self._command, repairs=False)

    def missing(self, keys: pyarrow.Table) -> pyarrow.Table:
        """The keys that have no row, or whose file has changed since."""
        return keys.filter(pyarrow.array(~self.look_up(keys).is_present))

    def fill(
        self,
        keys: pyarrow.Table,
        make: Make,
        engine: Engine | None = None,
        stage: str | None = None,
        *,
        least: int = _LEAST_SHARD,
        most: int = _MOST_SHARD,
        anew: Callable[[], pyarrow.Table] | None = None,
        write: Callable[[pyarrow.Table], list[Path]] | None = None,
    ) -> Rows:
        """The rows of all keys; those that are not there are made, a shard at a time.

        Args:
            keys: see the class.
            make: makes rows; importable by name (or a :func:`functools.partial` of such a function), so that worker
                processes can be sent it. It is asked about the same jobs again where a worker was ended.
            engine: whose workers do it; None: this process does.
            stage: for the bar of progress; None: none is shown.
            least: rows of a shard, about, unless they are the last: where all fit into one, this process makes them,
                and no worker is started for them.
            most: rows of a shard, about: what a kill costs, and what ``make`` is asked for at a time.
            anew: gives the keys once more where they are needed later: then the rows do not hold them. Those of four
                million pictures are half a gigabyte.
            write: writes the rows of the keys that have none, and gives the shards, the oldest first; None: ``make``
                makes them. With it, ``make`` is asked about rows alone that are lost before they are read.

        Raises:
            StageFailed: see the engine; or the store's files cannot be read.
        """
        shards.merge(self.folder, self.schema, self._obsolete)
        places, moved = self._places(keys, self._drop_broken)
        again = functools.partial(self.fill, make=make)
        if len(moved):
            here = functools.partial(_same, keys)
            self._stamp_anew(Rows(here, places, self.schema, 0, again, self._command, repairs=True).take(moved))
        numbers = np.flatnonzero(places.shard < 0)
        if len(numbers):
            # Where all are missing they are not copied: the keys of four million pictures are half a gigabyte.
            todo = keys if len(numbers) == len(keys) else keys.take(pyarrow.array(numbers))
            if write is None:
                written = self._make(todo, make, engine or open_engine(processes=1), stage, least, most)
            else:
                written = write(todo)
            made = lookup.find(todo, written, self.schema, self._drop_broken)
            places.row[numbers], places.is_unreadable[numbers] = made.row, made.is_unreadable
            places.shard[numbers] = np.where(made.shard < 0, -1, made.shard + len(places.shards))
            places.shards.extend(written)
        anew = anew or functools.partial(_same, keys)
        return Rows(anew, places, self.schema, len(numbers), again, self._command, repairs=True)

    def keep(self, jobs: Sequence[Job], made: Sequence[Made]) -> Path:
        """Write rows that were made by the way, such as a picture's size while something else was made of it.

        Args:
            jobs: as a function that makes rows got them.
            made: their rows, in their order.
        """
        return shards.write(self.folder, as_table(jobs, made, self.schema))

    def _places(self, keys: pyarrow.Table, broken: Callable[[list[Path]], None]) -> tuple[Places, NDArray[np.int64]]:
        """Where the rows lie that hold for the files as they are; and which of them have an old stamp."""
        now = stamps(self.root, keys["path"])
        paths = shards.listed(self.folder)
        found = lookup.find(keys, paths, self.schema, broken)
        is_there = (found.shard >= 0) & (now[:, 0] >= 0)
        is_current = (found.shard >= 0) & (found.stamp == now).all(axis=1)
        is_unstamped = is_there & (found.stamp[:, 0] == NO_STAMP)
        if "bytes" in keys.column_names:
            is_unstamped &= keys["bytes"].cast(pyarrow.int64()).fill_null(-1).to_numpy() == now[:, 0]
        moved = np.flatnonzero(
            is_there & ~found.is_unreadable & (found.stamp[:, 0] == now[:, 0]) & (found.stamp[:, 1] != now[:, 1])
        )
        asked = keys.select(["image_id", "path"]).take(pyarrow.array(moved))
        moved = moved[hold_their_names(self.root, asked["image_id"], asked["path"])]
        is_current |= is_unstamped
        is_current[moved] = True
        return Places(paths, np.where(is_current, found.shard, -1), found.row, found.is_unreadable & is_current), moved

    def _stamp_anew(self, rows: Rows) -> None:
        """Write rows again with the stamps that their files have now."""
        for numbers, table in rows.scan(self.schema.names):
            now = stamps(self.root, rows.take(numbers).keys["path"])
            for column, name in enumerate(STAMP_COLUMNS):
                number = table.column_names.index(name)
                table = table.set_column(number, self.schema.field(name), pyarrow.array(now[:, column]))
            shards.write(self.folder, table)

    def _make(
        self, keys: pyarrow.Table, make: Make, engine: Engine, stage: str | None, least: int, most: int
    ) -> list[Path]:
        """Make the rows of keys, each once; returns the shards."""
        names = [name for name in ("image_id", "path", *BOX_COLUMNS) if name in keys.column_names]
        todo = keys.select(names)
        if self._boxed or not _is_ascending(todo["image_id"]):
            joined = joined_keys(keys, boxed=self._boxed).combine_chunks()
            first = np.unique(joined.dictionary_encode().indices.to_numpy(), return_index=True)[1]
            # The boxes of one picture follow each other, so that it is decoded once.
            order = pyarrow.compute.sort_indices(keys["image_id"].take(pyarrow.array(first))).to_numpy()
            todo = todo.take(pyarrow.array(first[order]))
        share = -(-todo.num_rows // (engine.count * _SHARDS_A_PROCESS))
        if engine.count > 1 and todo.num_rows > least:
            parts = Part.cut(self.root, todo, min(max(share, least), most), engine.count)
        else:
            parts = Part.cut(self.root, todo, most)
        work = functools.partial(make_shard, make=make, folder=self.folder, schema=self.schema)
        written, done, lost = [], 0, 0
        with bar(stage, "pictures") if stage else contextlib.nullcontext(_say_nothing) as advance:
            advance(0, todo.num_rows)
            for number, (path, unreadable) in engine.map(work, parts):
                written.append(path)
                done, lost = done + len(parts[number]), lost + unreadable
                advance(done, todo.num_rows, f"{lost} unreadable" if lost else "")
        return written

    def _say_broken(self, paths: list[Path]) -> None:
        shards.say_damaged(paths, f"count as missing, `{self._command}` makes them again")

    def _drop_broken(self, paths: list[Path]) -> None:
        shards.say_damaged(paths, "are made again")
        for path in paths:
            path.unlink(missing_ok=True)


def _is_ascending(names: pyarrow.ChunkedArray) -> bool:
    """Whether each is greater than the one before it."""
    return bool(pyarrow.compute.all(pyarrow.compute.less(names[:-1], names[1:]), min_count=0).as_py())


def _same(keys: pyarrow.Table) -> pyarrow.Table:
    return keys


def _say_nothing(done: int, total: int, note: str = "") -> None:
    pass
