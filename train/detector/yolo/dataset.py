"""A data set on the disk as Ultralytics reads it."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fullshot.core.boxes import yolo_line
from fullshot.core.files import read_json, write_text
from fullshot.core.image_store import link_or_copy
from fullshot.core.pictures import read_rgb
from fullshot.train.detector.data import DetectionData, DetectionPicture
from fullshot.train.detector.sampling import repeats_of, rows_of_epoch

_AS_THEY_ARE = {".jpg", ".png", ".webp", ".bmp", ".avif"}
"""Kinds of pictures that Ultralytics reads; it silently passes over others."""


_YAML = "data.yaml"

_LIST = "train.txt"
"""The pictures to train on, where some come more often than others."""

_MADE_OF = "made-of.json"
"""Written last: the digest of each split that the folder holds."""


def write(data: DetectionData, folder: Path, *, sampling: str = "") -> Path:
    """Write a YOLO data set: links to the pictures, a label file each, and ``data.yaml``.

    Without pictures to validate on, those to train on stand in for them. A folder that holds the same is kept.

    Args:
        data: the pictures and boxes.
        folder: where it goes; what else is in it is deleted.
        sampling: see :func:`fullshot.train.detector.sampling.repeats_of`: pictures that come more often are listed so.

    Returns:
        The path of ``data.yaml``.
    """
    made_of = {split: _digest(data.labels, pictures, folder) for split, pictures in data.splits.items()}
    made_of |= {"sampling": sampling} if sampling else {}
    if read_json(folder / _MADE_OF) == made_of:
        return folder / _YAML
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
    if sampling and "train" in data.splits:
        content["train"] = _LIST
        write_text(
            folder / _LIST, "".join(f"{file}\n" for file in _as_often(data.splits["train"], folder / train, sampling))
        )
    # JSON is YAML: no library is needed to write it.
    yaml = folder / _YAML
    write_text(yaml, json.dumps({**content, "names": dict(enumerate(data.labels))}, indent=1))
    write_text(folder / _MADE_OF, json.dumps(made_of))
    return yaml


def _as_often(pictures: Sequence[DetectionPicture], place: Path, sampling: str) -> Iterator[Path]:
    """The files of the pictures to train on, each as often as it comes in an epoch: the same in each of them."""
    files = {file.stem: file for file in place.resolve().iterdir()}
    rows = rows_of_epoch(repeats_of(pictures, sampling), np.random.default_rng(0)).tolist()
    for picture, count in zip(pictures, np.bincount(rows, minlength=len(pictures)).tolist(), strict=True):
        yield from [files[picture.image_id]] * count


def _digest(labels: Sequence[str], pictures: Iterable[DetectionPicture], folder: Path) -> str:
    """Of all that a split is written from, its place among it: ``data.yaml`` names that."""
    state = hashlib.sha256(repr((str(folder.resolve()), labels)).encode())
    for picture in pictures:
        state.update(repr(picture).encode())
    return state.hexdigest()


def _place(picture: DetectionPicture, place: Path) -> None:
    """Put a picture into the data set, upright: as a link, or as a PNG where Ultralytics would not see the same.

    Args:
        picture: to be put there.
        place: where it goes, without a suffix.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    if picture.is_turned or picture.path.suffix not in _AS_THEY_ARE:
        Image.fromarray(read_rgb(picture.path, upright=True)).save(place.with_name(place.name + ".png"))
    else:
        link_or_copy(picture.path, place.with_name(place.name + picture.path.suffix), link=True)
