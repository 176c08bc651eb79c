"""A vector store in files: one exact FAISS index a partition, in this process's memory."""

import functools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import duckdb
import faiss
import numpy as np
from numpy.typing import NDArray

from fullshot.core.errors import StageFailed
from fullshot.core.files import write_bytes
from fullshot.core.settings import Settings
from fullshot.core.tables.cells import from_parquet
from fullshot.core.tables.connection import connect

_ROWS = "vectors.parquet"
"""The product and the partition of each id; written after the indexes."""

_ROWS_0_1 = "items.parquet"
"""Where these are in a catalog of version 0.1, which has no file of its own for them."""

_COLUMNS, _COLUMNS_0_1 = ("id", "product", "partition"), ("item", "product_id", "wear")


@dataclass
class _Partition:
    """The vectors of a partition.

    Attributes:
        index: of FAISS; None where it was saved: its file holds the same, and is read when it is asked for.
        ids: shape (N,), int64, ascending.
        products: shape (N,), int64: the number of the product that each vector shows.
    """

    index: Any
    ids: NDArray[np.int64]
    products: NDArray[np.int64]

    @functools.cached_property
    def most_vectors(self) -> int:
        """How many vectors the product with the most of them has."""
        return int(np.unique(self.products, return_counts=True)[1].max())

    def of(self, chosen: NDArray[np.bool_]) -> "_Partition":
        """The rows of some of the vectors, over the same index."""
        return _Partition(self.index, self.ids[chosen], self.products[chosen])


