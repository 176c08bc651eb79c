"""The Parquet files of a feature store: written in one step, read by column, merged when there are many small ones."""

import contextlib
import hashlib
import io
import itertools
import math
import shutil
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet
from numpy.typing import NDArray

from fullshot.core.errors import StageFailed
from fullshot.core.features.keys import BOX_COLUMNS, STAMP_COLUMNS, joined_keys, key_schema
from fullshot.core.files import write_bytes
from fullshot.core.progress import say

MANY = 16
"""Shards of about one size that are merged: so a row is written once more each time that there are 16 times as many."""

MERGED_BYTES = 1 << 27
"""What is merged at a time, not compressed: it is in memory whole."""

_LATE = {*STAMP_COLUMNS, "unreadable", "message"}
"""Columns that version 0.1 did not write."""

_STAYS = math.inf
"""In place of the size of a shard that is not merged: it stands between those on its two sides."""

_ROW_GROUP = 4096
"""Rows that are read at once when one of them is wanted."""

_GROUPS_AT_ONCE = 4
"""Row groups that are in memory at once when many rows are wanted."""

# What was read goes back to the system within a second. Arrow's other allocator keeps what the threads that read a file
# are done with: a third of a gigabyte after the keys of four million pictures.
if "jemalloc" in pyarrow.supported_memory_backends():
    pyarrow.set_memory_pool(pyarrow.jemalloc_memory_pool())


