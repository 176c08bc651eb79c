"""The searchable catalog: every item shot of the shop as a vector, and the table of what each vector shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.files import digest, read_json, sample_digest
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.index.stores import VECTOR_STORES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from fullshot.core.interfaces import Embedder, VectorStore

FORMAT = 2
"""Of the catalog's files, and of how their vectors were made; one of an unknown format is built anew."""

FORMAT_AS_STORED = 1
"""As version 0.1 made it: pictures were embedded as they are stored, whatever their EXIF orientation says."""

ITEM_COLUMNS = ["item", "image_id", "product_id", "wear", "path"]
"""Columns of ``items.parquet``; ``item`` is the id of the vector."""

MANIFEST, ITEMS = "index.json", "items.parquet"


@dataclass(frozen=True)
class Hit:
    """A product that looks like the query.

    ``image_id`` and ``path`` are of its nearest picture; ``distance`` is the squared Euclidean distance of the
    embeddings; ``score = 1 / (1 + distance)`` is 1 for the same picture and falls towards 0.
    """

    product_id: str
    image_id: str
    path: str
    distance: float
    score: float


def read_manifest(workspace: Workspace) -> dict[str, Any]:
    """What ``index.json`` says; empty where there is no catalog, or one of an unknown format."""
    manifest = read_json(workspace.catalog / MANIFEST)
    return manifest if manifest.get("format") in (FORMAT, FORMAT_AS_STORED) else {}


def must_have_catalog(workspace: Workspace) -> dict[str, Any]:
    """What ``index.json`` says.

    Raises:
        MissingInput: there is no catalog; says what to run first.
        UserError: it is damaged, of another version, or in a vector store that there is not.
    """
    again = f"run `fullshot index build {workspace.root}`"
    manifest = read_manifest(workspace)
    if not manifest:
        if (workspace.catalog / MANIFEST).is_file():
            raise UserError(f"the catalog of {workspace.root} is damaged, or of another version of fullshot: {again}")
        raise MissingInput(f"no catalog in {workspace.root}: {again} first")
    VECTOR_STORES.check(manifest.get("store", "faiss"))
    return manifest


def digests_of(folder: Path) -> dict[str, dict[str, str]]:
    """What ``index.json`` says of a catalog's files: ``files``, the sha256 of each, and ``samples``, of parts of it."""
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        "files": {name: digest(path) for name, path in paths.items()},
        "samples": {name: sample_digest(path) for name, path in paths.items()},
    }


def damaged_file(workspace: Workspace, manifest: dict[str, Any], *, whole: bool = True) -> Path | None:
    """The first file of a catalog that is not as it was written.

    Args:
        workspace: where the catalog lies.
        manifest: what its ``index.json`` says.
        whole: whether every byte counts. Otherwise large files are compared by samples of them, see
            :func:`fullshot.core.files.sample_digest`; a catalog of version 0.1 has no such and is always read whole.
    """
    samples: dict[str, str] = {} if whole else manifest.get("samples", {})
    for name, expected in manifest["files"].items():
        path = workspace.catalog / str(name)
        good = sample_digest(path) == samples[name] if name in samples else digest(path) == expected
        if not good:
            return path
    return None


def find_items(workspace: Workspace, column: str, values: Iterable[int | str]) -> list[dict[str, Any]]:
    """The rows of ``items.parquet`` that have one of some values in a column; the others are not read.

    Raises:
        StageFailed: the file is missing or damaged.
    """
    import duckdb

    from fullshot.core.tables.cells import from_parquet
    from fullshot.core.tables.connection import connect

    path = workspace.catalog / ITEMS
    chosen = f"{column} IN (SELECT unnest($values))"
    query = f"SELECT {', '.join(ITEM_COLUMNS)} FROM {from_parquet(path)} WHERE {chosen} ORDER BY item"
    try:
        with connect() as connection:
            rows = connection.execute(query, {"values": list(values)}).fetchall()
    except (duckdb.Error, StageFailed):
        raise StageFailed(f"{path} is missing or damaged: run `fullshot index build {workspace.root}`") from None
    return [dict(zip(ITEM_COLUMNS, row, strict=True)) for row in rows]


