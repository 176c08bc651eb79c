"""Self-training: a teacher's sure boxes on full shots that nobody labelled."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fullshot.core import tables
from fullshot.core.boxes import Box, Picture
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import digest
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import detector
from fullshot.train.detector.mirrored import MirroringDetector
from fullshot.train.detector.sureness import sure_boxes
from tests.killing import killed

Trained = tuple[Workspace, Settings, dict[str, Any]]

FLAGS = {
    "family": "yolo",
    "epochs": 2,
    "image_size": 64,
    "batch": 4,
    "device": "cpu",
    "plots": False,
    "self_training": True,
}
SURE = 0.2
"""What a detector of twenty epochs is sure of, of drawn people."""


def taught(**more: Any) -> Settings:
    return load(detector={**FLAGS, "teacher_score": SURE, **more})


def of_split(workspace: Workspace, split: str) -> list[str]:
    curated = workspace.read("curated")
    return [str(name) for name in curated.loc[curated["split"] == split, "image_id"]]


@pytest.fixture
def workspace(trained: Trained, tmp_path: Path) -> Workspace:
    """A workspace with a detector, and without the boxes of some pictures of each split."""
    shutil.copytree(trained[0].root, tmp_path / "ws", symlinks=True)
    workspace = Workspace(tmp_path / "ws")
    boxes = workspace.read("boxes")
    bare = [*of_split(workspace, "train")[:6], of_split(workspace, "val")[0], of_split(workspace, "test")[0]]
    workspace.write("boxes", boxes[~boxes["image_id"].isin(bare)])
    # What a model guessed is no label; a picture that is no full shot is not asked for.
    guess = boxes[boxes["image_id"] == bare[1]].assign(source="model", score=0.9)
    workspace.write("boxes", pd.concat([workspace.read("boxes"), guess]))
    curated = workspace.read("curated")
    curated.loc[curated["image_id"] == bare[0], "full_shot"] = False
    workspace.write("curated", curated)
    return workspace


def run_folder(workspace: Workspace, stats: dict[str, Any]) -> Path:
    return workspace.models("detector") / str(stats["run"])


def test_sure_boxes_join_the_split_train_and_nothing_else(
    workspace: Workspace, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digest(workspace / "boxes.csv")
    stats = detector.fit(workspace, taught())
    facts = stats["self_training"]
    assert (facts["teacher"], facts["teacher_digest"]) == (trained[2]["run"], trained[2]["weights"])
    assert (facts["unlabelled"], facts["least_score"]) == (5, SURE)
    assert facts["pictures"] + sum(facts["left_out"].values()) == 5
    assert 1 <= facts["pictures"] <= facts["boxes"] == sum(facts["by_label"].values())
    assert json.loads((run_folder(workspace, stats) / "run.json").read_text())["self_training"] == facts
    assert stats["pictures"] == {"train": 18, "val": 3, "test": 7}
    assert digest(workspace / "boxes.csv") == before
    said = capsys.readouterr().err
    assert (
        "train detector: 3 pictures without a box are left out (train 1, val 1, test 1), 2 of them full shots" in said
    )
    assert f"run {facts['teacher']} teaches: {facts['pictures']} of 5 unlabelled full shots join" in said

    kept = pd.read_parquet(run_folder(workspace, stats) / "teacher-boxes.parquet")
    assert len(kept) == facts["boxes"]
    assert set(kept["image_id"]) <= set(of_split(workspace, "train")[1:6])
    assert kept["score"].between(SURE, 1).all()
    detector.evaluate(workspace, taught(), split="val")
    card = (run_folder(workspace, stats) / "model-card.md").read_text()
    assert f"it learnt from {facts['boxes']} boxes of {facts['pictures']} unlabelled pictures" in card
    labels = run_folder(workspace, stats) / "data" / "labels"
    assert len(list((labels / "train").iterdir())) == 18 + facts["pictures"]
    assert len(list((labels / "val").iterdir())) == 3

    # Its teacher teaches again, though another detector is in use now.
    assert detector.fit(workspace, taught()) == {**stats, "trained": False}
    assert "nothing has changed since run" in capsys.readouterr().err
    # Of nothing is it as sure as this: what it is less sure of leaves pictures out.
    unsure = detector.fit(workspace, taught(teacher_score=1.0, epochs=1))["self_training"]
    assert (unsure["boxes"], unsure["left_out"]["unsure"]) == (0, 5)
    # Whoever looked at a picture, and found no garment on it, has labelled it.
    image_id = str(kept["image_id"].iloc[0])
    row = {"image_id": image_id, "revision": 1, "verdict": "boxes", "boxes": 0, "annotation": 1, "annotator": "ann"}
    workspace.write("annotations", tables.frame("annotations", [row]))
    assert detector.fit(workspace, taught(epochs=1))["self_training"]["unlabelled"] == 4


def test_a_run_that_was_killed_goes_on_with_the_same_boxes_whoever_could_teach_now(workspace: Workspace) -> None:
    killed(workspace, 1, {**FLAGS, "teacher_score": SURE})
    (folder,) = (
        file.parent
        for file in workspace.models("detector").glob("*/run.json")
        if not (file.parent / "metrics.json").exists()
    )
    first = json.loads((folder / "run.json").read_text())["self_training"]
    other = detector.fit(workspace, load(detector={**FLAGS, "self_training": False, "epochs": 1}))
    stats = detector.fit(workspace, load(), resume=folder.name)
    assert (stats["run"], stats["resumed_at"], stats["self_training"]) == (folder.name, 1, first)
    more = detector.fit(workspace, load(), resume=folder.name, epochs=3)
    assert more["self_training"] == first
    # A teacher of one's own choice; and one that is there no more.
    chosen = detector.fit(workspace, taught(teacher=str(other["run"]), epochs=1))
    assert chosen["self_training"]["teacher"] == other["run"]
    with pytest.raises(UserError, match="no run 'nobody' of the detector"):
        detector.fit(workspace, taught(teacher="nobody"))
    weights = run_folder(workspace, {"run": first["teacher"]}) / "weights" / "best.pt"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(StageFailed, match=r"best\.pt is damaged or replaced"):
        detector.fit(workspace, taught(teacher=first["teacher"], epochs=5))


def test_without_pictures_to_measure_on_nobody_teaches(workspace: Workspace) -> None:
    boxes = workspace.read("boxes")
    workspace.write("boxes", boxes[~boxes["image_id"].isin(of_split(workspace, "val"))])
    command = [sys.executable, "-m", "fullshot", "train", "detector", str(workspace.root), "--self-training"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "expected pictures with boxes in the split val" in done.stderr


def test_the_starter_weights_teach_where_a_workspace_has_no_detector(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(workspace.models("detector"))
    stats = detector.fit(workspace, taught(epochs=1))
    assert stats["self_training"]["teacher"] == "starter"
    assert "the starter weights teach: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("found", "sure"),
    [
        pytest.param([("top", 0, 0.6)], [0], id="sure"),
        pytest.param([("top", 0, 0.6), ("foot", 50, 0.1)], [0], id="what hardly scores is not seen"),
        pytest.param([("top", 0, 0.6), ("foot", 50, 0.3)], None, id="a box that may be one leaves the picture out"),
        pytest.param([("top", 0, 0.6), ("top", 1, 0.3)], [0], id="at the place of a sure one it is that one"),
        pytest.param([("top", 0, 0.6), ("long", 1, 0.29)], [0], id="so it is with a rival of half its score or less"),
        pytest.param([("top", 0, 0.6), ("long", 1, 0.31)], None, id="a rival of more makes it doubtful"),
        pytest.param([("top", 0, 0.6), ("long", 50, 0.6)], [0, 1], id="elsewhere there is no rival"),
        pytest.param([("top", 0, 0.6), ("hat", 1, 0.6)], [0], id="labels that do not count rival nobody"),
        pytest.param([("top", 0, 0.1)], [], id="nothing"),
    ],
)
def test_which_boxes_are_sure(found: Sequence[tuple[str, float, float]], sure: Sequence[int] | None) -> None:
    boxes = [Box(label, x, 0, x + 10, 10, score) for label, x, score in found]
    expected = None if sure is None else [boxes[place] for place in sure]
    assert sure_boxes(boxes, labels=("top", "bottom", "foot", "long"), least=0.45) == expected


class FindsRed:
    """Finds the red rectangle of a picture, with a score that depends on the side that it lies on."""

    labels, digest, image_size = ("top",), "abc", 64

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        found = []
        for picture in pictures:
            rows, columns = np.nonzero(picture[..., 0] > 200)
            left = float(columns.min())
            corners = (left, float(rows.min()), float(columns.max()) + 1, float(rows.max()) + 1)
            found.append([Box("top", *corners, 0.8)] if left < 20 else [Box("top", *corners, 0.4)])
            if left < 20:
                found[-1].append(Box("top", 30, 0, 39, 9, 0.5))
        return found


def test_a_detector_that_looks_twice_gives_the_means_of_both_looks() -> None:
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[4:12, 2:14] = 255
    looks = MirroringDetector(FindsRed())
    (boxes,) = looks.predict([picture])
    assert [box.corners for box in boxes] == [(2, 4, 14, 12), (30, 0, 39, 9)]
    assert [box.score for box in boxes] == pytest.approx([0.6, 0.25])  # the second by one look alone
    assert looks.digest.startswith("abc-")
