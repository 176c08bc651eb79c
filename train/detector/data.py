"""Which boxes the detector learns from, and the YOLO data set that is made of them."""

import json
import shutil
from pathlib import Path

import pandas as pd

from fullshot.core.annotations import trusted_boxes
from fullshot.core.files import write_text
from fullshot.core.pictures import materialize
from fullshot.core.tables import SPLITS
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace

_CLASS = {str(label): number for number, label in enumerate(GARMENTS)}


def choose(workspace: Workspace) -> pd.DataFrame:
    """The boxes to learn from or to be measured on: those that count (see :func:`trusted_boxes`) of a split.

    Raises:
        MissingInput: a table is not there; says which verb makes it.
    """
    for name in ("boxes", "images", "curated"):
        if not workspace.table(name).is_file():
            workspace.read(name)  # says what to run
    rows = trusted_boxes(workspace)
    return rows[rows["split"].notna()].reset_index(drop=True)


def counts(samples: pd.DataFrame) -> dict[str, dict[str, int]]:
    """A split's numbers of pictures and of boxes, in all and by label."""
    result = {}
    for split in SPLITS:
        rows = samples[samples["split"] == split]
        labels = {label: int((rows["label"] == label).sum()) for label in _CLASS}
        result[split] = {"pictures": int(rows["image_id"].nunique()), "boxes": len(rows), **labels}
    return result


def export(workspace: Workspace, samples: pd.DataFrame, folder: Path) -> Path:
    """Write a YOLO data set: links to the pictures, a label file each, and ``data.yaml``.

    Without pictures to validate on, those to train on stand in for them. Boxes are in pixels of the picture as it is
    stored, but Ultralytics turns it as its EXIF orientation says: such a picture is copied without EXIF.

    Args:
        workspace: holds the pictures.
        samples: see :func:`choose`.
        folder: made anew.

    Returns:
        The path of ``data.yaml``.

    Raises:
        UserError: a picture's file is not there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for (split, image_id), rows in samples.groupby(["split", "image_id"], sort=True):
        picture = workspace / str(rows["path"].iloc[0])
        materialize(picture, folder / "images" / str(split) / str(image_id), link=True)
        label_file = folder / "labels" / str(split) / f"{image_id}.txt"
        label_file.parent.mkdir(parents=True, exist_ok=True)
        label_file.write_text(_lines(rows), encoding="utf-8")
    there = {split: f"images/{split}" for split in SPLITS if (samples["split"] == split).any()}
    train = there.get("train", next(iter(there.values()), ""))
    data = {"path": str(folder.resolve()), "train": train, "val": there.get("val", train), **there}
    # JSON is YAML: no library is needed to write it.
    yaml = folder / "data.yaml"
    write_text(yaml, json.dumps({**data, "names": {number: label for label, number in _CLASS.items()}}, indent=1))
    return yaml


def _lines(rows: pd.DataFrame) -> str:
    """Label lines of one picture: class, centre and size as shares of the picture."""
    lines = []
    for row in rows.itertuples():
        width, height = float(str(row.width)), float(str(row.height))
        x_min, y_min, x_max, y_max = (float(str(row[i])) for i in range(-4, 0))
        numbers = (
            (x_min + x_max) / 2 / width,
            (y_min + y_max) / 2 / height,
            (x_max - x_min) / width,
            (y_max - y_min) / height,
        )
        lines.append(" ".join([str(_CLASS[str(row.label)]), *(f"{number:.6f}" for number in numbers)]))
    return "\n".join(lines) + "\n"
