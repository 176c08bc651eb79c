"""How good a detector is: mean average precision on pictures it has not learnt from."""

import json
import tempfile
from pathlib import Path
from typing import Any

from fullshot.core.errors import UserError
from fullshot.core.files import write_text
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.detector import data as sampling
from fullshot.train.detector.yolo import library as yolo

_DIGITS = 4


def evaluate(workspace: Workspace, settings: Settings, run: str | None = None, split: str = "test") -> dict[str, Any]:
    """Measure a trained detector on one split's boxes.

    Args:
        workspace: with ``boxes.csv``, ``images.csv``, ``curated.csv`` and a trained detector.
        settings: say the device.
        run: the run's name; None: the latest.
        split: ``train``, ``val`` or ``test``.

    Returns:
        ``run``, ``split``, ``pictures``, ``boxes``, ``map50`` and ``map50_95`` (means over the classes that the split
        has boxes of), and ``classes``: by label ``boxes``, ``map50``, ``map50_95``, ``precision``, ``recall`` (the
        last two at the score where F1 is best). The same is written to the run's ``evaluation-<split>.json``.

    Raises:
        MissingInput: a table or the detector is not there; says what to run first.
        UserError: no picture of the split has boxes.
    """
    inputs = [workspace.table(name) for name in ("boxes", "images", "curated")]
    with workspace.stage("evaluate detector", settings, inputs) as stats:
        chosen = runs.latest(workspace, "detector", run)
        samples = sampling.choose(workspace)
        samples = samples[samples["split"] == split]
        if samples.empty:
            raise UserError(f"no picture of the split {split} in {workspace.root} has boxes that someone drew")
        size = int(chosen.record["settings"]["detector"]["image_size"])
        with tempfile.TemporaryDirectory() as folder:
            data = sampling.export(workspace, samples, Path(folder) / "data")
            log = chosen.folder / "train.log"
            measured = measure(chosen.folder / "weights" / "best.pt", data, split, size, settings.detector.device, log)
        pictures = int(samples["image_id"].nunique())
        stats.update(run=chosen.name, split=split, pictures=pictures, boxes=len(samples), **measured)
        write_text(chosen.folder / f"evaluation-{split}.json", json.dumps(stats, indent=1) + "\n")
    return stats


def measure(weights: Path, data: Path, split: str, image_size: int, device: str, log: Path) -> dict[str, Any]:
    """Mean average precision of weights on a YOLO data set, as Ultralytics computes it (101 points, as COCO does).

    Args:
        weights: a ``.pt`` file.
        data: its ``data.yaml``.
        split: ``train``, ``val`` or ``test``.
        image_size: longer side in pixels.
        device: see :class:`fullshot.core.settings.DetectorSettings`.
        log: takes what Ultralytics says.

    Returns:
        ``map50``, ``map50_95`` and ``classes``: see :func:`evaluate`.
    """
    with yolo.log_to(log), tempfile.TemporaryDirectory() as folder:
        model = yolo.open_model(str(weights))
        result = model.val(
            data=str(data),
            split=split,
            imgsz=image_size,
            device=yolo.device(device),
            workers=0,
            plots=False,
            verbose=False,
            project=folder,
            name="val",
        )
    box = result.box
    classes = {
        str(GARMENTS[int(number)]): {
            "boxes": int(result.nt_per_class[int(number)]),
            "map50": round(float(box.ap50[row]), _DIGITS),
            "map50_95": round(float(box.ap[row]), _DIGITS),
            "precision": round(float(box.p[row]), _DIGITS),
            "recall": round(float(box.r[row]), _DIGITS),
        }
        for row, number in enumerate(box.ap_class_index)
    }
    return {"map50": round(float(box.map50), _DIGITS), "map50_95": round(float(box.map), _DIGITS), "classes": classes}
