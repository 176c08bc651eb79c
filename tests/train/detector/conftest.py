"""A small workspace of drawn people whose boxes are known."""

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from fullshot.core import image_store, tables
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import detector

Corners = tuple[int, int, int, int]


def draw(seed: int) -> tuple[bytes, dict[str, Corners]]:
    """A picture of 96×128 pixels, and the corners of the top and the bottom that are drawn on it."""
    dice = random.Random(seed)
    picture = Image.new("RGB", (96, 128), (dice.randint(225, 255),) * 3)
    pen = ImageDraw.Draw(picture)
    left, top = dice.randint(20, 36), dice.randint(16, 28)
    corners = {"top": (left, top, left + 40, top + 40), "bottom": (left + 4, top + 40, left + 36, top + 90)}
    colours = {"top": (dice.randint(150, 220), 40, 40), "bottom": (40, 40, dice.randint(150, 220))}
    for label, (x_min, y_min, x_max, y_max) in corners.items():
        pen.rectangle((x_min, y_min, x_max - 1, y_max - 1), fill=colours[label])
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue(), corners


@pytest.fixture(scope="session")
def make_workspace(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Workspace]:
    """Build a workspace: ``splits`` says how many pictures each split has."""

    def make(*, boxes: bool = True, **splits: int) -> Workspace:
        workspace = Workspace(Path(tmp_path_factory.mktemp("ws")))
        images, curated, rows = [], [], []
        names = [split for split, count in splits.items() for _ in range(count)]
        for seed, split in enumerate(names):
            content, corners = draw(seed)
            stored = image_store.put(workspace.blobs, content)
            size = {"width": stored.width, "height": stored.height, "bytes": stored.bytes}
            images.append({"image_id": stored.image_id, "product_id": f"demo:{seed}", "path": stored.path, **size})
            curated.append({"image_id": stored.image_id, "full_shot": True, "split": split})
            for label, (x_min, y_min, x_max, y_max) in corners.items():
                box = {"x_min": x_min, "y_min": y_min, "x_max": x_max, "y_max": y_max}
                rows.append({"image_id": stored.image_id, "label": label, **box, "source": "shop"})
        workspace.write("images", tables.frame("images", images))
        workspace.write("curated", tables.frame("curated", curated))
        workspace.write("boxes", tables.frame("boxes", rows if boxes else []))
        return workspace

    return make


@pytest.fixture(scope="session")
def trained(make_workspace: Callable[..., Workspace]) -> tuple[Workspace, Settings, dict[str, Any]]:
    """A workspace with a detector, the settings that it was trained with, and what the training told."""
    workspace = make_workspace(train=24, val=4, test=8)
    flags = {
        "family": "yolo",
        "epochs": 20,
        "learning_rate": 0.004,
        "image_size": 64,
        "batch": 4,
        "device": "cpu",
        "plots": True,
    }
    settings = load(detector=flags)
    return workspace, settings, detector.fit(workspace, settings)
