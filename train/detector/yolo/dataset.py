"""A data set on the disk as Ultralytics reads it."""

import json
import shutil
from pathlib import Path

from PIL import Image

from fullshot.core.boxes import yolo_line
from fullshot.core.files import write_text
from fullshot.core.image_store import materialize
from fullshot.core.pictures import read_rgb
from fullshot.train.detector.data import DetectionData, DetectionPicture

_AS_THEY_ARE = {".jpg", ".png", ".webp", ".bmp", ".avif"}
"""Kinds of pictures that Ultralytics reads; it silently passes over others."""


def write(data: DetectionData, folder: Path) -> Path:
    """Write a YOLO data set: links to the pictures, a label file each, and ``data.yaml``.

    Without pictures to validate on, those to train on stand in for them.

    Args:
        data: the pictures and boxes.
        folder: made anew.

    Returns:
        The path of ``data.yaml``.
    """
    shutil.rmtree(folder, ignore_errors=True)
    number = {label: number for number, label in enumerate(data.labels)}
    for split, pictures in data.splits.items():
        for picture in pictures:
            _place(picture, folder / "images" / split / picture.image_id)
            label_file = folder / "labels" / split / f"{picture.image_id}.txt"
            label_file.parent.mkdir(parents=True, exist_ok=True)
            size = picture.width, picture.height
            lines = [yolo_line(number[box.label], box.corners, *size) + "\n" for box in picture.boxes]
            label_file.write_text("".join(lines), encoding="utf-8")
    places = {split: f"images/{split}" for split in data.splits}
    train = places.get("train", next(iter(places.values()), ""))
    content = {"path": str(folder.resolve()), "train": train, "val": places.get("val", train), **places}
    # JSON is YAML: no library is needed to write it.
    yaml = folder / "data.yaml"
    write_text(yaml, json.dumps({**content, "names": dict(enumerate(data.labels))}, indent=1))
    return yaml


def _place(picture: DetectionPicture, place: Path) -> None:
    """Put a picture into the data set, upright: as a link, or as a PNG where Ultralytics would not see the same.

    Args:
        picture: to be put there.
        place: where it goes, without a suffix.
    """
    if picture.is_turned or picture.path.suffix not in _AS_THEY_ARE:
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(read_rgb(picture.path, upright=True)).save(place.with_name(place.name + ".png"))
    else:
        materialize(picture.path, place, link=True)
