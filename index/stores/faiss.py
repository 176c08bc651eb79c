"""A vector store in files: one exact FAISS index a partition, in this process's memory."""

import functools
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import faiss
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core.errors import StageFailed
from fullshot.core.files import write_bytes
from fullshot.core.settings import Settings

_ROWS = "vectors.parquet"
"""The product and the partition of each id; written after the indexes."""

_ROWS_0_1 = "items.parquet"
"""Where these are in a catalog of version 0.1, which has no file of its own for them."""

_COLUMNS_0_1 = {"item": "id", "product_id": "product", "wear": "partition"}


@dataclass
class _Partition:
    """The vectors of a partition, and the product that each shows, by id."""

    index: Any
    products: "pd.Series[str]"

    @functools.cached_property
    def most_vectors(self) -> int:
        """How many vectors the product with the most of them has."""
        return int(self.products.value_counts().iloc[0])


class FaissStore:
    """See :class:`fullshot.core.interfaces.VectorStore`.

    Below its folder lie ``<partition>.faiss``, each an ``IndexIDMap2`` over an ``IndexFlatL2``, and
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
        for name, rows in _read_rows(folder).groupby("partition"):
            index = _read_index(store._path(str(name)), dimension, set(rows.index))
            store._partitions[str(name)] = _Partition(index, rows["product"])
        return store

    def build(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], products: Sequence[str], partitions: Sequence[str]
    ) -> None:
        """See :meth:`VectorStore.build`."""
        rows = self._checked_rows(vectors, ids, products, partitions)
        self._unsaved |= set(self._partitions)
        self._partitions = {}
        self._append(vectors, rows)

    def add(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], products: Sequence[str], partitions: Sequence[str]
    ) -> None:
        """See :meth:`VectorStore.add`."""
        rows = self._checked_rows(vectors, ids, products, partitions)
        self.remove(ids)
        self._append(vectors, rows)

    def remove(self, ids: NDArray[np.int64]) -> int:
        """See :meth:`VectorStore.remove`."""
        count = 0
        for name, partition in list(self._partitions.items()):
            removed = partition.products.index.isin(ids)
            if not removed.any():
                continue
            count += int(removed.sum())
            partition.index.remove_ids(partition.products.index[removed].to_numpy(np.int64))
            if removed.all():
                del self._partitions[name]
            else:
                self._partitions[name] = _Partition(partition.index, partition.products[~removed])
            self._unsaved.add(name)
        return count

    def search(
        self, vectors: NDArray[np.float32], partition: str, products: int, only: Iterable[int] | None = None
    ) -> list[list[tuple[int, float]]]:
        """See :meth:`VectorStore.search`."""
        self._check_shape(vectors)
        searched, parameters = self._partitions.get(partition), None
        if searched and only is not None:
            chosen = searched.products[searched.products.index.isin(list(only))]
            searched = _Partition(searched.index, chosen)
            selector = faiss.IDSelectorBatch(chosen.index.to_numpy(np.int64))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # its stubs lack it
        if not searched or not len(searched.products) or not len(vectors) or products < 1:
            return [[] for _ in vectors]
        queries = np.ascontiguousarray(vectors, np.float32)
        # Once pytorch-metric-learning is loaded, an index's own `search` takes no parameters; FAISS's lies beside it.
        search = getattr(searched.index, "search_numpy", searched.index.search)
        # So many vectors show at least that many products, even if each product had the most vectors.
        count = (products - 1) * searched.most_vectors + 1
        while True:
            count = min(count, len(searched.products))
            distances, ids = search(queries, count, params=parameters)
            shown = searched.products.loc[ids.ravel()].to_numpy().reshape(ids.shape)
            answers = [_distinct(*row, products) for row in zip(distances, ids, shown, strict=True)]
            # A vector as far away as the last of an answer, but with a lower id, may lie behind those asked for.
            farthest = [answer[-1][1] for answer in answers]
            if count == len(searched.products) or (farthest < distances[:, -1]).all():
                return answers
            count *= 2

    def partitions(self) -> dict[str, int]:
        """See :meth:`VectorStore.partitions`."""
        return {name: len(self._partitions[name].products) for name in sorted(self._partitions)}

    def save(self) -> None:
        """See :meth:`VectorStore.save`."""
        for name in sorted(self._unsaved):
            if name in self._partitions:
                write_bytes(self._path(name), faiss.serialize_index(self._partitions[name].index).tobytes())
            else:
                self._path(name).unlink(missing_ok=True)
        parts = [_rows(one.products.index, one.products, name) for name, one in self._partitions.items()]
        content = io.BytesIO()
        pd.concat([_rows([], [], ""), *parts]).reset_index().to_parquet(content, index=False)
        write_bytes(self._folder / _ROWS, content.getvalue())
        self._unsaved = set()

    def close(self) -> None:
        """See :meth:`VectorStore.close`."""
        self._partitions, self._unsaved = {}, set()

    def _path(self, partition: str) -> Path:
        return self._folder / f"{quote(partition, safe='')}.faiss"

    def _append(self, vectors: NDArray[np.float32], rows: pd.DataFrame) -> None:
        for partition, places in rows.groupby("partition").indices.items():
            name, added = str(partition), rows["product"].iloc[places]
            there = self._partitions.get(name)
            index = there.index if there else faiss.IndexIDMap2(faiss.IndexFlatL2(self._dimension))
            index.add_with_ids(np.ascontiguousarray(vectors[places], np.float32), added.index.to_numpy(np.int64))
            self._partitions[name] = _Partition(index, pd.concat([there.products, added]) if there else added)
            self._unsaved.add(name)

    def _check_shape(self, vectors: NDArray[np.float32]) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self._dimension:
            raise ValueError(f"expected vectors of shape (N, {self._dimension}), got {vectors.shape}")
        if not np.isfinite(vectors).all():
            raise ValueError("expected vectors of finite numbers, got others")

    def _checked_rows(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], products: Sequence[str], partitions: Sequence[str]
    ) -> pd.DataFrame:
        """The rows of further vectors, by id."""
        self._check_shape(vectors)
        counts = len(vectors), ids.size, len(products), len(partitions)
        if ids.ndim != 1 or len(set(counts)) > 1:
            raise ValueError(
                "expected as many vectors as ids, products and partitions, got {}, {}, {} and {}".format(*counts)
            )
        if (ids < 0).any() or len(np.unique(ids)) < len(ids):
            raise ValueError("expected ids from 0, each once")
        return _rows(ids, products, list(partitions))


def _rows(ids: Any, products: Iterable[str], partitions: Sequence[str] | str) -> pd.DataFrame:
    """The product and the partition of each id; a partition stands for all of them."""
    index = pd.Index(ids, dtype=np.int64, name="id")
    columns = {"product": list(products), "partition": partitions}
    return pd.DataFrame(columns, index=index).astype("string")


def _read_rows(folder: Path) -> pd.DataFrame:
    path = folder / _ROWS if (folder / _ROWS).exists() else folder / _ROWS_0_1
    if not path.exists():
        return _rows([], [], [])
    try:
        table = pd.read_parquet(path).rename(columns=_COLUMNS_0_1)
        return _rows(table["id"], table["product"], list(table["partition"]))
    except (OSError, ValueError, KeyError) as error:  # ArrowInvalid is a ValueError
        raise StageFailed(f"{path} is damaged: {' '.join(str(error).split())}") from None


def _read_index(path: Path, dimension: int, ids: set[int]) -> Any:
    try:
        index: Any = faiss.read_index(str(path))
    except RuntimeError:  # its message names lines of FAISS's source
        raise StageFailed(f"{path} is missing or damaged") from None
    if index.d != dimension:
        raise ValueError(f"expected vectors of length {dimension} in {path}, got {index.d}")
    if set(faiss.vector_to_array(index.id_map).tolist()) != ids:
        raise StageFailed(f"{path} holds other vectors than the table beside it: one of them is damaged")
    return index


def _distinct(
    distances: NDArray[np.float32], ids: NDArray[np.int64], shown: NDArray[Any], products: int
) -> list[tuple[int, float]]:
    """The first vector of each product, of the nearest products; in order of distance and id."""
    nearest: dict[str, tuple[int, float]] = {}
    for place in np.lexsort((ids, distances)):
        nearest.setdefault(shown[place], (int(ids[place]), float(distances[place])))
        if len(nearest) == products:
            break
    return list(nearest.values())
