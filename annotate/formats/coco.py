"""COCO: one JSON of ``images``, ``categories`` and ``annotations`` with ``bbox`` as x, y, width, height in pixels.

ModaNet and Fashionpedia are COCO with category lists of their own. Read and written here and not by supervision, whose
errors do not name the file, and which keeps boxes in 32 bits and needs the pictures.
"""

import itertools
import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated as Typed
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from fullshot.annotate.formats.annotated import BESIDE, UNSPLIT, Annotated, in_order, short
from fullshot.annotate.formats.json_parts import parts
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
    product_type: str = ""  # what a shop calls it, where a data set says so


class _Annotation(BaseModel):
    image_id: int | str
    category_id: int
    bbox: tuple[_Number, _Number, _Number, _Number]
    iscrowd: bool = False
    attributes: Any = None


_PARTS: dict[str, type[BaseModel]] = {"images": _Image, "categories": _Category, "annotations": _Annotation}


class CocoFormat:
    """COCO; ModaNet and Fashionpedia are COCO with categories of their own."""

    beside: ClassVar = BESIDE
    one_box: ClassVar = False
    whole_pixels: ClassVar = False

    def load(self, path: Path) -> Iterable[Annotated]:
        """Read a COCO file, or all ``instances*.json`` of a folder; pictures come in order, those without boxes too.

        Millions of boxes are kept as arrays; a picture's become objects when it comes.

        Raises:
            UserError: it is not JSON, lacks a part, or a part is not what COCO says; names the file and the part.
        """
        if not path.is_dir():
            return _load(path)
        found = sorted(path.glob("instances*.json")) or sorted(path.glob("annotations/instances*.json"))
        if not found:
            raise UserError(f"no instances*.json in {path}: name the file")
        return itertools.chain.from_iterable([_load(file) for file in found])

    def save(self, folder: Path, splits: Mapping[str, Iterable[Annotated]], categories: Sequence[Category]) -> None:
        """Write ``instances_train.json`` and so on; their file names are those of the pictures in ``images/``."""
        numbers = {category.name: category.id for category in categories}
        for split, pictures in splits.items():
            write_file(
                folder / ("instances.json" if split == UNSPLIT else f"instances_{split}.json"), pictures, numbers
            )

    def picture(self, split: str, image_id: str, number: int) -> str:
        """Where a picture lies in the data set's folder; without suffix."""
        return f"images/{image_id}"


