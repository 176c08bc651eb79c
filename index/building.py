"""Build the catalog: which pictures it holds, their vectors, and its files, put in place in one step."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet

import fullshot
from fullshot.core.clock import now
from fullshot.core.dataset import Dataset
from fullshot.core.errors import StageFailed
from fullshot.core.files import digest, write_text
from fullshot.core.progress import say_unchanged, say_unreadable
from fullshot.core.settings import EmbedderSettings, Settings
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
from fullshot.index.items import WANTED, find_item_shots, item_parts, items_digest
from fullshot.index.stores import VECTOR_STORES
from fullshot.train import frames_digest, turned, unreadable
from fullshot.train.embedder import digest_in_use, kept_embeddings, load, preferred_item_shots, whole_pictures

STAGE = "index build"

_EVERY_SETTING = frozenset(EmbedderSettings.model_fields)
"""None of them says what the embedder's weights do not say."""


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
    VECTOR_STORES.get(settings.index.store)  # a wrong name is said before anything is loaded or written
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        present = read_manifest(workspace)
        made_of = {**workspace.digests(tuple(WANTED)), "taxonomy.toml": digest(workspace / "taxonomy.toml")}
        if _is_made_of(workspace, present, made_of, settings):
            stats.update(_unchanged(present))
            return stats
        with workspace.open(WANTED) as data:
            find_item_shots(data)
            inputs = _inputs_digest(data, digest_in_use(workspace))
            if _is_up_to_date(data, present, inputs, settings):
                manifest = {**present, "inputs": inputs, "tables": made_of}
                write_text(workspace.catalog / MANIFEST, json.dumps(manifest, indent=1) + "\n")
                stats.update(_unchanged(present))
                return stats
            for leftover in workspace.root.glob(".catalog.*.part"):
                shutil.rmtree(leftover)
            unfinished = workspace / f".catalog.{os.getpid()}.part"
            unfinished.mkdir()
            manifest = _write(unfinished, data, settings, {"inputs": inputs, "tables": made_of})
        _put_in_place(unfinished, workspace.catalog)
        stats.update({**_counts(manifest), "up_to_date": False})
    return stats


def _unchanged(manifest: dict[str, Any]) -> dict[str, Any]:
    """What is told of a catalog that stays as it is."""
    say_unchanged(STAGE, "the catalog was built", "it stays as it is")
    return {**_counts(manifest), "up_to_date": True}


def _is_made_of(workspace: Workspace, manifest: dict[str, Any], tables: dict[str, str], settings: Settings) -> bool:
    """Whether the catalog that is there was made of tables that have not changed; no row of them is read."""
    return (
        manifest.get("tables") == tables
        and manifest.get("store", "faiss") == settings.index.store
        and manifest["embedder"] == digest_in_use(workspace)
        and not manifest["unreadable"]  # these may have been brought back
        and damaged_file(workspace, manifest) is None
    )


def _inputs_digest(data: Dataset, embedder: str) -> str:
    return f"{items_digest(data)}-{embedder[:16]}"


def _is_up_to_date(data: Dataset, manifest: dict[str, Any], inputs: str, settings: Settings) -> bool:
    """Whether the catalog that is there is the one that would be built."""
    workspace = data.workspace
    if not manifest or manifest.get("store", "faiss") != settings.index.store:
        return False
    if "tables" not in manifest:
        inputs = _inputs_digest_of_0_1(data, digest_in_use(workspace))
    if manifest["inputs"] != inputs:
        return False
    if manifest["format"] == FORMAT_AS_STORED and turned(workspace.root, _paths(data)):
        return False
    if manifest["unreadable"]:  # some may have been brought back
        paths = _paths(data)
        broken = set(unreadable(workspace.root, paths))
        if sum(path in broken for path in paths) < manifest["unreadable"]:
            return False
    return damaged_file(workspace, manifest) is None


def _inputs_digest_of_0_1(data: Dataset, embedder: str) -> str:
    """The digest as version 0.1 made it, which read all rows into memory."""
    items = data.query(f"SELECT {', '.join(ITEM_COLUMNS)} FROM items ORDER BY item")
    made_by = pd.DataFrame({"embedder": [embedder]})
    return frames_digest({"items": items, "embedder": made_by}, EmbedderSettings(), without=_EVERY_SETTING)


def _paths(data: Dataset) -> list[str]:
    return [path for (path,) in data.rows("SELECT path FROM items")]


def _counts(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: manifest[name] for name in ("items", "products", "left_out", "unreadable", "wears", "embedder")}


def _write(folder: Path, data: Dataset, settings: Settings, made_of: dict[str, Any]) -> dict[str, Any]:
    """Write a catalog's files, part by part of its items; returns its manifest, which is written last."""
    root = data.workspace.root
    embedder = load(data.workspace, device=settings.embedder.device)
    store = VECTOR_STORES.get(settings.index.store).from_settings(settings, folder, embedder.dimension)
    unreadable_pictures: list[str] = []
    wears = Counter[str]()
    products = left_out = 0
    schema = pyarrow.schema([("item", pyarrow.int64()), *((name, pyarrow.string()) for name in ITEM_COLUMNS[1:])])
    # Under its own name it would be taken for the table of a vector store of version 0.1.
    unfinished = folder / f".{ITEMS}"
    with pyarrow.parquet.ParquetWriter(unfinished, schema) as writer:
        for part in item_parts(data):
            rows = kept_embeddings(root, whole_pictures(part), embedder, settings, STAGE)
            unreadable_pictures += rows.unreadable()["path"].to_pylist()
            readable = np.flatnonzero(rows.is_readable)
            if not len(readable):
                continue
            rows, read = rows.take(readable), part.take(pyarrow.array(readable))
            of_product = pd.Series(read["product_id"].combine_chunks().dictionary_encode().indices.to_numpy())
            use = preferred_item_shots(of_product, np.asarray(rows.array("is_packshot"), np.bool_))
            chosen = read.filter(pyarrow.array(use))
            if wears and chosen["wear"][-1].as_py() not in wears:
                store.save()  # lets the vectors of the wears before go; the last may have a tail in this part
            store.add(
                np.asarray(rows.array("vector"), np.float32)[use],
                chosen["item"].to_numpy(),
                chosen["product_id"].to_pylist(),
                chosen["wear"].to_pylist(),
            )
            writer.write_table(chosen.select(schema.names).cast(schema))
            wears.update(chosen["wear"].to_pylist())
            products += len(chosen["product_id"].unique())
            left_out += len(use) - int(use.sum())
    say_unreadable(STAGE, sorted(set(unreadable_pictures)))
    if not wears:
        raise StageFailed(f"none of the {len(unreadable_pictures)} item shots of {root} can be read")
    store.save()
    store.close()
    unfinished.replace(folder / ITEMS)
    manifest = {
        "format": FORMAT,
        "version": fullshot.__version__,
        "built_at": now(),
        "embedder": embedder.digest,
        "dimension": embedder.dimension,
        "store": settings.index.store,
        **made_of,
        "items": wears.total(),
        "products": products,
        "left_out": left_out,
        "unreadable": len(unreadable_pictures),
        "wears": dict(sorted(wears.items())),
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
