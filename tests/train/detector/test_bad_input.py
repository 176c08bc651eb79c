"""What can be wrong with data, disk or weights, of every family, by the verb: one line, and nothing half-written."""

import contextlib
import json
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from typer.testing import CliRunner, Result

from fullshot.cli import app
from fullshot.core import progress
from fullshot.core.settings import load
from fullshot.core.tables.schemas import is_there
from fullshot.core.workspace import Workspace
from fullshot.train import detector
from tests.families import FAMILIES, TRAINED
from tests.removing import remove_table

MakeWorkspace = Callable[..., Workspace]
TORCHVISION = [name for name in FAMILIES if name != "yolo"]


def train(workspace: Workspace, family: str, *words: str, epochs: int = 1) -> Result:
    given = ["--family", family, "--epochs", str(epochs), "--image-size", "64", "--batch", "4", "--device", "cpu"]
    weights = ["--weights", "none"] if "--weights" not in words and family != "yolo" else []
    return CliRunner().invoke(app, ["train", "detector", str(workspace.root), *given, *weights, *words])


def one_line(done: Result, code: int) -> str:
    """What was said of a failure: one line, after those about the data and the progress."""
    assert done.exit_code == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("train detector: ")]
    lines = [line for line in lines if " starts from " not in line]
    assert len(lines) == 1, done.stderr
    return lines[0]


def of_split(workspace: Workspace, split: str) -> list[str]:
    curated = workspace.read("curated")
    return [str(name) for name in curated.loc[curated["split"] == split, "image_id"]]


def runs(workspace: Workspace) -> list[Path]:
    return sorted(file.parent for file in workspace.models("detector").glob("*/run.json"))


@pytest.fixture
def at_epoch(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], None]:
    """Let something happen, once, when so many epochs are done, their checkpoint written."""

    def let(epoch: int, act: Callable[[], None]) -> None:
        happened = list[bool]()

        def advance(done: int, total: int, note: str = "") -> None:
            if done == epoch and not happened:
                happened.append(True)
                act()

        @contextlib.contextmanager
        def bar(what: str, unit: str = "") -> Iterator[Any]:
            yield advance

        monkeypatch.setattr(progress, "bar", bar)

    return let


@pytest.mark.parametrize("family", FAMILIES)
def test_no_box(make_workspace: MakeWorkspace, family: str) -> None:
    workspace = make_workspace(train=2, val=1, boxes=False)
    assert "no box to train on" in one_line(train(workspace, family), 2)
    remove_table(workspace, "boxes")
    assert "no boxes.csv in" in one_line(train(workspace, family), 2)
    assert not runs(workspace)


@pytest.mark.parametrize("family", TRAINED)
def test_one_class(make_workspace: MakeWorkspace, family: str) -> None:
    workspace = make_workspace(train=4, val=1)
    boxes = workspace.read("boxes")
    workspace.write("boxes", boxes[boxes["label"] == "bottom"])
    for words in ([], ["--labels", "bottom"]):
        done = train(workspace, family, *words)
        assert done.exit_code == 0, done.stderr
    assert detector.load(workspace).labels == ("bottom",)


@pytest.mark.parametrize("family", TRAINED)
def test_a_box_of_no_area_is_named_and_one_outside_of_its_picture_is_left_out(
    make_workspace: MakeWorkspace, family: str
) -> None:
    workspace = make_workspace(train=4, val=1)
    boxes = workspace.read("boxes")
    outside = boxes.iloc[:1].assign(x_min=96.0, x_max=120.0)
    workspace.write("boxes", pd.concat([boxes, outside]))
    done = train(workspace, family)
    assert done.exit_code == 0, done.stderr
    assert "train detector: 1 boxes that lie outside of their pictures are left out" in done.stderr
    table = workspace / "boxes.csv"
    lines = table.read_text().splitlines()
    cells = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    flat = ",".join({**cells, "x_max": cells["x_min"]}.values())
    table.write_text("\n".join([lines[0], flat, *lines[2:]]) + "\n")
    assert "boxes.csv: row 2" in (said := one_line(train(workspace, family), 2)), said
    assert len(runs(workspace)) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_a_class_that_the_test_alone_has(make_workspace: MakeWorkspace, family: str) -> None:
    workspace = make_workspace(train=3, val=1, test=2)
    boxes = workspace.read("boxes")
    boxes.loc[boxes["image_id"].isin(of_split(workspace, "test")) & (boxes["label"] == "top"), "label"] = "long"
    workspace.write("boxes", boxes)
    assert "in test alone (long 2)" in one_line(train(workspace, family), 2)
    assert not runs(workspace)


