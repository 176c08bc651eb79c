"""Pictures of people, real and drawn, and small workspaces of them."""

import contextlib
import io
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from fullshot.core import image_store, tables
from fullshot.core.blobs import LocalBlobs
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.curation.pose.mediapipe import MediaPipePose
from fullshot.curation.pose.model_file import PoseModel, provide
from fullshot.demo.shop.studio import draw, open_studio

Row = tuple[str, str]  # product_id, name of a picture


@pytest.fixture(scope="session")
def pose_model() -> PoseModel:
    return provide(load())


@pytest.fixture(scope="session")
def pose(pose_model: PoseModel) -> Iterator[MediaPipePose]:
    with contextlib.closing(MediaPipePose(pose_model)) as estimator:
        yield estimator


@pytest.fixture(scope="session")
def photos() -> dict[str, bytes]:
    """``bus``: a street, ``person``: one on it, ``zidane``: heads and chests; the photos come with ultralytics.

    The rest is drawn: ``outfit`` (full length), ``half`` (the same, cut at the hips), ``front``, ``worn`` and
    ``item0`` to ``item3`` (items).
    """
    spec = find_spec("ultralytics")
    assert spec
    assert spec.origin
    assets = Path(spec.origin).parent / "assets"
    found = {name: (assets / f"{name}.jpg").read_bytes() for name in ("bus", "zidane")}
    studio = open_studio(seed=7, collections=1)
    # Shoes: a shirt as if somebody wore it is a person to the pose model now and then.
    wears = {"outfit": None, "front": "foot", "worn": None}
    for kind, wear in wears.items():
        pictures = (one for one in studio.pictures if one.kind == kind)
        chosen = next(one for one in pictures if wear in (None, studio.product(one.product_ids[0]).wear))
        found[kind] = draw(studio, chosen)[0]
    outfit = Image.open(io.BytesIO(found["outfit"]))
    found["half"] = _png(outfit.crop((0, 0, outfit.width, outfit.height // 2)))
    found["person"] = _png(Image.open(io.BytesIO(found["bus"])).crop((0, 340, 300, 960)))
    # Shoes again, of other collections.
    more = open_studio(seed=7, collections=4)
    fronts = [one for one in more.pictures if one.kind == "front"]
    items = [one for one in fronts if more.product(one.product_ids[0]).wear == "foot"]
    for number in range(4):
        found[f"item{number}"] = draw(more, items[-1 - number])[0]
    return found


def _png(picture: Image.Image) -> bytes:
    memory = io.BytesIO()
    picture.save(memory, "PNG")
    return memory.getvalue()


@pytest.fixture
def settings() -> Settings:
    return load(curate={"processes": 1})


@pytest.fixture
def make_workspace(tmp_path: Path, photos: dict[str, bytes]) -> Callable[[list[Row]], Workspace]:
    """A workspace of these (product, picture) rows; called again, it holds the new rows."""
    root = tmp_path / "ws"

    def make(rows: list[Row]) -> Workspace:
        workspace = Workspace(root)
        images, products = [], {}
        for position, (product, name) in enumerate(rows):
            there = image_store.put(LocalBlobs(root), photos[name])
            size = {"width": there.width, "height": there.height, "bytes": there.bytes}
            url = f"https://shop.example/{name}.jpg"
            where = {"image_id": there.image_id, "path": there.path, "url": url, "position": position}
            images.append({**where, **size, "product_id": product})
            gender, wear = ("women", "bottom") if product.endswith("w") else ("men", "top")
            words = {"gender": gender, "wear": wear, "product_type": "Jeans" if wear == "bottom" else "Shirts"}
            products[product] = {"product_id": product, "url": f"https://shop.example/{product}", **words}
        workspace.write("images", tables.frame("images", images))
        workspace.write("products", tables.frame("products", products.values()))
        return workspace

    return make
