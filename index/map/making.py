"""Make the map of a catalog: choose its items, lay them out, and write the page."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow

import fullshot
from fullshot.core.errors import StageFailed
from fullshot.core.files import digest, write_text
from fullshot.core.progress import say, say_unchanged, say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.index.catalog import Catalog, must_have_catalog
from fullshot.index.in_use import TILES_VERSION
from fullshot.index.map import layout, page
from fullshot.index.map.choosing import SHOWN, WANTED, choose_items
from fullshot.index.map.request import FILE, MOST, must_be_drawable
from fullshot.index.map.tiles import kept_tiles, sheets

STAGE = "index map"


def draw_map(
    workspace: Workspace,
    settings: Settings,
    *,
    output: Path | None = None,
    most: int = MOST,
) -> dict[str, Any]:
    """Write a page that shows the items of the catalog, look-alikes side by side.

    Args:
        workspace: read: the catalog, ``products`` and the pictures.
        settings: name the engine.
        output: the file; None: :data:`FILE` in the workspace.
        most: items to show; of a larger catalog a sample, in which every product type has its share.

    Returns:
        ``items`` of the catalog, ``shown``, ``product_types`` among them, ``unreadable`` pictures that were left out,
        ``page`` and ``megabytes`` of it, and ``up_to_date``: whether it was there already, made of the same.

    Raises:
        MissingInput: there is no catalog.
        UserError: not so many items can be shown; the vector store gives no vectors.
        StageFailed: the catalog is damaged, or none of its pictures can be read.
    """
    must_be_drawable(workspace, output, most)
    output = workspace / FILE if output is None else output
    with workspace.stage(STAGE, settings, tuple(WANTED)) as stats:
        manifest = must_have_catalog(workspace)
        made_of = _made_of(workspace, manifest, most)
        told = page.stats_of(output, made_of)
        if told is not None and not told["unreadable"]:  # these may have been brought back
            say_unchanged(STAGE, f"{output} was written", "it stays as it is")
            stats.update({**told, **_written(output), "up_to_date": True})
            return stats
        stats.update(_drawn(workspace, settings, manifest, output, most, made_of))
    return stats


def _made_of(workspace: Workspace, manifest: dict[str, Any], most: int) -> str:
    """A digest of all that the page depends on."""
    files = sorted(path for path in (Path(__file__).parent).iterdir() if path.suffix in (".js", ".css", ".j2"))
    parts = {
        "version": [fullshot.__version__, TILES_VERSION, *map(digest, files)],
        "catalog": manifest["files"],
        "tables": workspace.digests(tuple(WANTED)),
        "most": most,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _drawn(
    workspace: Workspace,
    settings: Settings,
    manifest: dict[str, Any],
    output: Path,
    most: int,
    made_of: str,
) -> dict[str, Any]:
    with workspace.open(WANTED) as data:
        choose_items(data, most)
        table = data.arrow(f"SELECT * FROM {SHOWN} ORDER BY item")
    if len(table) < manifest["items"]:
        say(f"{STAGE}: {len(table):,} of {manifest['items']:,} items are shown, each product type by turns (--most)")
    tiles = kept_tiles(workspace.root, table.select(["image_id", "path"]), settings.engine.name)
    unreadable = sorted(set(tiles.unreadable()["path"].to_pylist()))
    say_unreadable(STAGE, unreadable)
    readable = np.flatnonzero(tiles.is_readable)
    if not len(readable):
        raise StageFailed(f"none of the {len(table)} pictures of the catalog in {workspace.root} can be read")
    tiles, table = tiles.take(readable), table.take(pyarrow.array(readable))
    catalog = Catalog.load(workspace, settings)
    try:
        vectors = catalog.vectors(table["item"].to_numpy())
    finally:
        catalog.close()
    say(f"{STAGE}: t-SNE lays out {len(table):,} items")
    places, cell = layout.spread(layout.lay_out(vectors))
    rows = table.to_pylist()
    stats = {
        "items": manifest["items"],
        "shown": len(rows),
        "product_types": len({row["product_type"] for row in rows}),
        "unreadable": len(unreadable),
    }
    about = {
        "in_catalog": manifest["items"],
        "embedder": manifest["embedder"][:12],
        "built_at": str(manifest.get("built_at", "")),
    }
    text = page.render(rows, places, cell, sheets(tiles), about, made_of, stats)
    write_text(output, text)
    return {**stats, **_written(output), "up_to_date": False}


def _written(output: Path) -> dict[str, Any]:
    return {"page": str(output), "megabytes": round(output.stat().st_size / 1_000_000, 1)}
