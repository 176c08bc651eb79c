"""Where the rows of keys lie: the key columns of all shards are read, and no other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from fullshot.core.features import shards
from fullshot.core.features.keys import BOX_COLUMNS, NO_STAMP, STAMP_COLUMNS, joined_keys
from fullshot.core.features.shards import BrokenShard

_AT_ONCE = 500_000
"""Rows of shards whose keys are in memory at once."""

_FEW = 0.5
"""The share of keys that are copied to be looked for further, at most."""


@dataclass(frozen=True)
class Found:
    """The newest row of each of N keys, and what it remembers.

    Attributes:
        shard: shape (N,), int32: the number of its shard; -1: there is none.
        row: shape (N,), int64: its number in the shard.
        stamp: shape (N, 2), int64: of the picture's file when the row was made.
        is_unreadable: shape (N,), bool.
    """

    shard: NDArray[np.int32]
    row: NDArray[np.int64]
    stamp: NDArray[np.int64]
    is_unreadable: NDArray[np.bool_]


def find(
    keys: pyarrow.Table, paths: Sequence[Path], schema: pyarrow.Schema, broken: Callable[[list[Path]], None]
) -> Found:
    """Find the rows of keys.

    Args:
        keys: see :class:`fullshot.core.features.store.FeatureStore`.
        paths: the shards, the oldest first; one that is gone is passed over.
        schema: of the shards.
        broken: told about those that are damaged.
    """
    damaged: list[Path] = []
    boxed = BOX_COLUMNS[0] in schema.names
    count = keys.num_rows
    found = Found(
        np.full(count, -1, np.int32),
        np.zeros(count, np.int64),
        np.full((count, 2), NO_STAMP, np.int64),
        np.zeros(count, np.bool_),
    )
    wanted, left = joined_keys(keys, boxed=boxed), np.arange(count)
    for numbers, rows, table in _batches(paths, schema, damaged):
        hits = pyarrow.compute.index_in(wanted, value_set=joined_keys(table, boxed=boxed).combine_chunks())
        # What was found in a newer shard is not looked for again; to leave it out is to copy the rest.
        is_hit = hits.is_valid().to_numpy() & (found.shard[left] < 0)
        source, target = hits.fill_null(0).to_numpy()[is_hit], left[is_hit]
        found.shard[target], found.row[target] = numbers[source], rows[source]
        for column, name in enumerate(STAMP_COLUMNS):
            found.stamp[target, column] = table[name].fill_null(NO_STAMP).to_numpy()[source]
        found.is_unreadable[target] = table["unreadable"].is_valid().to_numpy()[source]
        is_left = found.shard[left] < 0
        if not is_left.any():
            break
        if is_left.mean() < _FEW:
            left, wanted = left[is_left], wanted.filter(pyarrow.array(is_left))
    broken(damaged)
    return found


def _batches(
    paths: Sequence[Path], schema: pyarrow.Schema, damaged: list[Path]
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64], pyarrow.Table]]:
    """The keys of all shards, the newest first: each row's shard, its number in it, and the key columns.

    Those that are damaged are passed over, and added to ``damaged``.
    """
    tables: list[pyarrow.Table] = []
    numbers: list[int] = []

    def together() -> tuple[NDArray[np.int32], NDArray[np.int64], pyarrow.Table]:
        sizes = [table.num_rows for table in tables]
        rows = np.concatenate([np.arange(size) for size in sizes])
        return np.repeat(np.array(numbers, np.int32), sizes), rows, pyarrow.concat_tables(tables)

    for number in reversed(range(len(paths))):
        try:
            table = shards.read_keys(paths[number], schema)
        except FileNotFoundError:
            continue
        except BrokenShard:
            damaged.append(paths[number])
            continue
        if table.num_rows:
            tables.append(table)
            numbers.append(number)
        if sum(one.num_rows for one in tables) >= _AT_ONCE:
            yield together()
            tables, numbers = [], []
    if tables:
        yield together()
