"""COCO: one JSON of ``images``, ``categories`` and ``annotations`` with ``bbox`` as x, y, width, height in pixels.

ModaNet and Fashionpedia are COCO with category lists of their own. Read and written here and not by supervision, whose
errors do not name the file, and which keeps boxes in 32 bits and needs the pictures.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated as Typed
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fullshot.annotate.formats.annotated import BESIDE, UNSPLIT, Annotated, in_order, short
from fullshot.annotate.formats.labels import Category
from fullshot.core.boxes import Corners
from fullshot.core.errors import UserError

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
    iscrowd: bool = False
    attributes: Any = None


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation]


class CocoFormat:
    """COCO; ModaNet and Fashionpedia are COCO with categories of their own."""

    beside: ClassVar = BESIDE
    one_box: ClassVar = False
    whole_pixels: ClassVar = False

    def load(self, path: Path) -> list[Annotated]:
        """Read a COCO file, or all ``instances*.json`` of a folder; pictures come in order, those without boxes too.

        Raises:
            UserError: it is not JSON, lacks a part, or a part is not what COCO says; names the file and the part.
        """
        if not path.is_dir():
            return _load(path)
        found = sorted(path.glob("instances*.json")) or sorted(path.glob("annotations/instances*.json"))
        if not found:
            raise UserError(f"no instances*.json in {path}: name the file")
        return [picture for file in found for picture in _load(file)]

    def save(self, folder: Path, splits: Mapping[str, Sequence[Annotated]], categories: Sequence[Category]) -> None:
        """Write ``instances_train.json`` and so on; their file names are those of the pictures in ``images/``."""
        numbers = {category.name: category.id for category in categories}
        for split, pictures in splits.items():
            named = [
                Annotated(PurePosixPath(picture.file_name).name, picture.width, picture.height, picture.boxes)
                for picture in pictures
            ]
            write_file(folder / ("instances.json" if split == UNSPLIT else f"instances_{split}.json"), named, numbers)

    def picture(self, split: str, image_id: str, number: int) -> str:
        """Where a picture lies in the data set's folder; without suffix."""
        return f"images/{image_id}"


def _load(path: Path) -> list[Annotated]:
    try:
        data = _File.model_validate(json.loads(path.read_bytes()))
    except ValidationError as error:
        first = error.errors()[0]
        part = ".".join(str(step) for step in first["loc"]) or "the file"
        raise UserError(f"{path}: {part}: {first['msg'].lower()}, got {short(first['input'])}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not a COCO file, which is JSON: {error}") from None
    names = {category.id: category.name for category in data.categories}
    images = {image.id for image in data.images}
    if len(images) != len(data.images):
        twice = next(one for one, count in Counter(image.id for image in data.images).items() if count > 1)
        raise UserError(f"{path}: images: two have the id {twice!r}")
    boxes: dict[int | str, list[tuple[str, Corners]]] = defaultdict(list)
    for number, annotation in enumerate(data.annotations):
        where = f"{path}: annotations.{number}"
        if annotation.category_id not in names:
            raise UserError(f"{where}: no category has the id {annotation.category_id}")
        if annotation.image_id not in images:
            raise UserError(f"{where}: no image has the id {annotation.image_id!r}")
        # A crowd's box is round several things: it is told among the categories that nobody knows.
        name = names[annotation.category_id] + (" (crowd)" if annotation.iscrowd else "")
        boxes[annotation.image_id].append((name, _corners(annotation, where)))
    return [Annotated(image.file_name, image.width, image.height, tuple(boxes[image.id])) for image in data.images]


def _corners(annotation: _Annotation, where: str) -> Corners:
    x, y, width, height = annotation.bbox
    if width < 0 or height < 0:
        raise UserError(f"{where}.bbox: expected a width and a height of at least 0, got {width:g} and {height:g}")
    # So CVAT tells of a rectangle that was turned; its bbox is of the rectangle before.
    turned = annotation.attributes.get("rotation") if isinstance(annotation.attributes, dict) else None
    if turned:
        raise UserError(f"{where}: expected an upright box, got one turned by {turned} degrees")
    return in_order((x, y, x + width, y + height), f"{where}.bbox")


def write_file(path: Path, pictures: Sequence[Annotated], categories: Sequence[str] | Mapping[str, int]) -> None:
    """Write a COCO file; ids count from 1 in the order given.

    Args:
        path: the file.
        pictures: of known size.
        categories: names, numbered from 1, or names and their numbers.

    Raises:
        ValueError: a box's label is not among the categories.
    """
    if not isinstance(categories, Mapping):
        categories = {name: number for number, name in enumerate(categories, 1)}
    annotations: list[dict[str, Any]] = []
    for image_id, picture in enumerate(pictures, 1):
        for label, (x_min, y_min, x_max, y_max) in picture.boxes:
            if label not in categories:
                raise ValueError(f"expected a label of {', '.join(categories)}, got {label!r}")
            width, height = x_max - x_min, y_max - y_min
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": categories[label],
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
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": annotations,
    }
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
