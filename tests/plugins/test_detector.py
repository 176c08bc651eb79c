"""A family of detectors from another package, with no file of fullshot touched."""

import importlib.util
import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fullshot.core.workspace import Workspace
from tests.plugins.conftest import Stats, run_suite

drawn_workspace: Callable[[Path], Workspace] = runpy.run_path(
    str(Path(__file__).parents[1] / "train" / "embedder" / "conftest.py")
)["drawn_workspace"]


@pytest.fixture(scope="module")
def trained(stats: Stats, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a detector of the family, a hardly trained embedder and a catalog."""
    root = drawn_workspace(tmp_path_factory.mktemp("acme") / "ws").root
    (root / "fullshot.toml").write_text("[embedder]\nepochs = 1\nimage_size = 32\ndimension = 8\n")
    assert stats("train", "detector", root, "--family", "mean-box")["trained"]
    stats("train", "embedder", root)
    stats("index", "build", root)
    return root


def test_it_is_trained_once_and_measured(trained: Path, stats: Stats) -> None:
    assert not stats("train", "detector", trained, "--family", "mean-box")["trained"]
    measured = stats("evaluate", "detector", trained)
    assert (measured["map50"], measured["boxes"]) == (1.0, 6)  # the garments of all drawn people are in one place
    (run,) = (trained / "models" / "detector").glob("*/run.json")
    assert json.loads(run.read_text())["family"] == "mean-box"
    assert (run.parent / "mean-boxes.json").is_file()


def test_it_passes_the_suite_of_detectors(plugin: Path) -> None:
    assert "8 passed, 1 skipped" in run_suite(plugin, "test_detectors.py", "mean-box")  # it has no features


def test_the_queue_of_pictures_to_annotate_asks_it(trained: Path, stats: Stats) -> None:
    assert stats("annotate", "queue", trained)


def test_recommendations_ask_it(trained: Path, stats: Stats, tmp_path: Path) -> None:
    package = importlib.util.find_spec("ultralytics")
    assert package is not None
    photo = Path(str(package.origin)).parent / "assets" / "bus.jpg"
    answer = stats("recommend", trained, photo, "--output", tmp_path / "answer.png")
    assert answer["garments"]
    assert not [note for note in answer["notes"] if "no detector" in note]


@pytest.mark.parametrize("command", [("evaluate", "detector"), ("annotate", "queue")])
def test_without_its_package_it_cannot_be_opened(trained: Path, command: tuple[str, ...]) -> None:
    words = [sys.executable, "-m", "fullshot", *command, str(trained)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    there = "yolo, fcos, retinanet, faster-rcnn, ssdlite"
    assert done.stderr == f"fullshot: expected the detector family to be one of {there}, got 'mean-box'\n"
