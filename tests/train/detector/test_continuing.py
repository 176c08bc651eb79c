"""Going on with a training that is named: to its end, and to more epochs than were asked for; of every family."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import detector
from tests.families import TRAINED
from tests.killing import killed

MakeWorkspace = Callable[..., Workspace]
EPOCHS = 2


def flags(family: str, **more: Any) -> dict[str, Any]:
    return {
        "family": family,
        "weights": "none",
        "epochs": EPOCHS,
        "image_size": 64,
        "batch": 4,
        "device": "cpu",
        "plots": False,
        **more,
    }


def small(family: str, **more: Any) -> Settings:
    return load(detector=flags(family, **more))


def record(workspace: Workspace, run: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((workspace.models("detector") / run / "run.json").read_text())
    return content


def rates(workspace: Workspace, stats: dict[str, Any]) -> list[float]:
    """Learning rates that the optimiser of a run's checkpoint ended with."""
    folder = workspace.models("detector") / str(stats["run"])
    if (folder / "last.ckpt").is_file():
        state = torch.load(folder / "last.ckpt", weights_only=True)["optimizer_states"][0]
    else:
        state = torch.load(folder / "checkpoint" / "last.pt", weights_only=False)["optimizer"]
    return [float(group["lr"]) for group in state["param_groups"]]


@pytest.mark.parametrize("family", TRAINED)
def test_a_finished_run_goes_on_to_more_epochs_in_a_new_one(
    make_workspace: MakeWorkspace, family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = make_workspace(train=4, val=2)
    first = detector.fit(workspace, small(family))
    name = str(first["run"])
    weights = {path: path.read_bytes() for path in (workspace.models("detector") / name).rglob("*.safetensors")}
    for epochs, words in ((None, "is finished with 2 epochs"), (2, "finished with 2 epochs: .*not 2"), (1, "not 1")):
        with pytest.raises(UserError, match=words):
            detector.fit(workspace, small(family), resume=name, epochs=epochs)
    killed(workspace, 3, flags(family), resume=name, epochs=4)
    assert json.loads((workspace.models("detector") / "latest.json").read_text()) == {"run": name}
    assert all(path.read_bytes() == content for path, content in weights.items())
    detector.load(workspace)
    more = detector.fit(workspace, small(family), resume=name, epochs=4)
    assert (more["resumed_at"], more["epochs"], more["trained"]) == (3, 4, True)
    assert record(workspace, str(more["run"]))["continues"] == name
    assert record(workspace, str(more["run"]))["settings"]["detector"]["epochs"] == 4
    assert len(list(workspace.models("detector").glob("*/run.json"))) == 2
    assert more["best_epoch"] >= 1
    capsys.readouterr()
    assert detector.fit(workspace, small(family), resume=name, epochs=4) == {**more, "trained": False}
    assert "nothing has changed since run" in capsys.readouterr().err
    # The newest alone keeps what going on needs.
    with pytest.raises(StageFailed, match=rf"run {name} cannot go on: its checkpoint is gone.*a start all the same: /"):
        detector.fit(workspace, small(family), resume=name, epochs=5)
    assert detector.fit(workspace, small(family), resume=str(more["run"]), epochs=5)["resumed_at"] == 4


@pytest.mark.parametrize("family", ["yolo", "fcos"])
def test_a_run_that_was_killed_after_its_last_epoch_goes_on_to_more(make_workspace: MakeWorkspace, family: str) -> None:
    workspace = make_workspace(train=4, val=2)
    killed(workspace, EPOCHS, flags(family))
    (folder,) = (file.parent for file in workspace.models("detector").glob("*/run.json"))
    stats = detector.fit(workspace, small(family), resume=folder.name, epochs=EPOCHS + 1)
    assert (stats["run"], stats["resumed_at"], stats["epochs"]) == (folder.name, EPOCHS, EPOCHS + 1)


@pytest.mark.parametrize("family", ["yolo", "fcos"])
def test_an_unfinished_run_goes_on_to_other_epochs_and_its_learning_rate_as_if_they_had_been_asked_for_at_first(
    make_workspace: MakeWorkspace, family: str
) -> None:
    workspace = make_workspace(train=4, val=2)
    killed(workspace, 2, flags(family, epochs=3))
    (folder,) = (file.parent for file in workspace.models("detector").glob("*/run.json"))
    copy = folder.with_name(f"{folder.name}-copy")
    shutil.copytree(folder, copy, symlinks=True)
    with pytest.raises(UserError, match=r"has done 2 epochs: expected as many or more by --epochs, got 1"):
        detector.fit(workspace, small(family), resume=folder.name, epochs=1)
    stats = detector.fit(workspace, small(family), resume=folder.name, epochs=5)
    assert (stats["run"], stats["resumed_at"], stats["epochs"]) == (folder.name, 2, 5)
    assert record(workspace, folder.name)["epochs_asked"] == [3, 5]
    again = make_workspace(train=4, val=2)
    whole = detector.fit(again, small(family, epochs=5))
    assert rates(workspace, stats) == pytest.approx(rates(again, whole))
    # So it is known as a training of five epochs.
    assert detector.fit(workspace, small(family, epochs=5)) == {**stats, "trained": False}
    # As many as are done already: it is finished as it is.
    ended = detector.fit(workspace, small(family), resume=copy.name, epochs=2)
    assert (ended["resumed_at"], ended["epochs"]) == (2, 2)


@pytest.mark.parametrize("family", ["yolo", "fcos"])
def test_a_run_that_ended_early_is_patient_anew(
    make_workspace: MakeWorkspace, trained: tuple[Workspace, Settings, dict[str, Any]], family: str
) -> None:
    # Ultralytics is patient without end with a model that finds nothing.
    known = trained[0].models("detector") / str(trained[2]["run"]) / "weights" / "best.pt"
    start = {"model": str(known), "weights": ""} if family == "yolo" else {}
    workspace = make_workspace(train=4, val=2)
    settings = small(family, **start, epochs=9, patience=2, learning_rate=1e-9)
    ended = detector.fit(workspace, settings)
    assert ended["epochs"] < 9
    on = detector.fit(workspace, settings, resume=str(ended["run"]), epochs=9)
    assert (on["resumed_at"], on["epochs"]) == (ended["epochs"], min(9, int(ended["epochs"]) + 2))
    assert on["best_epoch"] >= ended["best_epoch"] >= 1


def test_the_verb_takes_the_epochs_of_a_run_to_go_on_with(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=4, val=2)
    stats = detector.fit(workspace, small("fcos", epochs=1))
    command = [sys.executable, "-m", "fullshot", "train", "detector", str(workspace.root), "--resume"]
    environment = {**os.environ, "FULLSHOT_DETECTOR_EPOCHS": "7"}  # a setting of today, and no wish for this run
    done = subprocess.run([*command, str(stats["run"])], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert re.match(r"fullshot: run .* is finished with 1 epochs: to go on, name more of them by --epochs", done.stderr)
    more = [*command, str(stats["run"]), "--epochs", "2", "--json"]
    done = subprocess.run(more, capture_output=True, text=True, check=True, env=environment)
    assert json.loads(done.stdout)["epochs"] == 2
    assert Path(workspace.models("detector") / json.loads(done.stdout)["run"] / "last.ckpt").is_file()
