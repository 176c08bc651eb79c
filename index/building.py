"""Build the catalog: which pictures it holds, their vectors, and its files, put in place in one step."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import fullshot
from fullshot.core.clock import now
from fullshot.core.errors import MissingInput, StageFailed
from fullshot.core.files import write_text
from fullshot.core.pictures import read_geometry, read_or_none
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import Wear
from fullshot.core.workspace import Workspace
from fullshot.index.catalog import (
    FORMAT,
    FORMAT_AS_STORED,
    ITEM_COLUMNS,
    ITEMS,
    MANIFEST,
    damaged_file,
    digests_of,
    read_manifest,
)
from fullshot.index.embedding import embed_item_shots
from fullshot.index.stores import VECTOR_STORES
from fullshot.train import frames_digest, unreadable
from fullshot.train.embedder import Embedder, load, preferred_item_shots, product_wears

STAGE = "index build"


def build_catalog(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    """Embed the item shots of every product with the embedder in use, and put the catalog in place in one step.

    A product that has pictures of itself alone on plain ground is known by these, any other by all of its item shots
    (see :func:`fullshot.train.embedder.preferred_item_shots`). Pictures that cannot be read are named on stderr.

    Args:
        workspace: read: ``products``, ``images``, ``curated`` and the embedder. Written: ``catalog/``.
        settings: the embedder's device, and the vector store.

    Returns:
        ``items``, ``products``, pictures ``left_out`` for better ones of the same product and ``unreadable`` ones,
        ``wears`` (items of each), ``embedder``, and ``up_to_date``: whether the catalog was there already, made of the
        same pictures by the same embedder.

    Raises:
        MissingInput: there is no embedder, no table, or no item shot in it.
        UserError: there is no vector store of the settings' name.
        StageFailed: none of the item shots can be read.
    """
    tables = ("products", "images", "curated")
    VECTOR_STORES.get(settings.index.store)  # a wrong name is said before anything is loaded or written
    with workspace.stage(STAGE, settings, tables) as stats:
        items = _item_shots(workspace)
        embedder = load(workspace, device=settings.embedder.device)
        inputs = _inputs_digest(items, embedder, settings)
        present = read_manifest(workspace)
        if _is_up_to_date(workspace, present, inputs, items, settings):
            stats.update({**_counts(present), "up_to_date": True})
            return stats
        for leftover in workspace.root.glob(".catalog.*.part"):
            shutil.rmtree(leftover)
        unfinished = workspace / f".catalog.{os.getpid()}.part"
        unfinished.mkdir()
        manifest = _write(unfinished, workspace.root, items, embedder, settings, inputs)
        _put_in_place(unfinished, workspace.catalog)
        stats.update({**_counts(manifest), "up_to_date": False})
    return stats


def _item_shots(workspace: Workspace) -> pd.DataFrame:
    """Rows of :data:`ITEM_COLUMNS`: the pictures of products that curation keeps and that are no full shots."""
    curated = workspace.read("curated")
    curated = curated.loc[curated["keep"].fillna(True).astype(bool), ["image_id", "full_shot"]]
    images = workspace.read("images")[["image_id", "product_id", "path"]]
    items = images.merge(product_wears(workspace), on="product_id").merge(curated, on="image_id")
    items = items[~items["full_shot"].fillna(True).astype(bool)].fillna({"wear": str(Wear.OTHER)})
    if not len(items):
        raise MissingInput(
            f"expected item shots of products in {workspace.root}, got none: crawl products, then run "
            f"`fullshot curate {workspace.root}`"
        )
    items = items.sort_values(["wear", "product_id", "image_id"]).reset_index(drop=True)
    items["item"] = np.arange(len(items))
    return items[ITEM_COLUMNS]


def _inputs_digest(items: pd.DataFrame, embedder: Embedder, settings: Settings) -> str:
    # The digest of the settings' section says nothing here: the embedder's weights say it all.
    made_by = pd.DataFrame({"embedder": [embedder.digest]})
    everything = frozenset(type(settings.embedder).model_fields)
    return frames_digest({"items": items, "embedder": made_by}, settings.embedder, without=everything)


def _is_up_to_date(
    workspace: Workspace, manifest: dict[str, Any], inputs: str, items: pd.DataFrame, settings: Settings
) -> bool:
    """Whether the catalog that is there is the one that would be built."""
    if manifest.get("inputs") != inputs or manifest.get("store", "faiss") != settings.index.store:
        return False
    if manifest["format"] == FORMAT_AS_STORED and any(_is_turned(workspace / str(path)) for path in items["path"]):
        return False
    if _can_read_more(workspace, manifest["unreadable"], items["path"]):
        return False
    return damaged_file(workspace, manifest) is None


def _can_read_more(workspace: Workspace, left_out: int, paths: "pd.Series[str]") -> bool:
    """Whether pictures that a catalog had to leave out have been brought back since."""
    return left_out > 0 and int(paths.isin(unreadable(workspace.root, paths)).sum()) < left_out


def _is_turned(path: Path) -> bool:
    geometry = read_or_none(path, read_geometry)
    return geometry is not None and geometry.orientation != 1


def _counts(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: manifest[name] for name in ("items", "products", "left_out", "unreadable", "wears", "embedder")}


def _write(
    folder: Path, root: Path, items: pd.DataFrame, embedder: Embedder, settings: Settings, inputs: str
) -> dict[str, Any]:
    store = VECTOR_STORES.get(settings.index.store).from_settings(settings, folder, embedder.dimension)
    embedded = embed_item_shots(STAGE, root, items["path"].tolist(), embedder)
    if not embedded.readable.any():
        raise StageFailed(f"none of the {len(items)} item shots of {root} can be read")
    read = items[embedded.readable]
    use = preferred_item_shots(read["product_id"], embedded.alone)
    read = read[use]
    store.build(
        embedded.vectors[use], read["item"].to_numpy(np.int64), read["product_id"].tolist(), read["wear"].tolist()
    )
    store.save()
    store.close()
    read.to_parquet(folder / ITEMS, index=False)
    manifest = {
        "format": FORMAT,
        "version": fullshot.__version__,
        "built_at": now(),
        "embedder": embedder.digest,
        "dimension": embedder.dimension,
        "store": settings.index.store,
        "inputs": inputs,
        "items": len(read),
        "products": int(read["product_id"].nunique()),
        "left_out": int((~use).sum()),
        "unreadable": int((~embedded.readable).sum()),
        "wears": {str(wear): int(count) for wear, count in read["wear"].value_counts(sort=False).items()},
        **digests_of(folder),
    }
    write_text(folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    return manifest


def _put_in_place(new: Path, place: Path) -> None:
    if place.exists():
        old = place.with_name(f".catalog.{os.getpid()}.old.part")
        place.rename(old)
        new.rename(place)
        shutil.rmtree(old)
    else:
        new.rename(place)
