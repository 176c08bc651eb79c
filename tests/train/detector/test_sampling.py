"""How often a picture comes in an epoch."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fullshot.core.boxes import Box
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import detector
from fullshot.train.detector import DetectionPicture
from fullshot.train.detector.sampling import pictures_an_epoch, repeats_of, rows_of_epoch
from fullshot.train.detector.torchvision.dataset import Batches

MakeWorkspace = Callable[..., Workspace]


def showing(*labels: str) -> DetectionPicture:
    return DetectionPicture("", Path(), 10, 10, tuple(Box(label, 0, 0, 9, 9) for label in labels))


# Nine of ten pictures show a top, one of ten a long: it comes sqrt(9) times as often.
PICTURES = [*[showing("top", "foot")] * 9, showing("long")]


def test_a_rare_label_comes_more_often_and_every_picture_comes() -> None:
    assert repeats_of(PICTURES, "balanced").tolist() == pytest.approx([1] * 9 + [3])
    assert repeats_of(PICTURES, "").tolist() == [1] * 10
    assert repeats_of([], "balanced").tolist() == []


def test_an_epoch_has_each_picture_as_often_as_it_comes_on_average() -> None:
    repeats = np.array([1, 1.25, 1.5, 2.25, 1])
    counts = np.zeros(5)
    for seed in range(400):
        rows = rows_of_epoch(repeats, np.random.default_rng(seed))
        assert len(rows) == pictures_an_epoch(repeats) == 7
        once = np.bincount(rows, minlength=5)
        assert (once >= 1).all()
        assert (once <= np.ceil(repeats)).all()
        counts += once
    assert (counts / 400).tolist() == pytest.approx(repeats.tolist(), abs=0.08)


def test_processes_share_each_batch_out_and_all_have_as_many() -> None:
    def batches(*share: int) -> list[list[tuple[int, int, int, int]]]:
        return [list(map(tuple, batch)) for batch in Batches(np.ones(9), 4, 128, 3, tuple(share) or (0, 1))]  # type: ignore[arg-type]

    whole, parts = batches(), [batches(0, 2), batches(1, 2)]
    assert [len(part) for part in parts] == [3, 3]
    for batch, *shares in zip(whole[:2], *(part[:2] for part in parts), strict=True):
        assert sorted(sample for share in shares for sample in share) == sorted(batch)
    # The last batch has one picture, and both processes something to compute.
    assert [[sample[0] for sample in part[2]] for part in parts] == [[whole[2][0][0]]] * 2


@pytest.mark.parametrize("family", ["yolo", "fcos"])
def test_a_detector_is_trained_on_balanced_pictures(make_workspace: MakeWorkspace, family: str) -> None:
    workspace = make_workspace(train=5, val=2)
    boxes, curated = workspace.read("boxes"), workspace.read("curated")
    rare = curated.loc[curated["split"] == "train", "image_id"].iloc[0]
    boxes.loc[boxes["image_id"] == rare, "label"] = "long"
    workspace.write("boxes", boxes)
    given = {"family": family, "weights": "none", "epochs": 1, "image_size": 64, "batch": 4, "device": "cpu"}
    stats = detector.fit(workspace, load(detector={**given, "plots": False, "sampling": "balanced"}))
    assert stats["pictures"]["train"] == 5
    folder = workspace.models("detector") / str(stats["run"])
    if family == "yolo":
        data = json.loads((folder / "data" / "data.yaml").read_text())
        listed = Counter(Path(line).stem for line in (folder / "data" / data["train"]).read_text().splitlines())
        assert listed == {**dict.fromkeys(listed, 1), rare: 2}
        assert len(listed) == 5
        assert "6 train" in (folder / "train.log").read_text()
    assert detector.fit(workspace, load(detector={**given, "plots": False}))["trained"]
