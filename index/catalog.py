"""The searchable catalog: every item shot of the shop as a vector, one exact index a wear."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pandas as pd
from numpy.typing import NDArray

import fullshot
from fullshot.core.clock import now
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.files import digest, write_text
from fullshot.core.pictures import NotAnImage, read_rgb
from fullshot.core.progress import Advance, bar
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import Wear
from fullshot.core.workspace import Workspace
from fullshot.train.embedder import Embedder, load
from fullshot.train.embedder.crops import preferred, square, stands_alone, trimmed
from fullshot.train.embedder.dataset import wears
from fullshot.train.runs import frames_digest

FORMAT = 1
"""Of the catalog's files; one of another format is built anew."""

CHUNK = 256
"""Pictures that are in memory at once."""

ITEM_COLUMNS = ["item", "image_id", "product_id", "wear", "path"]
"""Columns of ``items.parquet``; ``item`` is the number that the indexes give back."""

_MANIFEST, _ITEMS = "index.json", "items.parquet"


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


def build(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    """Embed the item shots of every product with the embedder in use, and put the catalog in place in one step.

    A product that has pictures of itself alone on plain ground is known by these, any other by all of its item shots
    (see :func:`fullshot.train.embedder.crops.preferred`).

    Args:
        workspace: read: ``products``, ``images``, ``curated`` and the embedder. Written: ``catalog/``.
        settings: the embedder's device.

    Returns:
        ``items``, ``products``, pictures ``left_out`` for better ones of the same product and ``unreadable`` ones,
        ``wears`` (items of each), ``embedder``, and ``up_to_date``: whether the catalog was there already, made of the
        same pictures by the same embedder.

    Raises:
        MissingInput: there is no embedder, no table, or no item shot in it.
    """
    tables = [workspace.table(name) for name in ("products", "images", "curated")]
    with workspace.stage("index build", settings, tables) as stats:
        items = _item_shots(workspace)
        embedder = load(workspace, device=settings.embedder.device)
        inputs = _inputs(items, embedder, settings)
        present = _manifest(workspace)
        if present.get("inputs") == inputs and present.get("format") == FORMAT and not _damaged(workspace, present):
            stats.update({**_counts(present), "up_to_date": True})
            return stats
        unfinished = workspace / f".catalog.{os.getpid()}.part"
        for leftover in workspace.root.glob(".catalog.*.part"):
            shutil.rmtree(leftover)
        unfinished.mkdir()
        manifest = _write(unfinished, workspace.root, items, embedder, inputs)
        _put_in_place(unfinished, workspace.catalog)
        stats.update({**_counts(manifest), "up_to_date": False})
    return stats


def _item_shots(workspace: Workspace) -> pd.DataFrame:
    curated = workspace.read("curated")
    curated = curated.loc[curated["keep"].fillna(True).astype(bool), ["image_id", "full_shot"]]
    images = workspace.read("images")[["image_id", "product_id", "path"]]
    items = images.merge(wears(workspace), on="product_id").merge(curated, on="image_id")
    items = items[~items["full_shot"].fillna(True).astype(bool)].fillna({"wear": str(Wear.OTHER)})
    if not len(items):
        raise MissingInput(
            f"expected item shots of products in {workspace.root}, got none: crawl products, then run "
            f"`fullshot curate {workspace.root}`"
        )
    items = items.sort_values(["wear", "product_id", "image_id"]).reset_index(drop=True)
    items["item"] = np.arange(len(items))
    return items[ITEM_COLUMNS]


def _inputs(items: pd.DataFrame, embedder: Embedder, settings: Settings) -> str:
    # The digest of the settings' section says nothing here: the embedder's weights say it all.
    made_by = pd.DataFrame({"embedder": [embedder.digest]})
    everything = frozenset(type(settings.embedder).model_fields)
    return frames_digest({"items": items, "embedder": made_by}, settings.embedder, without=everything)


def _manifest(workspace: Workspace) -> dict[str, Any]:
    try:
        manifest = json.loads((workspace.catalog / _MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _damaged(workspace: Workspace, manifest: dict[str, Any]) -> Path | None:
    """The first file of a catalog that is not as it was written."""
    files = {workspace.catalog / name: expected for name, expected in manifest["files"].items()}
    return next((path for path, expected in files.items() if digest(path) != expected), None)


def contents(workspace: Workspace) -> tuple[dict[str, Any], pd.DataFrame]:
    """What ``index.json`` says and the rows of ``items.parquet``, without the vectors; both empty without a catalog."""
    manifest = _manifest(workspace)
    if not manifest or _damaged(workspace, manifest):
        return {}, pd.DataFrame(columns=ITEM_COLUMNS)
    return manifest, pd.read_parquet(workspace.catalog / _ITEMS)


def _counts(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: manifest[name] for name in ("items", "products", "left_out", "unreadable", "wears", "embedder")}


def _write(folder: Path, root: Path, items: pd.DataFrame, embedder: Embedder, inputs: str) -> dict[str, Any]:
    with bar("index build", "pictures") as advance:
        parts = list(embedded(root, items, embedder, advance))
    vectors, readable, alone = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if not readable.any():
        raise StageFailed(f"none of the {len(items)} item shots of {root} can be read")
    use = preferred(items.loc[readable, "product_id"], alone)
    vectors, read = vectors[use], items[readable][use]
    for wear, rows in read.groupby("wear"):
        index = faiss.IndexIDMap2(faiss.IndexFlatL2(embedder.dimension))
        index.add_with_ids(vectors[np.searchsorted(read["item"], rows["item"])], rows["item"].to_numpy(np.int64))
        faiss.write_index(index, str(folder / f"{wear}.faiss"))
    read.to_parquet(folder / _ITEMS, index=False)
    manifest = {
        "format": FORMAT,
        "version": fullshot.__version__,
        "built_at": now(),
        "embedder": embedder.digest,
        "dimension": embedder.dimension,
        "inputs": inputs,
        "items": len(read),
        "products": int(read["product_id"].nunique()),
        "left_out": int((~use).sum()),
        "unreadable": int((~readable).sum()),
        "wears": {str(wear): int(count) for wear, count in read["wear"].value_counts(sort=False).items()},
        "files": {path.name: digest(path) for path in sorted(folder.iterdir())},
    }
    write_text(folder / _MANIFEST, json.dumps(manifest, indent=1) + "\n")
    return manifest


def embedded(
    root: Path, items: pd.DataFrame, embedder: Embedder, advance: Advance
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]]:
    """Chunk by chunk: which pictures can be read, and of these the vectors and which show their product alone."""
    for start in range(0, len(items), CHUNK):
        crops, readable, alone = [], [], []
        for path in items["path"].iloc[start : start + CHUNK]:
            try:
                picture = read_rgb(root / path)
            except (NotAnImage, OSError):
                readable.append(False)
                continue
            readable.append(True)
            alone.append(stands_alone(picture))
            # Squared at once: whole pictures of a chunk would be gigabytes.
            crops.append(square(trimmed(picture), embedder.image_size))
        yield embedder.embed(crops), np.array(readable, np.bool_), np.array(alone, np.bool_)
        advance(start + len(readable), len(items))


def _put_in_place(new: Path, place: Path) -> None:
    if place.exists():
        old = place.with_name(f".catalog.{os.getpid()}.old.part")
        place.rename(old)
        new.rename(place)
        shutil.rmtree(old)
    else:
        new.rename(place)


class Catalog:
    """A catalog in memory.

    Args:
        items: rows of :data:`ITEM_COLUMNS`.
        indexes: a wear's name and its index, which gives back item numbers.
        manifest: what ``index.json`` says.
    """

    def __init__(self, items: pd.DataFrame, indexes: dict[str, Any], manifest: dict[str, Any]) -> None:
        self.items, self.manifest = items.set_index("item", drop=False), manifest
        self._indexes = indexes
        pictures = items.groupby(["wear", "product_id"]).size()
        self._most_pictures = {str(wear): int(count) for wear, count in pictures.groupby(level="wear").max().items()}

    @classmethod
    def load(cls, workspace: Workspace, embedder: Embedder | None = None) -> "Catalog":
        """Read the catalog of a workspace.

        Args:
            workspace: where.
            embedder: the one that makes the queries; None: do not ask whether it made the catalog, too.

        Raises:
            MissingInput: there is no catalog; says what to run first.
            UserError: the catalog was made by another embedder.
            StageFailed: a file of it is missing or damaged.
        """
        manifest = _manifest(workspace)
        again = f"run `fullshot index build {workspace.root}`"
        if not manifest:
            raise MissingInput(f"no catalog in {workspace.root}: {again} first")
        if manifest.get("format") != FORMAT:
            raise UserError(f"the catalog of {workspace.root} is of another version of fullshot: {again}")
        if embedder is not None and manifest["embedder"] != embedder.digest:
            raise UserError(
                f"the catalog of {workspace.root} was made by embedder {manifest['embedder'][:12]}, "
                f"the one in use is {embedder.digest[:12]}: {again}"
            )
        damaged = _damaged(workspace, manifest)
        if damaged:
            raise StageFailed(f"{damaged} is missing or damaged: {again}")
        indexes = {wear: faiss.read_index(str(workspace.catalog / f"{wear}.faiss")) for wear in manifest["wears"]}
        return cls(pd.read_parquet(workspace.catalog / _ITEMS), indexes, manifest)

    def __contains__(self, wear: str) -> bool:
        return wear in self._indexes

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
        dimension = self.manifest["dimension"]
        if vectors.ndim != 2 or vectors.shape[1] != dimension:
            raise ValueError(f"expected vectors of shape (N, {dimension}), got {vectors.shape}")
        if wear not in self or not len(vectors) or products < 1:
            return [[] for _ in vectors]
        index = self._indexes[wear]
        # So many pictures hold at least that many products, even if each product had the most pictures.
        count = min(index.ntotal, (products - 1) * self._most_pictures[wear] + 1)
        distances, numbers = index.search(np.ascontiguousarray(vectors, np.float32), count)
        return [self._distinct(*row, products) for row in zip(distances, numbers, strict=True)]

    def _distinct(self, distances: NDArray[np.float32], numbers: NDArray[np.int64], products: int) -> list[Hit]:
        hits: dict[str, Hit] = {}
        for distance, number in zip(distances, numbers, strict=True):
            item = self.items.loc[number]
            if item["product_id"] not in hits:
                # A batch is computed as ‖q‖² − 2qx + ‖x‖², which rounding may bring below zero.
                squared = max(0.0, float(distance))
                names = (str(item["product_id"]), str(item["image_id"]), str(item["path"]))
                hits[item["product_id"]] = Hit(*names, squared, 1 / (1 + squared))
            if len(hits) == products:
                break
        return list(hits.values())