class FaissStore:
    """See :class:`fullshot.core.interfaces.VectorStore`.

    Below its folder lie ``<partition>.faiss``, each an ``IndexIDMap`` over an ``IndexFlatL2``, and
    ``vectors.parquet`` with the columns ``id``, ``product`` and ``partition``.

    Args:
        folder: where :meth:`save` writes.
        dimension: d, the length of the vectors.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        self._folder, self._dimension = folder, dimension
        self._partitions: dict[str, _Partition] = {}
        self._unsaved: set[str] = set()

    @classmethod
    def from_settings(cls, settings: Settings, folder: Path, dimension: int) -> Self:
        """See :meth:`VectorStore.from_settings`; there is nothing to set."""
        store = cls(folder, dimension)
        for name, (ids, products) in _read_rows(folder).items():
            store._partitions[name] = _Partition(None, ids, products)
            store._index(name)  # what is damaged is said now
        return store

    def _index(self, name: str) -> Any:
        """The index of a partition; one that was let go of is read again."""
        partition = self._partitions[name]
        if partition.index is None:
            partition.index = _read_index(self._path(name), self._dimension, partition.ids)
        return partition.index

    @functools.cached_property
    def _numbers(self) -> dict[str, int]:
        """The number of each product; a search needs no names, so these are read when something is to be added."""
        return {name: number for number, name in enumerate(_read_names(self._folder))}

    def build(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], products: Sequence[str], partitions: Sequence[str]
    ) -> None:
        """See :meth:`VectorStore.build`."""
        self._check(vectors, ids, products, partitions)
        self._unsaved |= set(self._partitions)
        self._partitions, self._numbers = {}, {}
        self._append(vectors, ids, products, partitions)

    def add(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], products: Sequence[str], partitions: Sequence[str]
    ) -> None:
        """See :meth:`VectorStore.add`."""
        self._check(vectors, ids, products, partitions)
        self.remove(ids)
        self._append(vectors, ids, products, partitions)

    def remove(self, ids: NDArray[np.int64]) -> int:
        """See :meth:`VectorStore.remove`."""
        count = 0
        for name, partition in list(self._partitions.items()):
            removed = np.isin(partition.ids, ids)
            if not removed.any():
                continue
            count += int(removed.sum())
            if removed.all():
                del self._partitions[name]
            else:
                self._index(name).remove_ids(partition.ids[removed])
                self._partitions[name] = partition.of(~removed)
            self._unsaved.add(name)
        return count

    def search(
        self, vectors: NDArray[np.float32], partition: str, products: int, only: Iterable[int] | None = None
    ) -> list[list[tuple[int, float]]]:
        """See :meth:`VectorStore.search`."""
        self._check_shape(vectors)
        searched, parameters = self._partitions.get(partition), None
        if searched and only is not None:
            searched = searched.of(np.isin(searched.ids, np.fromiter(only, np.int64)))
            selector = faiss.IDSelectorBatch(searched.ids)
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # its stubs lack it
        if not searched or not len(searched.ids) or not len(vectors) or products < 1:
            return [[] for _ in vectors]
        queries, index = np.ascontiguousarray(vectors, np.float32), self._index(partition)
        # Once pytorch-metric-learning is loaded, an index's own `search` takes no parameters; FAISS's lies beside it.
        search = getattr(index, "search_numpy", index.search)
        # So many vectors show at least that many products, even if each product had the most vectors.
        count = (products - 1) * searched.most_vectors + 1
        while True:
            count = min(count, len(searched.ids))
            distances, ids = search(queries, count, params=parameters)
            shown = searched.products[np.searchsorted(searched.ids, ids)]
            answers = [_distinct(*row, products) for row in zip(distances, ids, shown, strict=True)]
            # A vector as far away as the last of an answer, but with a lower id, may lie behind those asked for.
            farthest = [answer[-1][1] for answer in answers]
            if count == len(searched.ids) or (farthest < distances[:, -1]).all():
                return answers
            count *= 2

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See :meth:`fullshot.core.interfaces.GivesVectors.vectors`."""
        found = np.empty((len(ids), self._dimension), np.float32)
        is_there = np.zeros(len(ids), np.bool_)
        for name in self._partitions:
            index = self._index(name)
            held = faiss.vector_to_array(index.id_map)  # in the order in which they were added
            order = np.argsort(held)
            places = np.searchsorted(held, ids, sorter=order)
            rows = order[np.minimum(places, len(held) - 1)]
            here = held[rows] == ids
            flat: Any = faiss.downcast_index(index.index)
            stored = faiss.rev_swig_ptr(flat.get_xb(), len(held) * self._dimension).reshape(len(held), -1)
            found[here] = stored[rows[here]]
            is_there |= here
        if not is_there.all():
            raise KeyError(int(ids[~is_there][0]))
        return found

    def partitions(self) -> dict[str, int]:
        """See :meth:`VectorStore.partitions`."""
        return {name: len(self._partitions[name].ids) for name in sorted(self._partitions)}

    def save(self) -> None:
        """See :meth:`VectorStore.save`; an index that is on the disk is let go of, until it is asked for."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = np.array([*self._numbers], dtype=object)
        for name in sorted(self._unsaved):
            if name in self._partitions:
                _write_index(self._partitions[name].index, self._path(name))
                self._partitions[name].index = None
            else:
                self._path(name).unlink(missing_ok=True)
            self._unsaved.discard(name)
        schema = pa.schema([(_COLUMNS[0], pa.int64()), (_COLUMNS[1], pa.string()), (_COLUMNS[2], pa.string())])
        parts = [
            pa.table([one.ids, names[one.products], np.full(len(one.ids), name, dtype=object)], schema=schema)
            for name, one in self._partitions.items()
        ]
        content = pa.BufferOutputStream()
        pq.write_table(pa.concat_tables([schema.empty_table(), *parts]), content)
        write_bytes(self._folder / _ROWS, content.getvalue().to_pybytes())

    def close(self) -> None:
        """See :meth:`VectorStore.close`."""
        self._partitions, self._unsaved = {}, set()

    def _path(self, partition: str) -> Path:
        return self._folder / f"{quote(partition, safe='')}.faiss"

    def _append(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], products: Sequence[str], partitions: Sequence[str]
    ) -> None:
        numbers = self._numbers
        shown = np.fromiter((numbers.setdefault(product, len(numbers)) for product in products), np.int64, len(ids))
        where = np.array(list(partitions), dtype=object)
        for name in dict.fromkeys(partitions):
            rows = np.flatnonzero(where == name)
            there = self._partitions.get(name)
            index = self._index(name) if there else faiss.IndexIDMap(faiss.IndexFlatL2(self._dimension))
            added = ids[rows].astype(np.int64)
            index.add_with_ids(np.ascontiguousarray(vectors[rows], np.float32), added)
            all_ids = np.concatenate([there.ids, added]) if there else added
            all_shown = np.concatenate([there.products, shown[rows]]) if there else shown[rows]
            order = np.argsort(all_ids)
            self._partitions[name] = _Partition(index, all_ids[order], all_shown[order])
            self._unsaved.add(name)

    def _check_shape(self, vectors: NDArray[np.float32]) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self._dimension:
            raise ValueError(f"expected vectors of shape (N, {self._dimension}), got {vectors.shape}")
        if not np.isfinite(vectors).all():
            raise ValueError("expected vectors of finite numbers, got others")

    def _check(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], products: Sequence[str], partitions: Sequence[str]
    ) -> None:
        self._check_shape(vectors)
        counts = len(vectors), ids.size, len(products), len(partitions)
        if ids.ndim != 1 or len(set(counts)) > 1:
            raise ValueError(
                "expected as many vectors as ids, products and partitions, got {}, {}, {} and {}".format(*counts)
            )
        if (ids < 0).any() or len(np.unique(ids)) < len(ids):
            raise ValueError("expected ids from 0, each once")


def _write_index(index: Any, path: Path) -> None:
    """Write an index in one step, on the disk when this returns; its bytes are not in memory a second time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    faiss.write_index(index, str(unfinished))
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)


