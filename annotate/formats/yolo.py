"""YOLO: a text file a picture in ``labels/``, a line a box: class, centre x and y, width and height as shares.

Read and written here and not by supervision, which writes five decimals (off by more than 0.01 px from 1,400 px on),
needs every picture to be there, and whose errors name neither the file nor the line.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml  # type: ignore[import-untyped]

from fullshot.annotate.formats.annotated import BESIDE, SUFFIXES, UNSPLIT, Annotated, number, read_lines, short
from fullshot.annotate.formats.labels import Category
from fullshot.core.boxes import Corners, yolo_line
from fullshot.core.errors import UserError
from fullshot.core.tables import SPLITS

_BEYOND = 0.01
"""What a share may lie outside 0 to 1, as in Ultralytics' ``verify_image_label``: those who wrote it rounded."""

_LINE = "expected `class x y width height`"


class YoloFormat:
    """YOLO, as Ultralytics reads it."""

    beside: ClassVar = BESIDE
    one_box: ClassVar = False
    whole_pixels: ClassVar = False

    def load(self, path: Path) -> list[Annotated]:
        """Read a data set: its ``data.yaml``, a folder that holds one, or a folder of ``images/`` and ``labels/``.

        Without ``data.yaml`` the names come from a ``classes.txt``; without that, a class is named by its number.

        Returns:
            Pictures of all splits, named relative to the folder, those without boxes too; boxes in shares.

        Raises:
            UserError: a file is not what it should be; names file and line.
        """
        if path.is_dir():
            file = next(
                (path / name for name in ("data.yaml", "data.yml", "dataset.yaml") if (path / name).is_file()), None
            )
            if file is None and not (path / "labels").is_dir():
                raise UserError(f"expected a data.yaml, or images/ and labels/, in {path}")
        else:
            file = path
        folder = path if path.is_dir() else path.parent
        if file is None:
            names, places = _classes(folder), [folder / "images"]
        else:
            data = _yaml(file)
            names, places = _names(data.get("names"), file), list(_places(data, file))
        found: dict[str, Annotated] = {}
        for place in places:
            for name, label_file in _pictures(place):
                named = Path(os.path.relpath(name, folder)).as_posix()
                # train may stand in for val, so a folder may come twice.
                if named not in found:
                    boxes = () if label_file is None else tuple(_boxes(label_file, names))
                    found[named] = Annotated(named, None, None, boxes, in_shares=True)
        return list(found.values())

    def save(self, folder: Path, splits: Mapping[str, Iterable[Annotated]], categories: Sequence[Category]) -> None:
        """Write label files beside the pictures' folder ``images``, and ``data.yaml``.

        Args:
            folder: the data set's.
            splits: a split's pictures, of known size and named ``images/<split>/…``; boxes in pixels.
            categories: a class is one's place here.
        """
        classes = {category.name: number for number, category in enumerate(categories)}
        for pictures in splits.values():
            for picture in pictures:
                file = folder / _labels(Path(picture.file_name)).with_suffix(".txt")
                file.parent.mkdir(parents=True, exist_ok=True)
                width, height = float(picture.width or 0), float(picture.height or 0)
                lines = [yolo_line(classes[label], corners, width, height) + "\n" for label, corners in picture.boxes]
                file.write_text("".join(lines), encoding="utf-8")
        there = {split: f"images/{split}" for split in splits}
        train = there.get("train", next(iter(there.values())))
        # Ultralytics asks for both; `path` is left out, so that the folder may be moved.
        data = {"train": train, "val": there.get("val", train), **there}
        names = dict(enumerate(classes))
        (folder / "data.yaml").write_text(
            yaml.safe_dump({**data, "names": names}, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )

    def picture(self, split: str, image_id: str, number: int) -> str:
        """Where a picture lies in the data set's folder; without suffix."""
        return f"images/{split}/{image_id}"


def _yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_bytes())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{path}:{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise UserError(f"{path}: expected names, train and val, got {short(data)}")
    return data


def _names(names: Any, path: Path) -> dict[int, str]:
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names:
        raise UserError(f"{path}: names: expected a list, or numbers and names, got {short(names)}")
    try:
        return {int(key): str(name) for key, name in names.items()}
    except (TypeError, ValueError):
        raise UserError(f"{path}: names: expected numbers and names, got {short(names)}") from None


def _classes(folder: Path) -> dict[int, str]:
    """The lines of ``classes.txt``, as labelImg writes it; empty where there is none."""
    for file in (folder / "classes.txt", folder / "labels" / "classes.txt"):
        if file.is_file():
            return {number: line.strip() for number, line in enumerate(read_lines(file)) if line.strip()}
    return {}


def _places(data: Mapping[str, Any], path: Path) -> Iterator[Path]:
    """The folders or lists of pictures that a data.yaml names."""
    root = path.parent / str(data.get("path") or "")
    if not root.is_dir():  # the data set was moved
        root = path.parent
    told = False
    for split in (*SPLITS, UNSPLIT):
        entries = data.get(split) or []
        for entry in entries if isinstance(entries, list) else [entries]:
            if not isinstance(entry, str):
                raise UserError(f"{path}: {split}: expected a folder, got {short(entry)}")
            told = True
            place = root / entry
            # Roboflow writes ../train/images beside train/; Ultralytics reads it so as well.
            if not place.exists() and not _labels(place).exists() and entry.startswith("../"):
                place = root / entry.removeprefix("../")
            if not place.exists() and not _labels(place).exists():
                raise UserError(f"{path}: {split}: no folder {place}")
            yield place
    if not told and ((root / "images").is_dir() or (root / "labels").is_dir()):
        yield root / "images"  # supervision writes the names alone
    elif not told:
        raise UserError(f"{path}: expected train, val or test")


def _labels(place: Path) -> Path:
    """Where the label files of a folder of pictures, or of one picture, lie: ``labels`` for the last ``images``."""
    parts = list(place.parts)
    for position in reversed(range(len(parts))):
        if parts[position] == "images":
            return Path(*parts[:position], "labels", *parts[position + 1 :])
    return place


def _pictures(place: Path) -> Iterator[tuple[Path, Path | None]]:
    """Each picture and its label file; a label file whose picture is not there names it without suffix."""
    if place.suffix == ".txt":
        listed = [place.parent / line.strip() for line in read_lines(place) if line.strip()]
    else:
        listed = sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES)
    labels = _labels(place)
    unseen = set() if place.suffix == ".txt" or not labels.is_dir() else set(labels.rglob("*.txt"))
    for picture in listed:
        label_file = _labels(picture).with_suffix(".txt")
        unseen.discard(label_file)
        yield picture, label_file if label_file.is_file() else None
    for label_file in sorted(unseen):
        if label_file.name != "classes.txt":
            yield place / label_file.relative_to(labels).with_suffix(""), label_file


def _boxes(path: Path, names: Mapping[int, str]) -> Iterator[tuple[str, Corners]]:
    for position, line in enumerate(read_lines(path), 1):
        where = f"{path}:{position}"
        words = line.split()
        if not words:
            continue
        if len(words) != 5:
            kind = "" if len(words) < 7 else ", which is an outline or a turned box"
            raise UserError(f"{where}: {_LINE}, got {len(words)} words{kind}")
        numbers = [number(word, where) for word in words]
        if numbers[0] != int(numbers[0]) or (names and int(numbers[0]) not in names):
            known = ", ".join(f"{key} {name}" for key, name in sorted(names.items())[:8])
            raise UserError(f"{where}: expected a class{' of ' if known else ''}{known}, got {words[0]}")
        for name, value in zip(("x", "y", "width", "height"), numbers[1:], strict=True):
            least = 0.0 if name in ("width", "height") else -_BEYOND
            if not least <= value <= 1 + _BEYOND:
                raise UserError(f"{where}: expected {name} as a share of the picture's, 0 to 1, got {value:g}")
        x, y, width, height = numbers[1:]
        label = names.get(int(numbers[0]), str(int(numbers[0])))
        yield label, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
