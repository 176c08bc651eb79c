"""The rows that a feature store has of some keys."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray

from fullshot.core.errors import StageFailed
from fullshot.core.features import arrays, shards
from fullshot.core.features.shards import BrokenShard

MEMORY_BYTES = 1 << 28
"""An array up to this size is in memory; a larger one lies in a nameless file that the system pages in and out."""


@dataclass(frozen=True)
class Places:
    """Where the rows of N keys lie.

    Attributes:
        shards: the files.
        shard: shape (N,), int32: the number of each row's; -1: there is none.
        row: shape (N,), int64: the row's number in it.
        is_unreadable: shape (N,), bool: the row says that the picture cannot be read.
    """

    shards: list[Path]
    shard: NDArray[np.int32]
    row: NDArray[np.int64]
    is_unreadable: NDArray[np.bool_]


class Rows:
    """The rows of N keys, in the order of the keys; what they hold is read when it is asked for.

    Args:
        keys: gives them, see :class:`fullshot.core.features.store.FeatureStore`; asked where a shard is gone.
        places: of the rows.
        schema: of the store's shards.
        made: how many rows were made for this.
        again: gives the rows of some keys once more, where their shard was merged into another meanwhile.
        command: that makes the rows.
        repairs: whether ``again`` makes rows that are not there, so that a damaged shard can be let go.
        numbers: which of the keys these are; None: all.
    """

    def __init__(
        self,
        keys: Callable[[], pyarrow.Table],
        places: Places,
        schema: pyarrow.Schema,
        made: int,
        again: "Callable[[pyarrow.Table], Rows]",
        command: str,
        *,
        repairs: bool,
        numbers: NDArray[np.int64] | None = None,
    ) -> None:
        self._all_keys = keys
        self._numbers = numbers
        self.made = made
        self._places = places
        self._schema = schema
        self._again = again
        self._command = command
        self._repairs = repairs

    def __len__(self) -> int:
        return len(self._places.shard)

    @property
    def keys(self) -> pyarrow.Table:
        """The keys, in their order; a copy where they are some of many, or asked for anew."""
        return self._keys_of(slice(None))

    def _keys_of(self, numbers: NDArray[np.int64] | slice) -> pyarrow.Table:
        keys = self._all_keys()
        if self._numbers is not None:
            return keys.take(pyarrow.array(self._numbers[numbers]))
        return keys if isinstance(numbers, slice) else keys.take(pyarrow.array(numbers))

    @cached_property
    def is_present(self) -> NDArray[np.bool_]:
        """Which keys have a row, shape (N,); also those whose picture is known to be unreadable."""
        return np.asarray(self._places.shard >= 0)

    @cached_property
    def is_readable(self) -> NDArray[np.bool_]:
        """Which keys have a row with columns, shape (N,)."""
        return np.asarray(self.is_present & ~self._places.is_unreadable)

    def unreadable(self) -> pyarrow.Table:
        """The pictures that cannot be read: ``image_id``, ``path``, ``unreadable`` (the kind) and ``message``.

        One row a key, in the keys' order.
        """
        rows = self.take(np.flatnonzero(self._places.is_unreadable))
        keys, why = rows.keys.select(["image_id", "path"]), rows.read(["unreadable", "message"])
        return pyarrow.table([*keys.columns, *why.columns], [*keys.column_names, *why.column_names])

    def take(self, numbers: NDArray[np.int64]) -> "Rows":
        """Some of the rows, by their numbers, in that order."""
        at = self._places
        places = Places(at.shards, at.shard[numbers], at.row[numbers], at.is_unreadable[numbers])
        of_all = numbers if self._numbers is None else self._numbers[numbers]
        details = self._schema, self.made, self._again, self._command
        return Rows(self._all_keys, places, *details, repairs=self._repairs, numbers=of_all)

    def read(self, columns: Sequence[str]) -> pyarrow.Table:
        """Some columns of all rows, in the keys' order, and in memory; null where a key has no readable row."""
        at, parts = [np.zeros(0, np.int64)], [self._of(columns).empty_table()]
        for numbers, table in self.scan(columns):
            at.append(numbers)
            parts.append(table)
        together, numbers = pyarrow.concat_tables(parts), np.concatenate(at)
        if np.array_equal(numbers, np.arange(len(self))):
            return together
        source = np.full(len(self), -1, np.int64)
        source[numbers] = np.arange(len(numbers))
        return together.take(pyarrow.array(source, mask=source < 0))

    def array(self, column: str) -> NDArray[Any]:
        """A column of all rows as an array, in the keys' order; zeros where a key has no readable row.

        A column of numbers gives shape (N,); of ``binary(n)`` (N, n), uint8; of ``list_(float32, n)`` (N, n), float32;
        one of bytes or lists of any length too, where all are of one length (N, 0 where there are none). Beyond
        :data:`MEMORY_BYTES` it is mapped from a file. No value becomes a Python object on the way.

        Raises:
            ValueError: the values are of several lengths.
        """
        return self.columns([column])[column]

    def columns(self, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Several columns as arrays, see :meth:`array`; each shard is read once."""
        found: dict[str, NDArray[Any]] = {}
        for numbers, table in self.scan(names):
            for name in names:
                self._put(found, name, numbers, table[name])
        for name in names:
            if name not in found:
                found[name] = self._empty_array(arrays.empty(self._schema.field(name).type))
        return found

    def _put(
        self, found: dict[str, NDArray[Any]], name: str, numbers: NDArray[np.int64], column: pyarrow.ChunkedArray
    ) -> None:
        """Put the values of some rows into a column's array, which is made when the first of them comes."""
        start = 0
        for chunk in column.chunks:
            is_valid, values = arrays.values(chunk)
            if len(values):
                if name not in found:
                    found[name] = self._empty_array(values)
                if values.shape[1:] != found[name].shape[1:]:
                    raise ValueError(f"{name}: values of {values.shape[1:]} and of {found[name].shape[1:]}")
                found[name][numbers[start : start + len(chunk)][is_valid]] = values
            start += len(chunk)
        if name in found:
            arrays.let_go(found[name])

    def _empty_array(self, like: NDArray[Any]) -> NDArray[Any]:
        return arrays.zeros((len(self), *like.shape[1:]), like.dtype, MEMORY_BYTES)

    def scan(self, columns: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], pyarrow.Table]]:
        """Some columns of all rows, a part of a shard at a time, each read once: for what is too much for the memory.

        Yields:
            The numbers of the keys, int64, and their rows. Keys without a row are left out; those of unreadable
            pictures have null in all columns but ``unreadable`` and ``message``.

        Raises:
            StageFailed: a shard is damaged; says which command makes its rows again. What :meth:`FeatureStore.fill`
                gave makes them itself.
        """
        schema = self._of(columns)
        lost: list[NDArray[np.int64]] = []
        damaged: list[Path] = []
        order = np.lexsort((self._places.row, self._places.shard))
        order = order[self._places.shard[order] >= 0]
        borders = np.flatnonzero(np.diff(self._places.shard[order])) + 1
        for numbers in np.split(order, borders) if len(order) else ():
            path = self._places.shards[self._places.shard[numbers[0]]]
            done = 0
            try:
                for part, table in shards.scan_rows(path, self._places.row[numbers], schema):
                    yield numbers[part], table
                    done = part.stop
            except FileNotFoundError:  # another command merged it meanwhile
                lost.append(numbers[done:])
            except BrokenShard as error:
                if not self._repairs:
                    raise StageFailed(f"{error}: delete it and run `{self._command}` again") from None
                damaged.append(path)
                path.unlink(missing_ok=True)
                lost.append(numbers[done:])
        shards.say_damaged(damaged, "are made again")
        if lost:
            yield from self._scan_again(np.concatenate(lost), columns)

    def _scan_again(
        self, numbers: NDArray[np.int64], columns: Sequence[str]
    ) -> Iterator[tuple[NDArray[np.int64], pyarrow.Table]]:
        rows = self._again(self._keys_of(numbers))
        if not rows.is_present.all():
            raise StageFailed(f"rows that were there are gone: run `{self._command}` again")
        for local, table in rows.scan(columns):
            yield numbers[local], table

    def _of(self, columns: Sequence[str]) -> pyarrow.Schema:
        return pyarrow.schema([self._schema.field(name) for name in columns])
