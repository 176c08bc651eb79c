"""How Ultralytics gets its pictures: each file is opened once, and what it learns is what it would learn by itself."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import detector, pictures
from fullshot.train.detector.yolo import library

MakeWorkspace = Callable[..., Workspace]

FLAGS = {"family": "yolo", "epochs": 2, "image_size": 64, "batch": 4, "device": "cpu", "plots": False}

# A child that trains and measures, and tells each picture's file that it opens: Python is told of each, whoever does.
COUNTED = """
import json, os, sys
from pathlib import Path
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import detector

workspace, opened = Workspace(sys.argv[1]), []
def listen(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)) and os.fsdecode(arguments[0]).endswith(".png"):
        opened.append(Path(os.fsdecode(arguments[0])).stem)
sys.addaudithook(listen)
chosen = load(detector=json.loads(sys.argv[2]))
detector.fit(workspace, chosen)
detector.evaluate(workspace, chosen)
print(json.dumps(opened))
"""


@pytest.mark.parametrize("splits", [{"train": 6, "val": 2, "test": 2}, {"train": 6, "test": 2}])
def test_a_training_opens_each_picture_once_and_what_measures_it_once_more(
    make_workspace: MakeWorkspace, splits: dict[str, int]
) -> None:
    workspace = make_workspace(**splits)
    images = workspace.read("images")
    pictures.geometries(workspace.root, images["path"])  # another stage has seen them
    command = [sys.executable, "-c", COUNTED, str(workspace.root), json.dumps(FLAGS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    split_of = dict(workspace.read("curated")[["image_id", "split"]].itertuples(index=False, name=None))
    measured_on = "val" if "val" in splits else "train"
    expected = {image_id: 2 if split_of[image_id] == measured_on else 1 for image_id in images["image_id"]}
    [page] = workspace.models("detector").glob("*/evaluation.html")
    # The page of the evaluation shows the pictures in which something is wrong: these are read once more, smaller.
    [kept] = (json.loads(file.read_text())["details"] for file in page.parent.glob("evaluation-test.json"))
    shown = {row["image_id"] for row in [*kept["worst"]["pictures"], *kept["doubted"]["boxes"]]}
    assert Counter(json.loads(done.stdout)) == {name: count + (name in shown) for name, count in expected.items()}


def learnt(workspace: Workspace) -> tuple[dict[str, Any], dict[str, torch.Tensor], str]:
    """What a training measured, its weights, and what Ultralytics said."""
    stats = detector.fit(workspace, load(detector=FLAGS))
    folder = workspace.models("detector") / str(stats["run"])
    weights = library.open_model(str(folder / "weights" / "best.pt")).model.state_dict()
    return stats["val"], weights, (folder / "train.log").read_text()


def assert_equal(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("splits", [{"train": 7, "val": 2}, {"train": 7}])
def test_a_training_learns_what_ultralytics_learns_that_reads_by_itself(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch, splits: dict[str, int]
) -> None:
    measured, weights, _ = learnt(make_workspace(**splits))
    from fullshot.train.detector.yolo import reading

    monkeypatch.setattr(reading, "trainer_of", lambda *arguments: None)
    measured_by_itself, weights_by_itself, said = learnt(make_workspace(**splits))
    assert "Fast image access" in said or "Slow image access" in said
    assert measured == measured_by_itself
    assert_equal(weights, weights_by_itself)


def test_pictures_that_memory_does_not_hold_are_read_in_each_epoch(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured, weights, _ = learnt(make_workspace(train=7, val=2))
    # No machine of tests can be filled: what the system says of it is put on.
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=0, total=0))
    measured_without, weights_without, said = learnt(make_workspace(train=7, val=2))
    assert "not caching images" in said
    assert measured == measured_without
    assert_equal(weights, weights_without)
