"""The searchable catalog: every item shot of the shop as a vector, and the table of what each vector shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.files import digest, read_json
from fullshot.core.interfaces import Embedder, VectorStore
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.index.stores import VECTOR_STORES

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


def damaged_file(workspace: Workspace, manifest: dict[str, Any]) -> Path | None:
    """The first file of a catalog that is not as it was written."""
    files = {workspace.catalog / name: expected for name, expected in manifest["files"].items()}
    return next((path for path, expected in files.items() if digest(path) != expected), None)


def read_items(workspace: Workspace) -> tuple[dict[str, Any], pd.DataFrame]:
    """What ``index.json`` says and the rows of ``items.parquet``, without the vectors; both empty without a catalog."""
    manifest = read_manifest(workspace)
    if not manifest or damaged_file(workspace, manifest):
        return {}, pd.DataFrame(columns=ITEM_COLUMNS)
    return manifest, pd.read_parquet(workspace.catalog / ITEMS)


class Catalog:
    """A catalog that is open for search.

    Args:
        items: rows of :data:`ITEM_COLUMNS`.
        store: the vectors, each under its ``item``, in partitions by wear.
        manifest: what ``index.json`` says.
    """

    def __init__(self, items: pd.DataFrame, store: VectorStore, manifest: dict[str, Any]) -> None:
        self.items, self.manifest = items.set_index("item", drop=False), manifest
        self._store = store

    @classmethod
    def load(cls, workspace: Workspace, settings: Settings, embedder: Embedder | None = None) -> "Catalog":
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
        again = f"run `fullshot index build {workspace.root}`"
        manifest = read_manifest(workspace)
        if not manifest:
            if (workspace.catalog / MANIFEST).is_file():
                raise UserError(
                    f"the catalog of {workspace.root} is damaged, or of another version of fullshot: {again}"
                )
            raise MissingInput(f"no catalog in {workspace.root}: {again} first")
        if embedder is not None and manifest["embedder"] != embedder.digest:
            raise UserError(
                f"the catalog of {workspace.root} was made by embedder {manifest['embedder'][:12]}, "
                f"the one in use is {embedder.digest[:12]}: {again}"
            )
        damaged = damaged_file(workspace, manifest)
        if damaged:
            raise StageFailed(f"{damaged} is missing or damaged: {again}")
        kind = VECTOR_STORES.get(manifest.get("store", "faiss"))
        store = kind.from_settings(settings, workspace.catalog, manifest["dimension"])
        return cls(pd.read_parquet(workspace.catalog / ITEMS), store, manifest)

    def __contains__(self, wear: str) -> bool:
        return wear in self._store.partitions()

    def search(self, vectors: NDArray[np.float32], wear: str, products: int = 5) -> list[list[Hit]]:
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
        return [
            [self._hit(item, distance) for item, distance in answer]
            for answer in self._store.search(vectors, wear, products)
        ]

    def _hit(self, item: int, distance: float) -> Hit:
        row = self.items.loc[item]
        return Hit(str(row["product_id"]), str(row["image_id"]), str(row["path"]), distance, score=1 / (1 + distance))

    def close(self) -> None:
        """Give back memory and connections."""
        self._store.close()
