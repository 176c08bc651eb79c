"""COCO: one JSON of ``images``, ``categories`` and ``annotations`` with ``bbox`` as x, y, width, height in pixels."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated as Typed
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from annotate.formats.annotated import Annotated
from fullshot.errors import UserError

_Number = Typed[float, Field(allow_inf_nan=False)]


class _Image(BaseModel):
    id: int | str
    file_name: str = Field(min_length=1)
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class _Category(BaseModel):
    id: int
    name: str


class _Annotation(BaseModel):
    image_id: int | str
    category_id: int
    bbox: tuple[_Number, _Number, _Number, _Number]


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation]


def load(path: Path) -> list[Annotated]:
    """Read a COCO file; pictures come in its order, those without boxes too.

    Raises:
        UserError: it is not JSON, lacks a part, or a part is not what COCO says; names the part.
    """
    try:
        data = _File.model_validate(json.loads(path.read_bytes()))
    except ValidationError as error:
        first = error.errors()[0]
        part = ".".join(str(step) for step in first["loc"]) or "the file"
        raise UserError(f"{path}: {part}: {first['msg'].lower()}, got {_short(first['input'])}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not a COCO file, which is JSON: {error}") from None
    names = {category.id: category.name for category in data.categories}
    images = {image.id for image in data.images}
    boxes: dict[int | str, list[tuple[str, tuple[float, float, float, float]]]] = defaultdict(list)
    for number, annotation in enumerate(data.annotations):
        if annotation.category_id not in names:
            raise UserError(f"{path}: annotations.{number}: no category has the id {annotation.category_id}")
        if annotation.image_id not in images:
            raise UserError(f"{path}: annotations.{number}: no image has the id {annotation.image_id!r}")
        x, y, width, height = annotation.bbox
        boxes[annotation.image_id].append((names[annotation.category_id], (x, y, x + width, y + height)))
    return [Annotated(image.file_name, image.width, image.height, tuple(boxes[image.id])) for image in data.images]


def save(path: Path, pictures: Sequence[Annotated], categories: Sequence[str]) -> None:
    """Write a COCO file; ids count from 1 in the order given.

    Raises:
        ValueError: a box's label is not among the categories.
    """
    numbers = {name: number for number, name in enumerate(categories, 1)}
    annotations: list[dict[str, Any]] = []
    for image_id, picture in enumerate(pictures, 1):
        for label, (x_min, y_min, x_max, y_max) in picture.boxes:
            if label not in numbers:
                raise ValueError(f"expected a label of {', '.join(categories)}, got {label!r}")
            width, height = x_max - x_min, y_max - y_min
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": numbers[label],
                    "bbox": [x_min, y_min, width, height],
                    "area": width * height,
                    "iscrowd": 0,
                }
            )
    images = [
        {"id": number, "file_name": picture.file_name, "width": picture.width, "height": picture.height}
        for number, picture in enumerate(pictures, 1)
    ]
    data = {
        "images": images,
        "categories": [{"id": number, "name": name} for name, number in numbers.items()],
        "annotations": annotations,
    }
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