def _rows_of(folder: Path) -> tuple[Path, str] | None:
    """The file of the vectors' rows, and its columns as a query has them; None where there is no file."""
    for name, columns in ((_ROWS, _COLUMNS), (_ROWS_0_1, _COLUMNS_0_1)):
        if (folder / name).exists():
            return folder / name, ", ".join(f"{old} AS {new}" for old, new in zip(columns, _COLUMNS, strict=True))
    return None


def _read_rows(folder: Path) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The ids of each partition, ascending, and the number of the product that each shows."""
    found = _rows_of(folder)
    if found is None:
        return {}
    path, columns = found
    rows = f"(SELECT {columns} FROM {from_parquet(path)})"
    numbered = "SELECT product, row_number() OVER (ORDER BY product) - 1 AS number"
    numbers = f"({numbered} FROM (SELECT DISTINCT product FROM {rows}))"
    query = f"SELECT id, number FROM {rows} JOIN {numbers} USING (product) WHERE partition = $name ORDER BY id"
    try:
        with connect() as connection:
            names = [
                name for (name,) in connection.execute(f"SELECT DISTINCT partition FROM {rows} ORDER BY 1").fetchall()
            ]
            read = {name: connection.execute(query, {"name": name}).fetchnumpy() for name in names}
    except (duckdb.Error, StageFailed) as error:
        raise StageFailed(f"{path} is damaged: {' '.join(str(error).split())}") from None
    return {name: (np.asarray(row["id"], np.int64), np.asarray(row["number"], np.int64)) for name, row in read.items()}


def _read_names(folder: Path) -> list[str]:
    """The products' names, in the order of their numbers."""
    found = _rows_of(folder)
    if found is None:
        return []
    path, columns = found
    with connect() as connection:
        rows = f"(SELECT {columns} FROM {from_parquet(path)})"
        return [name for (name,) in connection.execute(f"SELECT DISTINCT product FROM {rows} ORDER BY 1").fetchall()]


def _read_index(path: Path, dimension: int, ids: NDArray[np.int64]) -> Any:
    try:
        index: Any = faiss.read_index(str(path))
    except RuntimeError:  # its message names lines of FAISS's source
        raise StageFailed(f"{path} is missing or damaged") from None
    if index.d != dimension:
        raise ValueError(f"expected vectors of length {dimension} in {path}, got {index.d}")
    if not np.array_equal(np.sort(faiss.vector_to_array(index.id_map)), ids):
        raise StageFailed(f"{path} holds other vectors than the table beside it: one of them is damaged")
    return index


def _distinct(
    distances: NDArray[np.float32], ids: NDArray[np.int64], shown: NDArray[np.int64], products: int
) -> list[tuple[int, float]]:
    """The first vector of each product, of the nearest products; in order of distance and id."""
    nearest: dict[int, tuple[int, float]] = {}
    for place in np.lexsort((ids, distances)):
        nearest.setdefault(int(shown[place]), (int(ids[place]), float(distances[place])))
        if len(nearest) == products:
            break
    return list(nearest.values())
