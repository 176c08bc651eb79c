"""Two processes train one detector, as torchrun starts them: on a CPU, by gloo."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import detector

MakeWorkspace = Callable[..., Workspace]

FLAGS = {"family": "fcos", "weights": "none", "epochs": 2, "image_size": 64, "batch": 4, "device": "cpu"}


def torchrun(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "fullshot"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([*command, *words], capture_output=True, text=True, check=False, env=environment, **more)


def options(flags: dict[str, Any]) -> list[str]:
    return [word for name, value in flags.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def files(workspace: Workspace, run: str) -> set[str]:
    folder = workspace.models("detector") / run
    # TensorBoard names its files by time and process.
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "tensorboard" not in path.parts
    }


def records(workspace: Workspace) -> list[Path]:
    return sorted((workspace / "runs").glob("train-detector-*.json"))


def trained_by_two(workspace: Workspace) -> "tuple[subprocess.CompletedProcess[str], dict[str, Any]]":
    """What two processes that train together end with, and what they print."""
    done = torchrun("train", "detector", str(workspace.root), *options(FLAGS), "--json")
    assert done.returncode == 0, done.stderr
    return done, json.loads(done.stdout)


@pytest.mark.slow
def test_two_processes_leave_what_one_leaves_and_the_first_alone_speaks(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=7, val=2)
    done, stats = trained_by_two(workspace)
    assert (stats["trained"], stats["epochs"], stats["pictures"]["train"]) == (True, 2, 7)
    said = [line for line in done.stderr.splitlines() if line.startswith(("train detector:", "fullshot:"))]
    assert len(said) == len(set(said)), said
    assert sum("fcos on tf_efficientnet_lite0 starts from scratch" in line for line in said) == 1
    (folder,) = (path for path in workspace.models("detector").iterdir() if path.is_dir())
    assert (folder.name, len(records(workspace))) == (stats["run"], 1)

    alone = make_workspace(train=7, val=2)
    one = detector.fit(alone, load(detector={**FLAGS, "plots": False}))
    assert files(workspace, stats["run"]) == files(alone, str(one["run"]))
    assert detector.load(workspace).labels == detector.load(alone).labels

    # Nothing to do: all of them end, and it is said once.
    again, found = trained_by_two(workspace)
    assert found == {**stats, "trained": False}
    assert again.stderr.count("nothing has changed since run") == 1

    # And so do they where one of them is at fault.
    wrong = torchrun("train", "detector", str(workspace.root), *options({**FLAGS, "model": "no_such_net"}))
    assert wrong.returncode != 0
    assert wrong.stderr.count("expected one that timm knows") == 1
    yolo = torchrun("train", "detector", str(workspace.root), *options({**FLAGS, "family": "yolo"}))
    assert yolo.stderr.count("yolo trains on one device here: run it without torchrun") == 1
    embedder = torchrun("train", "embedder", str(workspace.root))
    assert "an embedder is trained by one process" in embedder.stderr


@pytest.mark.slow
def test_a_run_of_two_processes_goes_on_in_one(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=6, val=2)
    _, stats = trained_by_two(workspace)
    more = detector.fit(workspace, load(detector={**FLAGS, "plots": False}), resume=stats["run"], epochs=3)
    assert (more["resumed_at"], more["epochs"]) == (2, 3)