class _Pictures(Iterable[Annotated]):
    """The pictures of one file and their boxes, in arrays.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: list[str] = []
        self._sizes = array("q")  # width and height of one picture after another
        self._rows: dict[int | str, int] = {}  # of pictures, by their ids
        self._categories: list[str] = []
        self._labels = array("q")  # of boxes: places in _categories
        self._corners = array("d")  # x_min, y_min, x_max, y_max of one box after another
        self._order: NDArray[np.int64] = np.zeros(0, np.int64)  # of the boxes, by their pictures
        self._starts: NDArray[np.int64] = np.zeros(1, np.int64)

    def read(self) -> None:
        """Read the file.

        Raises:
            UserError: see :meth:`CocoFormat.load`.
            ValueError: it is not JSON.
        """
        names: dict[int, str] = {}
        boxes = _Boxes()
        missing = dict.fromkeys(_PARTS)
        for key, number, value in parts(self._path):
            if key not in _PARTS:
                if not key:
                    raise UserError(f"{self._path}: the file: input should be an object, got {short(value)}")
                continue
            if number is None:
                if value != []:
                    raise UserError(f"{self._path}: {key}: input should be a list, got {short(value)}")
                del missing[key]
                continue
            part = self._checked(key, number, value)
            if isinstance(part, _Image):
                self._add_picture(part)
            elif isinstance(part, _Category):
                names[part.id] = part.product_type or part.name
            elif isinstance(part, _Annotation):
                boxes.add(part, f"{self._path}: annotations.{number}")
        for key in missing:
            raise UserError(f"{self._path}: {key}: field required, got a file without it")
        self._sort(boxes, names)

    def _checked(self, key: str, number: int, value: Any) -> BaseModel:
        try:
            return _PARTS[key].model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            part = ".".join(str(step) for step in (key, number, *first["loc"]))
            raise UserError(f"{self._path}: {part}: {first['msg'].lower()}, got {short(first['input'])}") from None

    def _add_picture(self, picture: _Image) -> None:
        if self._rows.setdefault(picture.id, len(self._names)) != len(self._names):
            raise UserError(f"{self._path}: images: two have the id {picture.id!r}")
        self._names.append(picture.file_name)
        self._sizes.extend((picture.width, picture.height))

    def _sort(self, boxes: "_Boxes", names: Mapping[int, str]) -> None:
        pictures = array("q")
        places: dict[str, int] = {}
        # A crowd's box is round several things: it is told among the categories that nobody knows.
        for number, (image, category) in enumerate(zip(boxes.images, boxes.categories, strict=True)):
            where = f"{self._path}: annotations.{number}"
            if category not in names:
                raise UserError(f"{where}: no category has the id {category}")
            if image not in self._rows:
                raise UserError(f"{where}: no image has the id {image!r}")
            if number in boxes.wrong:
                raise boxes.wrong[number]
            name = names[category] + (" (crowd)" if number in boxes.crowds else "")
            pictures.append(self._rows[image])
            self._labels.append(places.setdefault(name, len(places)))
        self._categories = list(places)
        self._corners = boxes.corners
        rows = np.frombuffer(pictures, np.int64) if pictures else np.zeros(0, np.int64)
        self._order = np.argsort(rows, kind="stable")
        self._starts = np.searchsorted(rows[self._order], np.arange(len(self._names) + 1))
        self._rows = {}  # what has no box is found by its place

    def __iter__(self) -> Iterator[Annotated]:
        for place, name in enumerate(self._names):
            boxes: list[tuple[str, Corners]] = []
            for box in self._order[self._starts[place] : self._starts[place + 1]].tolist():
                x_min, y_min, x_max, y_max = self._corners[4 * box : 4 * box + 4]
                boxes.append((self._categories[self._labels[box]], (x_min, y_min, x_max, y_max)))
            width, height = self._sizes[2 * place : 2 * place + 2]
            yield Annotated(name, width, height, tuple(boxes))


class _Boxes:
    """Boxes as a file has them, of which it may name the pictures and categories later.

    Attributes:
        images: the pictures' ids.
        categories: their ids.
        corners: ``x_min, y_min, x_max, y_max`` of one after another.
        crowds: the numbers of boxes that are round several things.
        wrong: what is wrong with a box, by its number.
    """

    def __init__(self) -> None:
        self.images: list[int | str] = []
        self.categories: list[int] = []
        self.corners = array("d")
        self.crowds: set[int] = set()
        self.wrong: dict[int, UserError] = {}

    def add(self, box: _Annotation, where: str) -> None:
        """Add one; what is wrong with it is said later, after its category and its picture are known."""
        number = len(self.images)
        try:
            self.corners.extend(_corners(box, where))
        except UserError as error:
            self.corners.extend((0.0, 0.0, 0.0, 0.0))
            self.wrong[number] = error
        self.images.append(box.image_id)
        self.categories.append(box.category_id)
        if box.iscrowd:
            self.crowds.add(number)


def _load(path: Path) -> _Pictures:
    pictures = _Pictures(path)
    try:
        pictures.read()
    except UserError:
        raise
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not a COCO file, which is JSON: {error}") from None
    return pictures


def _corners(annotation: _Annotation, where: str) -> Corners:
    x, y, width, height = annotation.bbox
    if width < 0 or height < 0:
        raise UserError(f"{where}.bbox: expected a width and a height of at least 0, got {width:g} and {height:g}")
    # So CVAT tells of a rectangle that was turned; its bbox is of the rectangle before.
    turned = annotation.attributes.get("rotation") if isinstance(annotation.attributes, dict) else None
    if turned:
        raise UserError(f"{where}: expected an upright box, got one turned by {turned} degrees")
    return in_order((x, y, x + width, y + height), f"{where}.bbox")


def write_file(path: Path, pictures: Iterable[Annotated], categories: Sequence[str] | Mapping[str, int]) -> None:
    """Write a COCO file, a picture at a time; ids count from 1 in the order given.

    Args:
        path: the file.
        pictures: of known size; gone through twice. Their folder is not written.
        categories: names, numbered from 1, or names and their numbers.

    Raises:
        ValueError: a box's label is not among the categories.
    """
    if not isinstance(categories, Mapping):
        categories = {name: number for number, name in enumerate(categories, 1)}
    images = (
        {
            "id": number,
            "file_name": PurePosixPath(picture.file_name).name,
            "width": picture.width,
            "height": picture.height,
        }
        for number, picture in enumerate(pictures, 1)
    )
    lists: dict[str, Iterable[dict[str, Any]]] = {
        "images": images,
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": _annotations(pictures, categories),
    }
    with path.open("w", encoding="utf-8") as file:
        for number, (key, rows) in enumerate(lists.items()):
            file.write(f'{"," if number else "{"}\n "{key}": ')
            file.writelines(_as_list(rows))
        file.write("\n}\n")


def _annotations(pictures: Iterable[Annotated], categories: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    numbers = itertools.count(1)
    for image_id, picture in enumerate(pictures, 1):
        for label, (x_min, y_min, x_max, y_max) in picture.boxes:
            if label not in categories:
                raise ValueError(f"expected a label of {', '.join(categories)}, got {label!r}")
            width, height = x_max - x_min, y_max - y_min
            yield {
                "id": next(numbers),
                "image_id": image_id,
                "category_id": categories[label],
                "bbox": [x_min, y_min, width, height],
                "area": width * height,
                "iscrowd": 0,
            }


def _as_list(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A list of the object that a file is, as :mod:`json` indents it by 1."""
    before = "["
    for row in rows:
        yield f"{before}\n  " + json.dumps(row, indent=1).replace("\n", "\n  ")
        before = ","
    yield "[]" if before == "[" else "\n ]"
