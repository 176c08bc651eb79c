"""A catalog whose vectors are known, of one picture a product, made without an embedder."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from fullshot.core import image_store, tables
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.index.catalog import FORMAT, ITEMS, MANIFEST, digests_of
from fullshot.index.stores.faiss import FaissStore
from tests.browser import chromium, opened

__all__ = ["chromium", "opened"]

DIMENSION = 8

TYPES = {"Shirts": "top", "Jeans": "bottom", "Boots": "foot"}
"""Product types, and their wear."""

COLOURS = {"Red": (200, 30, 30), "Blue": (30, 30, 200)}

Lay = Callable[..., Workspace]


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """Make a workspace; ``counts`` says how many products of each type it has."""

    def make(counts: dict[str, int] | None = None, **changes: dict[str, Any]) -> Workspace:
        workspace = Workspace(tmp_path / "ws")
        workspace.root.mkdir()
        products, items = [], []
        types = [
            kind for kind, count in (counts or {"Shirts": 8, "Jeans": 6, "Boots": 4}).items() for _ in range(count)
        ]
        vectors = np.zeros((len(types), DIMENSION), np.float32)
        for number, kind in enumerate(types):
            colour = list(COLOURS)[number % 2]
            file = io.BytesIO()
            picture = Image.new("RGB", (60, 80), "white")
            picture.paste((*COLOURS[colour][:2], (COLOURS[colour][2] + number) % 256), (15, 10, 45, 70))
            picture.putpixel((0, 0), (number % 256, number // 256, 0))  # so that each is a picture of its own
            picture.save(file, "PNG")
            stored = image_store.put(workspace.blobs, file.getvalue())
            product = f"shop:{number}"
            products.append(
                {
                    "product_id": product,
                    "url": f"https://shop.example/{number}",
                    "name": f"{colour} {kind} {number}",
                    "brand": "Alder" if number % 3 else "Birch",
                    "gender": "women" if number % 2 else "men",
                    "product_type": kind,
                    "wear": TYPES.get(kind, "top"),
                    "colour": colour,
                    "price": 100.0 + number,
                    "currency": "EUR",
                    **changes.get(product.replace(":", "_"), {}),
                }
            )
            items.append((number, stored.image_id, product, TYPES.get(kind, "top"), stored.path))
            dice = np.random.default_rng(number)
            place = list(TYPES).index(kind) if kind in TYPES else 0
            vectors[number] = np.eye(DIMENSION)[place] * 5 + dice.normal(0, 0.1, DIMENSION)
        workspace.write("products", tables.frame("products", products))
        write_catalog(workspace, items, vectors)
        return workspace

    return make


def write_catalog(workspace: Workspace, items: list[tuple[int, str, str, str, str]], vectors: Any) -> None:
    """The files that ``index build`` writes."""
    folder = workspace.catalog
    folder.mkdir()
    names = ("item", "image_id", "product_id", "wear", "path")
    columns = dict(zip(names, map(list, zip(*items, strict=True)), strict=True))
    store = FaissStore.from_settings(Settings(), folder, DIMENSION)
    store.build(vectors, np.array(columns["item"]), columns["product_id"], columns["wear"])
    store.save()
    # After the vectors: alone in the folder, it would be taken for the table of a store of version 0.1.
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / ITEMS)
    manifest = {
        "format": FORMAT,
        "built_at": "2026-01-02T03:04:05Z",
        "embedder": "abcdef0123456789",
        "dimension": DIMENSION,
        "store": "faiss",
        "items": len(items),
        **digests_of(folder),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))
