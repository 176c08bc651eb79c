"""A real Label Studio, and small curated workspaces for it."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fullshot.annotate.label_studio import server
from fullshot.annotate.label_studio.client import Client
from fullshot.core import image_store, tables
from fullshot.core.blobs import LocalBlobs
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from tests.removing import remove_table

WIDTH, HEIGHT = 60, 90
Make = Callable[..., Workspace]


def picture(number: int, folder: Path, *, orientation: int = 1) -> bytes:
    """A picture that no other is like."""
    pixels = np.random.default_rng(number).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    path = folder / f"{number}.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif)
    return path.read_bytes()


def filled(root: Path, pictures: int, *, shot: str = "full", boxes: bool = False, orientation: int = 1) -> Workspace:
    """A curated workspace; with ``boxes``, the shop drew one on each picture."""
    root.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(root)
    images, products, curated, drawn = [], [], [], []
    for number in range(pictures):
        stored = image_store.put(LocalBlobs(root), picture(number, root, orientation=orientation))
        (root / f"{number}.png").unlink()
        product = f"s:{number}"
        place = {"position": 0, "url": f"https://shop.example/{number}.png", "path": stored.path, "bytes": stored.bytes}
        size = {"width": stored.width, "height": stored.height}
        images.append({"image_id": stored.image_id, "product_id": product, **place, **size})
        page = {"url": f"https://shop.example/{number}", "gender": "women", "product_type": "Jeans", "wear": "bottom"}
        products.append({"product_id": product, **page})
        verdict = {"full_shot": {"full": True, "unclear": None}.get(shot, False), "shot": shot, "keep": True}
        curated.append({"image_id": stored.image_id, **verdict, "split": "train"})
        corners = {"x_min": 6.0, "y_min": 9.0, "x_max": 30.0, "y_max": 45.0 + number % 9}
        drawn.append({"image_id": stored.image_id, "label": "bottom", **corners, "source": "shop"})
    for name, rows in (("images", images), ("products", products), ("curated", curated)):
        workspace.write(name, tables.frame(name, rows))
    if boxes:
        workspace.write("boxes", tables.frame("boxes", drawn))
    return workspace


@pytest.fixture(scope="session")
def studio_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace whose Label Studio runs: it serves these pictures."""
    root = tmp_path_factory.mktemp("studio") / "ws"
    filled(root, 12, boxes=True)
    return root


@pytest.fixture(scope="session")
def studio(studio_root: Path) -> Iterator[server.Server]:
    """A Label Studio as ``annotate serve`` starts it."""
    with server.served_label_studio(Workspace(studio_root), 0) as there:
        yield there


@pytest.fixture
def client(studio: server.Server) -> Iterator[Client]:
    with Client(studio.url, studio.credentials.token) as there:
        yield there


_numbers = count(1)


@pytest.fixture
def settings() -> Settings:
    """With a project of the test's own; its pictures are nowhere to be seen."""
    given = {"project": f"test {next(_numbers)}", "batch": 50, "pictures": "http://127.0.0.1:9/"}
    # What the starter weights see in drawn pictures is not known by hand.
    return load(annotate=given, detector={"starter": False})


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a workspace, see :func:`filled`."""
    numbers = count()

    def make(pictures: int, **how: object) -> Workspace:
        return filled(tmp_path / f"ws{next(numbers)}", pictures, **how)  # type: ignore[arg-type]

    return make


@pytest.fixture
def served_workspace(studio_root: Path, studio: server.Server) -> Iterator[Workspace]:
    """The workspace that the Label Studio belongs to; what a test writes into it is taken away."""
    workspace = Workspace(studio_root)
    yield workspace
    for name in ("annotations", "verdicts"):
        remove_table(workspace, name)
    shutil.rmtree(studio_root / "runs", ignore_errors=True)
