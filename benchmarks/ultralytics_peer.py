"""A YOLO trained by `fullshot train detector` and by Ultralytics' own command, on the same files: mAP and speed.

Both get the same architecture from scratch, the same pictures and labels, epochs, batch, size, seed and settings, and
one thread. The peer is `yolo detect train` on a data set as Ultralytics reads one, its files written by
`fullshot boxes export`'s own module; what it finds on the test is measured by the same code as what ours finds, on the
same network code. The drawing of pictures' changes differs by chance alone.

Speed is pictures learnt from a second of processor time, from the difference between a training of all epochs and one
of one epoch: what comes once, such as the start of Python, is in neither; validation after each epoch is in both. Rows
lie in `rows.jsonl` in the folder that `--output` names; what is there is not trained again.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import _common, _detecting
from benchmarks._common import Row, at_least
from benchmarks._detecting import kept
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train.detector import DetectionData
from fullshot.train.detector.evaluation import LEAST_SCORE
from fullshot.train.detector.network_detector import NetworkDetector
from fullshot.train.detector.yolo import dataset, library
from fullshot.train.detector.yolo.trainer import RECIPE
from fullshot.train.detector.yolo.weights import TorchNetwork

NEAR, LEAST = 0.02, 0.95
_LEARNING_RATE = 2e-3
_CALL = "from ultralytics.cfg import entrypoint; entrypoint()"


def _settings(given: argparse.Namespace, epochs: int, seed: int) -> dict[str, Any]:
    sizes = {"image_size": given.image_size, "batch": given.batch, "epochs": epochs, "seed": seed}
    same = {"learning_rate": _LEARNING_RATE, "plots": False, "device": "cpu"}
    return {"family": "yolo", "model": given.model, "weights": "none", **same, **sizes}


def ours(folder: Path, workspace: Workspace, settings: Mapping[str, Any]) -> tuple[Path, float]:
    """Train by fullshot; returns the best weights, and the seconds of processor time."""
    done = _detecting.train(folder, workspace, settings)
    if not done.stats["trained"]:
        raise SystemExit(f"{workspace.root} holds this training already: delete its models/ to have it timed")
    return _detecting.weights_of(workspace, done.stats["run"]), done.processor_seconds


def theirs(folder: Path, yaml: Path, settings: Mapping[str, Any]) -> tuple[Path, float]:
    """Train by Ultralytics' command; returns the best weights, and the seconds of processor time."""
    section = Settings().detector.model_copy(update=dict(settings))
    place = folder / "peer"
    shutil.rmtree(place, ignore_errors=True)
    arguments = {
        **RECIPE,
        "model": section.model,
        "data": yaml,
        "epochs": section.epochs,
        "imgsz": section.image_size,
        "batch": section.batch,
        "nbs": section.batch,
        "lr0": section.learning_rate,
        "seed": section.seed,
        "plots": False,
        "device": "cpu",
        "amp": False,
        "project": place,
        "name": "run",
    }
    words = [f"{name}={value}" for name, value in arguments.items()]
    command = [sys.executable, "-c", _CALL, "detect", "train", *words]
    offline = {"YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": os.environ["YOLO_CONFIG_DIR"]}
    done = _common.run(command, folder, **_detecting.environment({}), **offline)
    _common.must_succeed(done, "yolo detect train")
    return place / "run" / "weights" / "best.pt", done.processor_seconds


def measured(given: argparse.Namespace, workspace: Workspace, data: DetectionData, seed: int) -> dict[str, Any]:
    """Both, with one seed, for one epoch and for all."""
    folder = given.output
    yaml = dataset.write(data, folder / "peer-data")
    rows: dict[str, Any] = {}
    trainings = {"ours": partial(ours, folder, workspace), "peer": partial(theirs, folder, yaml)}
    for name, train in trainings.items():
        _, one = train(_settings(given, 1, seed))
        weights, every = train(_settings(given, given.epochs, seed))
        learnt = len(data.splits["train"]) * (given.epochs - 1)
        network = TorchNetwork(weights, image_size=given.image_size, confidence=LEAST_SCORE, device="cpu")
        figures = _detecting.found(NetworkDetector(network, digest="", image_size=given.image_size), data)
        rows[name] = {
            "pictures_a_second": learnt / (every - one),
            "seconds": every,
            "map50": figures["map50"],
            "map50_95": figures["map50_95"],
        }
        _common.say(f"seed {seed}, {name}: {json.dumps(rows[name])}")
    return rows


def _rows(found: Mapping[int, Mapping[str, Any]]) -> list[Row]:
    def mean(name: str, figure: str) -> float:
        return float(statistics.mean(by[name][figure] for by in found.values()))

    rows = []
    for seed, by in found.items():
        ours, peer = by["ours"], by["peer"]
        rows += [
            Row(f"mAP@0.5 on the test, seed {seed}", ours["map50"], peer["map50"]),
            Row(f"mAP, seed {seed}", ours["map50_95"], peer["map50_95"]),
        ]
    both = mean("ours", "map50"), mean("peer", "map50")
    is_near = abs(both[0] - both[1]) <= NEAR
    rows.append(Row("mAP@0.5, mean of the seeds", *both, None, f"± {NEAR}", is_near))
    speeds = mean("ours", "pictures_a_second"), mean("peer", "pictures_a_second")
    return [*rows, at_least("pictures a second of processor time", *speeds, LEAST)]


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _detecting.parser(__doc__, "rows, runs and workspaces")
    for name, value, words in (
        ("model", "yolo11n.yaml", "the architecture"),
        ("most", 0, "photos that are used; 0: all"),
        ("epochs", 20, "of a training"),
        ("image-size", 320, "longer side in pixels"),
        ("batch", 8, "pictures a step"),
        ("seeds", 2, "trainings of each"),
    ):
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"{words}; default: {value}")
    given = parser.parse_args(arguments)
    library.ultralytics()  # its settings, which the peer's command reads: nothing is sent, no font is fetched
    workspace = _detecting.workspace_of(given.output, given.photos, given.annotations, most=given.most)
    data = _detecting.data_of(workspace)
    rows = {}
    for seed in range(1, given.seeds + 1):
        made_with = {**_settings(given, given.epochs, seed), "most": given.most}
        made_with["pictures"] = {split: len(pictures) for split, pictures in data.splits.items()}
        rows[seed] = kept(given.output / "rows.jsonl", made_with, partial(measured, given, workspace, data, seed))
    title = f"{given.model} from scratch, {len(data.splits['train'])} photos, {given.epochs} epochs"
    _common.show(title, _rows(rows), as_json=given.as_json, peer="Ultralytics")


if __name__ == "__main__":
    main()
