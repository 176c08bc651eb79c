"""A vector store in files: one exact FAISS index a partition, in this process's memory."""

import io
from collections.abc import Iterable, Sequence
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
        self._rows = _no_rows()
        self._indexes: dict[str, Any] = {}
        self._unsaved: set[str] = set()

    @classmethod
    def from_settings(cls, settings: Settings, folder: Path, dimension: int) -> Self:
        """See :meth:`VectorStore.from_settings`; there is nothing to set."""
        store = cls(folder, dimension)
        store._rows = _read_rows(folder)
        for partition, rows in store._rows.groupby("partition"):
            path = store._path(str(partition))
            store._indexes[str(partition)] = _read_index(path, dimension, set(rows.index))
        return store

    def build(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], products: Sequence[str], partitions: Sequence[str]
    ) -> None:
        """See :meth:`VectorStore.build`."""
        rows = self._checked_rows(vectors, ids, products, partitions)
        self._unsaved |= set(self._indexes)
        self._rows, self._indexes = _no_rows(), {}
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
        removed = self._rows[self._rows.index.isin(ids)]
        for partition, rows in removed.groupby("partition"):
            name = str(partition)
            self._indexes[name].remove_ids(rows.index.to_numpy(np.int64))
            if not self._indexes[name].ntotal:
                del self._indexes[name]
            self._unsaved.add(name)
        self._rows = self._rows.drop(removed.index)
        return len(removed)

    def search(
        self, vectors: NDArray[np.float32], partition: str, products: int, only: Iterable[int] | None = None
    ) -> list[list[tuple[int, float]]]:
        """See :meth:`VectorStore.search`."""
        self._check_shape(vectors)
        rows = self._rows[self._rows["partition"] == partition]
        if only is not None:
            rows = rows[rows.index.isin(list(only))]
        if not len(rows) or not len(vectors) or products < 1:
            return [[] for _ in vectors]
        parameters = None
        if only is not None:
            selector = faiss.IDSelectorBatch(rows.index.to_numpy(np.int64))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # its stubs lack it
        queries = np.ascontiguousarray(vectors, np.float32)
        # So many vectors show at least that many products, even if each product had the most vectors.
        count = (products - 1) * int(rows["product"].value_counts().iloc[0]) + 1
        while True:
            count = min(count, len(rows))
            distances, found = self._indexes[partition].search(queries, count, params=parameters)
            # A batch is computed as ‖q‖² − 2qx + ‖x‖², which rounding may bring below zero.
            distances = np.maximum(distances, 0)
            shown = rows["product"].loc[found.ravel()].to_numpy().reshape(found.shape)
            answers = [_distinct(*row, products) for row in zip(distances, found, shown, strict=True)]
            # A vector as far away as the last of an answer, but with a lower id, may lie behind those asked for.
            farthest = [answer[-1][1] for answer in answers]
            if count == len(rows) or (farthest < distances[:, -1]).all():
                return answers
            count *= 2

    def partitions(self) -> dict[str, int]:
        """See :meth:`VectorStore.partitions`."""
        return {name: int(self._indexes[name].ntotal) for name in sorted(self._indexes)}

    def save(self) -> None:
        """See :meth:`VectorStore.save`."""
        for name in sorted(self._unsaved):
            if name in self._indexes:
                write_bytes(self._path(name), faiss.serialize_index(self._indexes[name]).tobytes())
            else:
                self._path(name).unlink(missing_ok=True)
        content = io.BytesIO()
        self._rows.reset_index().to_parquet(content, index=False)
        write_bytes(self._folder / _ROWS, content.getvalue())
        self._unsaved = set()

    def close(self) -> None:
        """See :meth:`VectorStore.close`."""
        self._rows, self._indexes, self._unsaved = _no_rows(), {}, set()

    def _path(self, partition: str) -> Path:
        return self._folder / f"{quote(partition, safe='')}.faiss"

    def _append(self, vectors: NDArray[np.float32], rows: pd.DataFrame) -> None:
        for partition, places in rows.groupby("partition").indices.items():
            name = str(partition)
            if name not in self._indexes:
                self._indexes[name] = faiss.IndexIDMap2(faiss.IndexFlatL2(self._dimension))
            chosen = np.ascontiguousarray(vectors[places], np.float32)
            self._indexes[name].add_with_ids(chosen, rows.index.to_numpy(np.int64)[places])
            self._unsaved.add(name)
        self._rows = pd.concat([self._rows, rows])

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
        return _rows(ids, products, partitions)


def _rows(ids: Any, products: Any, partitions: Any) -> pd.DataFrame:
    index = pd.Index(ids, dtype=np.int64, name="id")
    return pd.DataFrame({"product": list(products), "partition": list(partitions)}, index=index, dtype="string")


def _no_rows() -> pd.DataFrame:
    return _rows([], [], [])


def _read_rows(folder: Path) -> pd.DataFrame:
    path = folder / _ROWS if (folder / _ROWS).exists() else folder / _ROWS_0_1
    if not path.exists():
        return _no_rows()
    try:
        table = pd.read_parquet(path).rename(columns=_COLUMNS_0_1)
        return _rows(table["id"], table["product"], table["partition"])
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
