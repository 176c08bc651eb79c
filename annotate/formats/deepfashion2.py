"""DeepFashion2: a JSON a picture, ``annos/000001.json`` for ``image/000001.jpg``, with ``item1``, ``item2`` and so on.

A ``bounding_box`` is ``[x1, y1, x2, y2]`` in pixels. No footwear. Its masks and landmarks are not read.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated as Typed
from typing import Any, ClassVar

from pydantic import BaseModel, Field, ValidationError

from fullshot.annotate.formats.annotated import Annotated, in_order, short
from fullshot.annotate.formats.labels import Category
from fullshot.core.boxes import Corners
from fullshot.core.errors import UserError

_Number = Typed[float, Field(allow_inf_nan=False)]
_ITEM = re.compile(r"item(\d+)")

FOLDERS = {"train": "train", "val": "validation", "test": "test"}
"""A split, and DeepFashion2's name for it."""


class _Item(BaseModel):
    category_name: str = Field(min_length=1)
    bounding_box: tuple[_Number, _Number, _Number, _Number]


class DeepFashion2Format:
    """DeepFashion2."""

    beside: ClassVar = ("", "image")
    one_box: ClassVar = False
    whole_pixels: ClassVar = False

    def load(self, path: Path) -> list[Annotated]:
        """Read one JSON, or all of a folder: its own, those in ``annos/``, or those in ``train/annos/`` and the like.

        Returns:
            Pictures named relative to the folder, without suffix; sizes are not known.

        Raises:
            UserError: a file is not JSON, or an item lacks a part; names file and part.
        """
        if not path.is_dir():
            return [_load(path, path.parent)]
        for pattern in ("annos/*.json", "*/annos/*.json", "*.json"):
            if found := sorted(path.glob(pattern)):
                return [_load(file, path) for file in found]
        raise UserError(f"expected annos/*.json in {path}")

    def save(self, folder: Path, splits: Mapping[str, Iterable[Annotated]], categories: Sequence[Category]) -> None:
        """Write an ``annos/*.json`` for each picture.

        All pictures are of a shop, each a pair of its own; no box has a style, which would say where the same garment
        is.

        Args:
            folder: the data set's.
            splits: a split's pictures, named ``<split>/image/000001.jpg``.
            categories: all of DeepFashion2's.
        """
        numbers = {category.name: category.id for category in categories}
        pair = 0
        for pictures in splits.values():
            for picture in pictures:
                pair += 1
                data: dict[str, Any] = {"source": "shop", "pair_id": pair}
                for position, (name, corners) in enumerate(picture.boxes, 1):
                    data[f"item{position}"] = {
                        "category_name": name,
                        "category_id": numbers[name],
                        "style": 0,
                        "bounding_box": list(corners),
                    }
                place = PurePosixPath(picture.file_name)
                file = folder / place.parent.parent / "annos" / f"{place.stem}.json"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(data) + "\n", encoding="utf-8")

    def picture(self, split: str, image_id: str, number: int) -> str:
        """Where a picture lies in the data set's folder; without suffix."""
        return f"{FOLDERS.get(split, split)}/image/{number:06d}"


def _load(path: Path, folder: Path) -> Annotated:
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not a file of DeepFashion2, which is JSON: {error}") from None
    if not isinstance(data, dict):
        raise UserError(f"{path}: expected source, pair_id, item1 and so on, got {short(data)}")
    if not data.keys() & {"source", "pair_id", "item1"}:
        raise UserError(f"{path}: expected source, pair_id, item1 and so on, got {short(sorted(data))}")
    items = sorted((int(match[1]), name) for name in data if (match := _ITEM.fullmatch(name)))
    boxes = tuple(_box(data[name], f"{path}: {name}") for _, name in items)
    beside = path.parent.parent / "image" if path.parent.name == "annos" else path.parent
    named = beside / path.stem
    return Annotated(_relative(named, folder), None, None, boxes)


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else f"../image/{path.name}"


def _box(item: Any, where: str) -> tuple[str, Corners]:
    try:
        read = _Item.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        part = ".".join(str(step) for step in first["loc"]) or "the item"
        raise UserError(f"{where}: {part}: {first['msg'].lower()}, got {short(first['input'])}") from None
    return read.category_name, in_order(read.bounding_box, f"{where}: bounding_box")
