"""The drawn shop of the embedder's tests, to which a photo's own garments can be added."""

import importlib.util
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.index import build_catalog
from fullshot.train import embedder

PERSON = (0, 370, 260, 930)
"""Where one of the people in Ultralytics' photo of a bus is, from head to foot: corners in pixels."""

_DRAWN = runpy.run_path(str(Path(__file__).parents[1] / "train" / "embedder" / "conftest.py"))
drawn_workspace: Callable[[Path], Workspace] = _DRAWN["drawn_workspace"]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def settings() -> Settings:
    flags = {"epochs": 3, "image_size": 32, "dimension": 16, "batch": 24, "device": "cpu"}
    # The boxes of the pose are known by hand, those of the starter weights are not.
    return load(embedder=flags, detector={"starter": False})


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real person, from head to foot."""
    path = tmp_path_factory.mktemp("photo") / "person.jpg"
    package = importlib.util.find_spec("ultralytics")
    assert package is not None
    with Image.open(Path(str(package.origin)).parent / "assets" / "bus.jpg") as bus:
        bus.crop(PERSON).save(path, quality=95)
    return path


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Workspace:
    workspace = drawn_workspace(tmp_path_factory.mktemp("built") / "ws")
    embedder.fit(workspace, settings)
    build_catalog(workspace, settings)
    return workspace


@pytest.fixture
def built(built_once: Workspace, tmp_path: Path) -> Workspace:
    """A workspace with an embedder and a catalog, to do with as one likes."""
    shutil.copytree(built_once.root, tmp_path / "ws")
    return Workspace(tmp_path / "ws")