class BrokenShard(Exception):
    """A file that does not hold what was written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def say_damaged(paths: Sequence[Path], result: str) -> None:
    """Say on stderr, in one line, which shards are damaged; without any, nothing is said.

    Args:
        paths: theirs, of one folder.
        result: what becomes of their rows, such as ``are made again``.
    """
    if paths:
        which = f"{paths[0]} is" if len(paths) == 1 else f"{len(paths)} files in {paths[0].parent} are"
        say(f"fullshot: {which} damaged: {'its' if len(paths) == 1 else 'their'} rows {result}")


def listed(folder: Path) -> list[Path]:
    """The shards of a store, the oldest first."""
    # Version 0.1 called them by 16 hexadecimal digits, which come before what `write` calls them.
    return sorted(folder.glob("*.parquet"))


def write(folder: Path, table: pyarrow.Table) -> Path:
    """Write rows as a shard, in one step: a kill leaves nothing, or all of it."""
    content = hashlib.sha256("".join(table["image_id"].to_pylist()).encode())
    for name in BOX_COLUMNS:
        if name in table.column_names:
            content.update(table[name].to_numpy().tobytes())
    path = folder / f"made-{time.time_ns():016x}-{content.hexdigest()[:12]}.parquet"
    _save(path, table)
    return path


def keep_rows(path: Path, rows: NDArray[np.int64]) -> None:
    """Remove all rows of a shard but these."""
    with opened(path) as file:
        table = file.read().take(pyarrow.array(rows))
    if table.num_rows:
        _save(_in_place_of(path), table)
    path.unlink(missing_ok=True)


def _in_place_of(path: Path) -> Path:
    """Another name with a shard's place in the order of age.

    Whoever has looked up rows finds the shard gone, and looks them up again, instead of reading others.
    """
    return path.with_name(f"{path.stem.partition('.')[0]}.{time.time_ns():016x}.parquet")


def _save(path: Path, table: pyarrow.Table) -> None:
    memory = io.BytesIO()
    # A dictionary or least and greatest values of thumbnails would be larger than the thumbnails.
    pyarrow.parquet.write_table(
        table,
        memory,
        row_group_size=_ROW_GROUP,
        compression="zstd",
        use_dictionary=["unreadable", "message"],
        write_statistics=["image_id"],
        write_page_checksum=True,
    )
    write_bytes(path, memory.getvalue())


def read_keys(path: Path, schema: pyarrow.Schema) -> pyarrow.Table:
    """The key, the stamp and what is unreadable, of every row; empty where the shard lacks a column of the schema.

    Such a shard is of a time when less was measured: its rows are made again.

    Raises:
        BrokenShard: the file is damaged.
        FileNotFoundError: it is gone, such as after a merge.
    """
    wanted = key_schema(boxed=BOX_COLUMNS[0] in schema.names)
    with opened(path) as file:
        there = file.schema_arrow
        is_whole = all(
            name in there.names and there.field(name).type == kind
            for name, kind in ((field.name, field.type) for field in schema)
            if name not in wanted.names or name in ("image_id", *BOX_COLUMNS)
        )
        if not is_whole:
            return wanted.empty_table()
        return _completed(file.read([name for name in wanted.names if name in there.names]), wanted)


def scan_rows(path: Path, rows: NDArray[np.int64], schema: pyarrow.Schema) -> Iterator[tuple[slice, pyarrow.Table]]:
    """Some rows of a shard, some row groups at a time; only those that they lie in are read.

    Args:
        path: the shard.
        rows: shape (N,): their numbers, ascending.
        schema: the columns.

    Yields:
        Which of the rows, and these.

    Raises:
        BrokenShard: the file is damaged.
        FileNotFoundError: it is gone.
    """
    with opened(path) as file:
        sizes = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        groups = np.searchsorted(starts, rows, side="right") - 1
        names = [name for name in schema.names if name in file.schema_arrow.names]
        borders = np.flatnonzero(np.diff(groups // _GROUPS_AT_ONCE)) + 1
        for start, end in itertools.pairwise([0, *borders.tolist(), len(rows)]):
            needed = np.unique(groups[start:end])
            skipped = np.zeros(len(sizes), np.int64)
            skipped[needed] = starts[needed] - np.concatenate([[0], np.cumsum(np.array(sizes)[needed])[:-1]])
            local = rows[start:end] - skipped[groups[start:end]]
            found = file.read_row_groups(needed.tolist(), names)
            table = _completed(found, schema, None if names else int(np.array(sizes)[needed].sum()))
            is_all = np.array_equal(local, np.arange(table.num_rows))
            yield slice(start, end), table if is_all else table.take(pyarrow.array(local))


def merge(folder: Path, schema: pyarrow.Schema, obsolete: frozenset[str]) -> None:
    """Merge small shards, where there are :data:`MANY` of about one size; of rows of one key the newest is kept.

    Only shards that follow each other in age are merged, smaller ones between them included, and what they become takes
    the place of the newest: whatever is merged, a row is never found in place of one that was made after it.

    A kill between the write of the larger shard and the removal of the small ones leaves rows twice, which is no harm.
    """
    paths = listed(folder)
    if len(paths) < MANY:
        return
    tiers = [_tier(path, schema, obsolete) for path in paths]
    for tier in sorted({tier for tier in tiers if tier != _STAYS}, reverse=True):
        larger = [number for number, other in enumerate(tiers) if other > tier]
        for before, after in pairwise([-1, *larger, len(paths)]):
            run = slice(before + 1, after)
            if tiers[run].count(tier) >= MANY:
                _merge(paths[run], schema)
                tiers[run] = [_STAYS] * (after - before - 1)


def _tier(path: Path, schema: pyarrow.Schema, obsolete: frozenset[str]) -> float:
    """About how many rows a shard has, as a power of :data:`MANY`; or that it is not merged."""
    try:
        with opened(path) as file:
            rows, there = file.metadata.num_rows, set(file.schema_arrow.names)
            is_small = _bytes_in(file) <= MERGED_BYTES // 2
    except (BrokenShard, FileNotFoundError):
        return _STAYS
    # What holds other columns, such as those of a plug-in's that is away for a while, stays as it is.
    is_whole = there - obsolete == set(schema.names) - (_LATE - there)
    return int(math.log(max(rows, 1), MANY)) if is_small and is_whole else _STAYS


def _bytes_in(file: pyarrow.parquet.ParquetFile) -> int:
    """What a shard takes in memory, about: on the disk it may be many times smaller."""
    groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
    return sum(int(group.total_byte_size) for group in groups)


def _merge(paths: list[Path], schema: pyarrow.Schema) -> None:
    batch: list[Path] = []
    size = 0
    for number, path in enumerate(paths):
        batch.append(path)
        with contextlib.suppress(BrokenShard, FileNotFoundError), opened(path) as file:
            size += _bytes_in(file)
        if size >= MERGED_BYTES or number + 1 == len(paths):
            if len(batch) > 1:
                _merge_all(batch, schema)
            batch, size = [], 0


def _merge_all(paths: list[Path], schema: pyarrow.Schema) -> None:
    tables = []
    try:
        for path in paths:
            with opened(path) as file:
                tables.append(
                    _completed(file.read([name for name in schema.names if name in file.schema_arrow.names]), schema)
                )
    except (BrokenShard, FileNotFoundError):
        return  # the reader of its rows says so, and they are made again
    table = pyarrow.concat_tables(tables)
    keys = joined_keys(table, boxed=BOX_COLUMNS[0] in schema.names).combine_chunks().dictionary_encode()
    newest = np.empty(len(keys.dictionary), np.int64)
    newest[keys.indices.to_numpy()] = np.arange(table.num_rows)  # of one key, the last stays
    # In order of their pictures: a row is found in one row group by its least and greatest image_id.
    in_order = pyarrow.compute.sort_indices(keys.dictionary).to_numpy()
    _save(_in_place_of(paths[-1]), table.take(pyarrow.array(newest[in_order])))
    for path in paths:
        path.unlink(missing_ok=True)


def adopt(old: Path, new: Path) -> None:
    """Move the shards that an earlier version of fullshot kept in another folder; what was cut short is gone on with.

    Raises:
        OSError: nobody may write there.
    """
    new.parent.mkdir(parents=True, exist_ok=True)
    if not new.exists():
        old.rename(new)
        return
    for shard in old.glob("*.parquet"):
        shard.rename(new / shard.name)
    shutil.rmtree(old, ignore_errors=True)


def _completed(table: pyarrow.Table, schema: pyarrow.Schema, rows: int | None = None) -> pyarrow.Table:
    """A table with all columns of a schema, empty where it has none of them."""
    count = table.num_rows if rows is None else rows
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pyarrow.nulls(count, field.type)
        for field in schema
    ]
    return pyarrow.table(columns, schema=schema)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[pyarrow.parquet.ParquetFile]:
    """A shard's file; what is wrong with it is said in one way."""
    try:
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except FileNotFoundError:
        raise
    except MemoryError:  # Arrow's own is one too: the file is whole
        raise StageFailed(f"not enough memory to read {path}") from None
    except (OSError, pyarrow.ArrowException) as error:
        if isinstance(error, OSError) and error.errno:
            raise StageFailed(f"{path}: {error.strerror}") from None
        raise BrokenShard(path, " ".join(str(error).split()) or type(error).__name__) from None
