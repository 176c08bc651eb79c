"""What the benchmarks of the detector share: photos whose boxes are known, trainings, and what these took."""

import argparse
import hashlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks import _common
from fullshot.core import tables
from fullshot.core.files import write_text
from fullshot.core.pictures import read_rgb
from fullshot.core.taxonomy import GARMENTS, Wear
from fullshot.core.workspace import Workspace
from fullshot.demo.shop.studio import draw, open_studio
from fullshot.train.detector import DetectionData, Detector
from fullshot.train.detector.data import WANTED, choose_boxes, read_data
from fullshot.train.detector.families import trainer_of
from fullshot.train.detector.metrics import average_precision
from fullshot.train.runs import latest_run

TEST, VAL = 20, 10
"""Percent of the photos that are measured on, and that an epoch is chosen by; the others are learnt from."""

_UNLABELLED = "unlabelled"
_TIMED, _AT_ONCE = 20, 16

Values = Mapping[str, str | int | float | bool]


def kept(file: Path, made_with: Mapping[str, Any], measure: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """What is measured, or was: a line of a file of JSON lines.

    Args:
        file: need not be there.
        made_with: what the figures depend on; part of the line.
        measure: gives the figures.
    """
    key = hashlib.sha256(json.dumps(made_with, sort_keys=True).encode()).hexdigest()[:16]
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    there: dict[str, dict[str, Any]] = {row["key"]: row for row in map(json.loads, lines)}
    if key not in there:
        there[key] = {"key": key, **made_with, **measure()}
        with file.open("a", encoding="utf-8") as rows:
            rows.write(json.dumps(there[key]) + "\n")
    return there[key]


@dataclass(frozen=True)
class Command:
    """A command of fullshot that ran.

    Attributes:
        stats: what it printed.
        processor_seconds: its own and those of the processes that it started.
        seconds: on the clock.
    """

    stats: dict[str, Any]
    processor_seconds: float
    seconds: float


def command(*words: str | Path, module: str = "fullshot") -> list[str]:
    """A command of fullshot, in this Python."""
    return [sys.executable, "-P", "-m", module, *map(str, words), "--json"]


def environment(settings: Values) -> dict[str, str]:
    """Settings of the detector as variables of the environment; one thread, so that processor time compares.

    Nothing is fetched: what is measured is not to depend on what a server gives today.
    """
    given = {f"FULLSHOT_DETECTOR_{name.upper()}": str(value) for name, value in settings.items()}
    fixed = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    fixed |= {"FULLSHOT_WEIGHTS_DOWNLOAD": "never", "PYTHONPATH": os.pathsep.join([str(_common.ROOT), *sys.path[1:]])}
    return {**fixed, **given}


def fullshot(folder: Path, *words: str | Path, settings: Values | None = None, module: str = "fullshot") -> Command:
    """Run a command of fullshot to its end.

    Args:
        folder: of what it says meanwhile.
        *words: of the command, without ``--json``.
        settings: of the detector.
        module: that the command runs.

    Raises:
        SystemExit: it failed.
    """
    done = _common.run(command(*words, module=module), folder, **environment(settings or {}))
    _common.must_succeed(done, " ".join(map(str, words)))
    stats = json.loads((folder / "stdout.txt").read_text("utf-8"))
    return Command(stats, done.processor_seconds, done.seconds)


def workspace_of(
    folder: Path, photos: Path, annotations: Path, *, most: int = 0, unlabelled: Path | None = None
) -> Workspace:
    """A workspace of photos with known boxes, each in a split by its own digest; made once.

    Args:
        folder: of the workspace and of what is said meanwhile.
        photos: the pictures.
        annotations: their boxes, a COCO file.
        most: how many photos are in a split; 0: all.
        unlabelled: further photos, full shots without boxes; None: there are none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(folder / "workspace")
    if workspace.table("curated").exists():
        return workspace
    fullshot(folder, "add", workspace.root, photos)
    fullshot(folder, "boxes", "import", workspace.root, annotations, "--images", photos)
    if unlabelled is not None:
        fullshot(folder, "add", workspace.root, unlabelled, "--shop", _UNLABELLED)
    images = workspace.read("images").drop_duplicates("image_id").sort_values("image_id")
    is_labelled = images["image_id"].isin(workspace.read("boxes")["image_id"])
    labelled = images.loc[is_labelled, "image_id"].tolist()
    chosen = {identity: _split_of(identity) for identity in labelled[: most or None]}
    chosen |= dict.fromkeys(images.loc[~is_labelled, "image_id"], "train")
    rows = [
        {"image_id": identity, "full_shot": True, "shot": "full", "keep": True, "split": split}
        for identity, split in sorted(chosen.items())
    ]
    workspace.write("curated", tables.frame("curated", rows))
    return workspace


def _split_of(image_id: str) -> str:
    place = int(image_id[:8], 16) % 100
    return "test" if place < TEST else "val" if place < TEST + VAL else "train"


def pictures_of(workspace: Workspace, split: str) -> list[Path]:
    """The labelled pictures of a split, in an order that stays."""
    curated, boxes = workspace.read("curated"), workspace.read("boxes")
    wanted = set(curated.loc[curated["split"] == split, "image_id"]) & set(boxes["image_id"])
    images = workspace.read("images").drop_duplicates("image_id").sort_values("image_id")
    return [workspace / path for path in images.loc[images["image_id"].isin(wanted), "path"]]


def train(folder: Path, workspace: Workspace, settings: Values, module: str = "fullshot") -> Command:
    """Train a detector with these settings; a training that was stopped goes on, and is told as if it had not been."""
    done = fullshot(folder, "train", "detector", workspace.root, settings=settings, module=module)
    epochs, before = done.stats["epochs"], done.stats["resumed_at"] or 0
    share = epochs / max(1, epochs - before)
    return Command(done.stats, done.processor_seconds * share, done.seconds * share)


def measure(folder: Path, workspace: Workspace, run: str) -> dict[str, Any]:
    """The average precision of a run on the test; see :func:`fullshot.train.detector.evaluate`."""
    return fullshot(folder, "evaluate", "detector", workspace.root, "--run", run).stats


def data_of(workspace: Workspace, split: str | None = None) -> DetectionData:
    """The pictures of a workspace with their boxes: those of a split, or all."""
    with workspace.open(WANTED) as tables:
        boxes = choose_boxes(tables, GARMENTS, split)
    return read_data(workspace, boxes, GARMENTS)[0]


def found(detector: Detector, data: DetectionData) -> dict[str, Any]:
    """The average precision of a detector on the test; see :func:`fullshot.train.detector.metrics.average_precision`.

    Args:
        detector: reports boxes from ``LEAST_SCORE`` on.
        data: the pictures and boxes.
    """
    pictures = data.splits["test"]
    boxes = []
    for first in range(0, len(pictures), _AT_ONCE):
        some = pictures[first : first + _AT_ONCE]
        boxes += detector.predict([read_rgb(picture.path, upright=True) for picture in some])
    sizes = [(picture.width, picture.height) for picture in pictures]
    return average_precision(data.labels, [picture.boxes for picture in pictures], boxes, sizes)


def weights_of(workspace: Workspace, name: str) -> Path:
    """The file that holds the weights of a run."""
    run = latest_run(workspace, "detector", name)
    return trainer_of(run, workspace.settings().detector).weights(run.folder)


def milliseconds(detector: Detector, pictures: Sequence[Path]) -> float:
    """Processor time until the boxes of one decoded picture are there: the median over pictures."""
    decoded = [read_rgb(path, upright=True) for path in pictures[:_TIMED]]
    detector.predict(decoded[:1])
    taken = []
    for picture in decoded:
        started = time.process_time()
        detector.predict([picture])
        taken.append(time.process_time() - started)
    return 1000 * statistics.median(taken)


def draw_shop(folder: Path, collections: int) -> tuple[Path, Path]:
    """The outfit images of the demo's drawn shop; returns their folder, and their boxes as a COCO file."""
    studio = open_studio(collections=collections)
    photos, file = folder / "photos", folder / "boxes.json"
    photos.mkdir(parents=True, exist_ok=True)
    numbers = {label: number for number, label in enumerate(GARMENTS, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for picture in studio.pictures:
        if picture.kind != "outfit":
            continue
        content, boxes = draw(studio, picture)
        (photos / picture.name).write_bytes(content)
        with Image.open(photos / picture.name) as drawn:
            width, height = drawn.size
        images.append({"id": len(images) + 1, "file_name": picture.name, "width": width, "height": height})
        for box in boxes:
            corners = [box.x_min, box.y_min, box.x_max - box.x_min, box.y_max - box.y_min]
            row = {"image_id": len(images), "category_id": numbers[Wear(box.wear)], "bbox": corners}
            annotations.append({"id": len(annotations) + 1, **row})
    categories = [{"id": number, "name": label} for label, number in numbers.items()]
    write_text(file, json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return photos, file


def parser(description: str | None, kept: str) -> argparse.ArgumentParser:
    """Of the flags that every benchmark on a user's photos takes.

    Args:
        description: of the benchmark.
        kept: what ``--output`` keeps, in words.
    """
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object, no table")
    made.add_argument("--photos", type=Path, required=True, help="folder of the pictures")
    made.add_argument("--annotations", type=Path, required=True, help="their boxes, a COCO file")
    made.add_argument("--output", type=Path, required=True, help=f"folder of {kept}; kept")
    return made
