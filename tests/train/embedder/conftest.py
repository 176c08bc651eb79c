"""A tiny shop, drawn: every product a colour and a pattern, item shots on white, and outfit images."""

import colorsys
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from fullshot.core import image_store, tables
from fullshot.core.blobs import LocalBlobs
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import embedder

WORN_AT = {"top": (34, 40, 62, 72), "bottom": (36, 72, 60, 116), "foot": (32, 116, 64, 126)}
"""Where the garments of an outfit image are: corners in pixels of a picture of 96×128."""

SPLITS = ("train", "train", "train", "val", "test")


def _cloth(number: int, size: tuple[int, int]) -> Image.Image:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(number * 0.381966 % 1, 0.75, 0.8))
    cloth = Image.new("RGB", size, (red, green, blue))
    draw = ImageDraw.Draw(cloth)
    other = (255 - red, 255 - green, 255 - blue)
    for start in range(0, max(size), 8 + number % 3 * 4):
        if number % 3 == 1:
            draw.rectangle((0, start, size[0], start + 2), fill=other)
        if number % 3 == 2:
            draw.rectangle((start, 0, start + 2, size[1]), fill=other)
    return cloth


def _jpeg(picture: Image.Image, seed: int) -> bytes:
    noise = np.random.default_rng(seed).normal(0, 3, (picture.height, picture.width, 3))
    noisy = np.clip(np.asarray(picture, float) + noise, 0, 255).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(noisy).save(content, "JPEG", quality=92)
    return content.getvalue()


def drawn_workspace(root: Path, outfits: int = 10) -> Workspace:
    """A workspace after `curate`: outfits of a top, a bottom and a pair of shoes each, split by outfit."""
    workspace = Workspace(root)
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("products", "images", "curated", "boxes", "dataset2")
    }

    def add(picture: Image.Image, seed: int, products: list[str], full_shot: bool, split: str) -> image_store.Stored:
        stored = image_store.put(LocalBlobs(root), _jpeg(picture, seed))
        facts = {"path": stored.path, "width": stored.width, "height": stored.height, "bytes": stored.bytes}
        rows["images"] += [
            {
                "image_id": stored.image_id,
                "product_id": product,
                "url": f"https://shop.example/{seed}.jpg",
                "fetched_at": "2025-01-02T03:04:05Z",
                **facts,
            }
            for product in products
        ]
        rows["curated"].append(
            {"image_id": stored.image_id, "full_shot": full_shot, "shot_reason": "drawn so", "split": split}
        )
        return stored

    for outfit in range(outfits):
        split = SPLITS[outfit % len(SPLITS)]
        outfit_image = Image.new("RGB", (96, 128), (225, 228, 232))
        ImageDraw.Draw(outfit_image).ellipse((40, 14, 56, 36), fill=(200, 150, 120))
        worn = []
        for place, (wear, corners) in enumerate(WORN_AT.items()):
            number = outfit * len(WORN_AT) + place
            product = f"drawn:{number}"
            width, height = corners[2] - corners[0], corners[3] - corners[1]
            outfit_image.paste(_cloth(number, (width, height)), corners[:2])
            worn.append((product, wear, corners))
            rows["products"].append(
                {
                    "product_id": product,
                    "url": f"https://shop.example/{number}",
                    "name": f"Drawn {wear} {number}",
                    "brand": "Drawn",
                    "gender": "women",
                    "wear": wear,
                    "price": 499 + number,
                    "currency": "INR",
                    "fetched_at": "2025-01-02T03:04:05Z",
                    "parser": "drawn@1",
                }
            )
            for view in range(2):
                shot = Image.new("RGB", (96, 128), "white")
                shot.paste(_cloth(number, (width, height)).resize((2 * width, 2 * height // (1 + view))), (14, 20))
                stored = add(shot, number * 10 + view, [product], False, split)
                rows["dataset2"].append({"image_path": stored.path, "label": number})
        stored = add(outfit_image, 100_000 + outfit, [product for product, *_ in worn], True, split)
        rows["boxes"] += [
            {
                "image_id": stored.image_id,
                "label": wear,
                **dict(zip(("x_min", "y_min", "x_max", "y_max"), corners, strict=True)),
                "source": "shop",
                "product_id": product,
                "revision": 1,
            }
            for product, wear, corners in worn
        ]
    for name, data in rows.items():
        workspace.write(name, tables.frame(name, data))
    labels = [{"label": number, "product_id": f"drawn:{number}"} for number in range(outfits * len(WORN_AT))]
    workspace.write("labels", tables.frame("labels", labels))
    return workspace


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    # Pictures of 32 pixels: threads that wait for each other cost more than they bring, most of all beside other tests.
    torch.set_num_threads(1)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return drawn_workspace(tmp_path / "ws")


@pytest.fixture(scope="session")
def settings() -> Settings:
    """As small as it goes: the shop tells its products apart by colour."""
    return load(embedder={"epochs": 4, "image_size": 32, "dimension": 16, "batch": 24, "device": "cpu"})


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Workspace:
    workspace = drawn_workspace(tmp_path_factory.mktemp("trained") / "ws")
    embedder.fit(workspace, settings)
    return workspace


@pytest.fixture
def trained(trained_once: Workspace, tmp_path: Path) -> Workspace:
    """A workspace with a trained embedder, to do with as one likes."""
    shutil.copytree(trained_once.root, tmp_path / "trained")
    return Workspace(tmp_path / "trained")
