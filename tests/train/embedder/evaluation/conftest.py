"""A drawn shop whose products have types and colours, to be asked for similar ones."""

import shutil
from pathlib import Path

import pytest

from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
from tests.browser import chromium, opened
from tests.train.embedder.conftest import drawn_workspace

__all__ = ["chromium", "opened"]

TYPES = {"top": ("Shirts", "Tops"), "bottom": ("Jeans", "Trousers"), "foot": ("Heels", "Flats")}

COLOURS = ("Red", "Blue", "Green")


@pytest.fixture(scope="session")
def typed_once(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = drawn_workspace(tmp_path_factory.mktemp("typed") / "ws", outfits=40)
    products = workspace.read("products")
    numbers = [int(name.removeprefix("drawn:")) for name in products["product_id"]]
    products["product_type"] = [
        TYPES[wear][number // 15 % 2] for wear, number in zip(products["wear"], numbers, strict=True)
    ]
    # As shops write them, more than one way; and some are not known.
    products["colour"] = [
        None if number % 8 == 0 else COLOURS[number % 3].upper() if number % 2 else f" {COLOURS[number % 3]}"
        for number in numbers
    ]
    products["gender"] = ["men" if number // 15 % 4 < 2 else "women" for number in numbers]
    workspace.write("products", products)
    # What baselines make of the pictures is kept; what was measured is not.
    embedder.compare(workspace, load(), ["random", "hsv", "hog"])
    shutil.rmtree(workspace.models("embedder"))
    return workspace


@pytest.fixture
def typed(typed_once: Workspace, tmp_path: Path) -> Workspace:
    """A workspace of 40 outfits; 8 of them, with 24 products and 48 item shots, are in the split test."""
    shutil.copytree(typed_once.root, tmp_path / "typed")
    return Workspace(tmp_path / "typed")
