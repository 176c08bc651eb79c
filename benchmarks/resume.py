"""A training that is killed (kill -9) at its half and gone on with, against one that was not: what each family finds.

The pictures are the outfit images of the demo's shop, drawn and few. Each family is trained twice with one seed, as a
command; the second time its process is killed in the middle of the epoch after the half, and `--resume` goes on. The
mean average precision of both on the test is compared, and their weights. Finished families lie in
`rows.jsonl` in the folder that `--output` names, and are not trained again.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from benchmarks import _common, _detecting
from benchmarks._common import Row
from benchmarks._detecting import Values
from fullshot.core.workspace import Workspace
from fullshot.train.detector.yolo import library
from fullshot.train.weights import IMAGENET, NONE

COLLECTIONS = 24
NOISE = 0.02
"""Of the mAP@0.5 of two trainings that differ by their seeds alone, on so few pictures."""

_EVERY: Values = {"image_size": 160, "batch": 4, "plots": False, "device": "cpu"}
_EPOCHS = {"yolo": 40, "ssdlite": 20, "fcos": 10, "retinanet": 10, "faster-rcnn": 10}
"""By family: enough to find something."""

_LINE = re.compile(r"train detector: (\d+) of (\d+) epochs")
_PATIENCE = 3600.0
_INTERVAL = 0.02


def kill_at_half(folder: Path, workspace: Workspace, settings: Values) -> str:
    """Start a training and kill it in the middle of the epoch after its half; returns the run's name.

    Raises:
        SystemExit: it ended before.
    """
    command = _detecting.command("train", "detector", workspace.root)
    log = folder / "killed.txt"
    environment = {**os.environ, **_detecting.environment(settings)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    try:
        said = _seconds_until_half(process, log)
        time.sleep(said / int(settings["epochs"]))  # half of the time that an epoch took
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    if code != -signal.SIGKILL:
        raise SystemExit(f"the training ended with code {code} before it was killed: see {log}")
    [run] = [place.name for place in workspace.models("detector").iterdir() if place.is_dir()]
    return run


def _seconds_until_half(process: "subprocess.Popen[bytes]", log: Path) -> float:
    """Wait for the half of the epochs; returns how long they took."""
    started = begun = time.monotonic()
    while process.poll() is None and time.monotonic() - started < _PATIENCE:
        lines = _LINE.findall(log.read_text("utf-8", "replace"))
        if lines and begun == started:
            begun = time.monotonic()
        if lines and 2 * int(lines[-1][0]) >= int(lines[-1][1]):
            break
        time.sleep(_INTERVAL)
    return time.monotonic() - begun


def measured(folder: Path, whole: Workspace, family: str, share: float) -> dict[str, Any]:
    """Train a family once to its end and once with a kill, each in a copy of a workspace."""
    weights = NONE if family == "yolo" else IMAGENET
    epochs = max(2, round(_EPOCHS[family] * share))
    settings = {**_EVERY, "family": family, "weights": weights, "epochs": epochs}
    found: dict[str, Any] = {"family": family, "epochs": epochs}
    trained: list[dict[str, Tensor]] = []
    for name in ("whole", "killed"):
        place = folder / f"{family}-{name}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        shutil.copytree(whole.root, place / "workspace", symlinks=True)
        workspace = Workspace(place / "workspace")
        if name == "killed":
            run = kill_at_half(place, workspace, settings)
            words = ("train", "detector", workspace.root, "--resume", run)
            stats = _detecting.fullshot(place, *words, settings=settings).stats
            found["resumed_at"] = stats["resumed_at"]
        else:
            stats = _detecting.train(place, workspace, settings).stats
        tested = _detecting.measure(place, workspace, stats["run"])
        found[name] = {"map50": tested["map50"], "map50_95": tested["map50_95"]}
        trained.append(_weights(_detecting.weights_of(workspace, stats["run"])))
        shutil.rmtree(place)
        _common.say(f"{family}, {name}: mAP@0.5 {tested['map50']:.4f}, mAP {tested['map50_95']:.4f}")
    pairs = zip(*(each.values() for each in trained), strict=True)
    found["apart"] = max(float((one.double() - other.double()).abs().max()) for one, other in pairs)
    return found


def _weights(file: Path) -> dict[str, Tensor]:
    """The weights of a detector, by name."""
    if file.suffix == ".safetensors":
        return load_file(file)
    return dict(library.open_model(str(file)).model.state_dict())


def _rows(found: dict[str, Any]) -> list[Row]:
    family, whole, killed = found["family"], found["whole"], found["killed"]
    gone_on = f"{family}: gone on after epoch {found['resumed_at']} of {found['epochs']}, mAP@0.5"
    apart = killed["map50"] - whole["map50"]
    return [
        Row(gone_on, killed["map50"], whole["map50"], None, f"± {NOISE}", abs(apart) <= NOISE),
        Row(f"{family}: mAP", killed["map50_95"], whole["map50_95"]),
        Row(f"{family}: greatest difference of a weight", found["apart"] or "0, bit for bit"),
    ]


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object, no table")
    parser.add_argument("--output", type=Path, required=True, help="folder of rows and pictures; kept")
    parser.add_argument("--collections", type=int, default=COLLECTIONS, help=f"of the shop; default: {COLLECTIONS}")
    parser.add_argument("--epochs", type=float, default=1.0, help="so many times the epochs; default: 1")
    parser.add_argument("--families", nargs="+", choices=list(_EPOCHS), default=list(_EPOCHS), help="default: all")
    given = parser.parse_args(arguments)
    given.output.mkdir(parents=True, exist_ok=True)
    photos, boxes = _detecting.draw_shop(given.output / "shop", given.collections)
    workspace = _detecting.workspace_of(given.output, photos, boxes)
    rows: list[Row] = []
    for family in given.families:
        sizes = {"family": family, "collections": given.collections, "share": given.epochs}
        measure = partial(measured, given.output, workspace, family, given.epochs)
        rows += _rows(_detecting.kept(given.output / "rows.jsonl", sizes, measure))
    pictures = {split: len(_detecting.pictures_of(workspace, split)) for split in ("train", "val", "test")}
    title = f"Killed at the half and gone on: {json.dumps(pictures)[1:-1]} drawn pictures"
    _common.show(title, rows, as_json=given.as_json, peer="not killed")


if __name__ == "__main__":
    main()
