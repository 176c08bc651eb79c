"""DeepFashion, category and attribute: lists of a box and a category for each picture.

Each list has a line that counts, a line of names, and a line a picture. One box a picture, in whole pixels, and no
footwear.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from fullshot.annotate.formats.annotated import UNSPLIT, Annotated, in_order, number, read_lines, short
from fullshot.annotate.formats.labels import Category
from fullshot.core.boxes import Corners
from fullshot.core.errors import UserError
from fullshot.core.tables.schemas import SPLITS

_BOXES, _NAMES, _CATEGORIES = "list_bbox.txt", "list_category_cloth.txt", "list_category_img.txt"
_PARTITION = "list_eval_partition.txt"
_FOLDERS = ("", "Anno", "Anno_coarse", "anno")
"""Where the lists lie in the data set's folder, as it was published at one time or another."""
_PARTITION_FOLDERS = ("", "../Eval", "Eval", "../eval")
"""Where that of the splits lies, from these."""


class DeepFashionFormat:
    """DeepFashion, category and attribute."""

    beside: ClassVar = ("", "Img", "..", "../Img")
    one_box: ClassVar = True
    whole_pixels: ClassVar = True

    def load(self, path: Path) -> list[Annotated]:
        """Read the lists of boxes and categories.

        Args:
            path: the data set's folder, the folder of its lists, or ``list_bbox.txt``.

        Returns:
            A picture a line of ``list_bbox.txt``; sizes are not known; splits are where ``list_eval_partition.txt`` is.

        Raises:
            UserError: a list is not there or a line is not what it should be; names file and line.
        """
        folder = path if path.is_dir() else path.parent
        place = next((folder / name for name in _FOLDERS if (folder / name / _BOXES).is_file()), None)
        if place is None:
            raise UserError(f"no {_BOXES} in {folder} or its Anno/")
        names = [words[0] for _, words in _rows(place / _NAMES, "category_name category_type", 1)]
        categories: dict[str, str] = {}
        for where, (picture, text) in _rows(place / _CATEGORIES, "image_name category_label", 1):
            label = number(text, where)
            if label != int(label) or not 1 <= label <= len(names):
                raise UserError(f"{where}: expected a category of 1 to {len(names)}, got {text}")
            categories[picture] = names[int(label) - 1]
        splits = _splits(place)
        annotated = []
        for where, (picture, *texts) in _rows(place / _BOXES, "image_name x_1 y_1 x_2 y_2", 4):
            if picture not in categories:
                raise UserError(f"{where}: no category for {picture} in {_CATEGORIES}")
            x_1, y_1, x_2, y_2 = (number(text, where) for text in texts)
            boxes = ((categories[picture], in_order((x_1, y_1, x_2, y_2), where)),)
            annotated.append(Annotated(picture, None, None, boxes, split=splits.get(picture)))
        return annotated

    def save(self, folder: Path, splits: Mapping[str, Iterable[Annotated]], categories: Sequence[Category]) -> None:
        """Write ``Anno/`` and ``Eval/``; boxes become whole pixels, see :func:`whole`.

        Args:
            folder: the data set's.
            splits: a split's pictures, each with one box.
            categories: all of DeepFashion's, in its order.

        Raises:
            ValueError: a picture has another number of boxes than one.
        """
        numbers = {category.name: category.id for category in categories}
        boxes, labels, partition = [], [], []
        for split, pictures in splits.items():
            for picture in pictures:
                if len(picture.boxes) != 1:
                    raise ValueError(f"expected one box on {picture.file_name}, got {len(picture.boxes)}")
                ((name, corners),) = picture.boxes
                boxes.append(f"{picture.file_name} " + " ".join(f"{pixel:03d}" for pixel in map(int, whole(corners))))
                labels.append(f"{picture.file_name} {numbers[name]}")
                if split != UNSPLIT:
                    partition.append(f"{picture.file_name} {split}")
        types = [f"{category.name} {category.type}" for category in categories]
        _write(folder / "Anno" / _BOXES, "image_name x_1 y_1 x_2 y_2", boxes)
        _write(folder / "Anno" / _NAMES, "category_name category_type", types)
        _write(folder / "Anno" / _CATEGORIES, "image_name category_label", labels)
        _write(folder / "Eval" / _PARTITION, "image_name evaluation_status", partition)

    def picture(self, split: str, image_id: str, number: int) -> str:
        """Where a picture lies in the data set's folder; without suffix."""
        return f"img/{image_id}"


def _splits(place: Path) -> dict[str, str]:
    """The split of each picture that has one, by its name."""
    file = next((found for name in _PARTITION_FOLDERS if (found := place / name / _PARTITION).is_file()), None)
    if file is None:
        return {}
    splits = {}
    for where, (picture, split) in _rows(file, "image_name evaluation_status", 1):
        if split not in SPLITS:
            raise UserError(f"{where}: expected one of {', '.join(SPLITS)}, got {short(split)}")
        splits[picture] = split
    return splits


def _rows(path: Path, header: str, numbers: int) -> list[tuple[str, list[str]]]:
    """Where each line of a list is, and its words: a name, which may have spaces, and so many numbers."""
    if not path.is_file():
        raise UserError(f"no {path.name} in {path.parent}")
    lines = read_lines(path)
    if not lines or not lines[0].strip().isdecimal():
        raise UserError(f"{path}:1: expected the number of lines that follow, got {short(lines[0] if lines else '')}")
    if len(lines) < 2 or lines[1].split() != header.split():
        raise UserError(f"{path}:2: expected `{header}`, got {short(lines[1] if len(lines) > 1 else '')}")
    rows = []
    for position, line in enumerate(lines[2:], 3):
        if not line.strip():
            continue
        words = line.strip().rsplit(maxsplit=numbers)
        if len(words) != numbers + 1:
            raise UserError(f"{path}:{position}: expected `{header}`, got {short(line)}")
        rows.append((f"{path}:{position}", words))
    # A list that was cut off would be taken for a whole one.
    if len(rows) != int(lines[0]):
        raise UserError(f"{path}:1: expected {len(rows)}, the number of lines that follow, got {lines[0].strip()}")
    return rows


def whole(corners: Corners) -> Corners:
    """The box of whole pixels around a box."""
    x_min, y_min, x_max, y_max = corners
    return math.floor(x_min), math.floor(y_min), math.ceil(x_max), math.ceil(y_max)


def _write(path: Path, header: str, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([str(len(lines)), header, *lines]) + "\n", encoding="utf-8")