@pytest.mark.parametrize("family", TRAINED)
def test_a_picture_that_vanishes_between_two_epochs(
    make_workspace: MakeWorkspace,
    family: str,
    at_epoch: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = make_workspace(train=4, val=2)
    images = workspace.read("images").set_index("image_id")
    file = workspace / str(images.at[of_split(workspace, "train")[0], "path"])
    content = file.read_bytes()
    at_epoch(1, lambda: file.unlink(missing_ok=True))
    if family != "yolo":
        monkeypatch.setattr("fullshot.train.detector.torchvision.pixels._MOST_BYTES", 0)  # each epoch reads again
    done = train(workspace, family, epochs=2)
    if done.exit_code == 0:  # it was in memory
        assert family == "yolo"
        return
    said = one_line(done, 1)
    assert file.name in said
    assert "can no longer be read" in said
    (run,) = runs(workspace)
    file.write_bytes(content)
    assert json.loads(train(workspace, family, "--resume", run.name, "--json", epochs=2).stdout)["resumed_at"] == 1


@pytest.mark.parametrize("family", TRAINED)
def test_a_full_disk_while_a_checkpoint_is_written(
    make_workspace: MakeWorkspace, family: str, at_epoch: Callable[..., None]
) -> None:
    workspace = make_workspace(train=4, val=2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    at_epoch(1, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard)))
    try:
        done = train(workspace, family, epochs=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = one_line(done, 1)
    assert said.startswith("fullshot: the training broke off: ")
    (run,) = runs(workspace)
    assert f"--resume {run.name}" in said
    assert not [path for path in run.rglob("*") if path.name.endswith(".part")]
    assert not (run / "metrics.json").exists()
    again = train(workspace, family, "--resume", run.name, "--json", epochs=3)
    assert json.loads(again.stdout)["resumed_at"] == 1, again.stderr


@pytest.mark.parametrize("family", TORCHVISION)
def test_weights_of_another_family(make_workspace: MakeWorkspace, tmp_path: Path, family: str) -> None:
    workspace = make_workspace(train=2, val=1)
    if family != "fcos":
        said = one_line(train(workspace, family, "--weights", "starter"), 2)
        assert "another network than the one to be trained" in said
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pth")
    assert "other" in one_line(train(workspace, family, "--weights", str(tmp_path / "other.pth")), 2)
    assert not runs(workspace)
    assert not is_there(workspace.models("detector") / "latest.json")


def test_weights_of_another_family_for_yolo(make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    workspace = make_workspace(train=2, val=1)
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pt")
    assert "other.pt" in one_line(train(workspace, "yolo", "--model", str(tmp_path / "other.pt")), 2)
    starter = Path(detector.__file__).parent / "starter" / "garments.safetensors"
    assert "setting detector.model: expected" in one_line(train(workspace, "yolo", "--model", str(starter)), 2)
    assert not runs(workspace)


def test_the_last_good_detector_stays_in_use_whatever_goes_wrong(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=3, val=1)
    assert train(workspace, "fcos").exit_code == 0
    before = detector.load(workspace).digest
    boxes = workspace.read("boxes")
    workspace.write("boxes", boxes.iloc[2:])
    assert one_line(train(workspace, "retinanet", "--weights", "starter"), 2)
    assert detector.load(workspace, settings=load()).digest == before