class Catalog:
    """A catalog that is open for search.

    Args:
        workspace: where it lies.
        store: the vectors, each under its ``item``, in partitions by wear.
        manifest: what ``index.json`` says.
    """

    def __init__(self, workspace: Workspace, store: "VectorStore", manifest: dict[str, Any]) -> None:
        self.manifest = manifest
        self._workspace, self._store = workspace, store

    @cached_property
    def items(self) -> "pd.DataFrame":
        """All its rows, of :data:`ITEM_COLUMNS`, by ``item``; a search looks up those that it finds alone."""
        import pandas as pd

        return pd.read_parquet(self._workspace.catalog / ITEMS).set_index("item", drop=False)

    @classmethod
    def load(cls, workspace: Workspace, settings: Settings, embedder: "Embedder | None" = None) -> "Catalog":
        """Open the catalog of a workspace.

        Args:
            workspace: where it lies.
            settings: of the vector store.
            embedder: the one that makes the queries; None: do not ask whether it made the catalog, too.

        Raises:
            MissingInput: there is no catalog; says what to run first.
            UserError: the catalog was made by another embedder, or there is no vector store of the kind that holds it.
            StageFailed: a file of it is missing or damaged.
        """
        manifest = must_have_catalog(workspace)
        if embedder is not None:
            must_be_of(workspace, manifest, embedder.digest)
        damaged = damaged_file(workspace, manifest, whole=False)
        if damaged:
            raise StageFailed(f"{damaged} is missing or damaged: run `fullshot index build {workspace.root}`")
        kind = VECTOR_STORES.get(manifest.get("store", "faiss"))
        return cls(workspace, kind.from_settings(settings, workspace.catalog, manifest["dimension"]), manifest)

    def __contains__(self, wear: str) -> bool:
        return wear in self._store.partitions()

    def search(self, vectors: "NDArray[np.float32]", wear: str, products: int = 5) -> list[list[Hit]]:
        """The products nearest to each query, each once, with its nearest picture.

        Args:
            vectors: shape (N, d), float32, from the embedder that made the catalog.
            wear: what is sought, such as ``top``.
            products: how many distinct products at most.

        Returns:
            A list for each query, nearest first; empty where the catalog holds nothing of this wear.

        Raises:
            ValueError: the vectors have another shape.
        """
        answers = self._store.search(vectors, wear, products)
        found = {item for answer in answers for item, _ in answer}
        rows = {row["item"]: row for row in find_items(self._workspace, "item", found)} if found else {}
        if len(rows) < len(found):
            raise StageFailed(
                f"{self._workspace.catalog / ITEMS} has other items than the vectors beside it: "
                f"run `fullshot index build {self._workspace.root}`"
            )
        return [[_hit(rows[item], distance) for item, distance in answer] for answer in answers]

    def vectors(self, items: "NDArray[np.int64]") -> "NDArray[np.float32]":
        """The vectors of items.

        Args:
            items: shape (N,), int64.

        Returns:
            Shape (N, d), float32.

        Raises:
            UserError: the vector store answers searches alone.
            StageFailed: the catalog holds no such items.
        """
        from fullshot.core.interfaces import GivesVectors

        if not isinstance(self._store, GivesVectors):
            name = self.manifest.get("store", "faiss")
            raise UserError(f"the vector store {name} answers searches alone, and gives no vectors")
        try:
            return self._store.vectors(items)
        except KeyError:
            raise StageFailed(
                f"{self._workspace.catalog / ITEMS} has other items than the vectors beside it: "
                f"run `fullshot index build {self._workspace.root}`"
            ) from None

    def close(self) -> None:
        """Give back memory and connections."""
        self._store.close()


def must_be_of(workspace: Workspace, manifest: dict[str, Any], embedder: str) -> None:
    """Check that the embedder of a digest made the catalog.

    Raises:
        UserError: another one did.
    """
    if manifest["embedder"] != embedder:
        raise UserError(
            f"the catalog of {workspace.root} was made by embedder {manifest['embedder'][:12]}, "
            f"the one in use is {embedder[:12]}: run `fullshot index build {workspace.root}`"
        )


def _hit(row: dict[str, Any], distance: float) -> Hit:
    return Hit(row["product_id"], row["image_id"], row["path"], distance, score=1 / (1 + distance))
