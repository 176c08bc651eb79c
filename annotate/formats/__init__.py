"""Box formats, one module each, of pure load and save.

A new format is a module here with ``load`` and ``save`` and a line in :data:`FORMATS`; the categories of a data set are
data, in ``labels.toml``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fullshot.annotate.formats import coco, deepfashion, deepfashion2, voc, yolo
from fullshot.annotate.formats.annotated import Annotated
from fullshot.annotate.formats.labels import Category
from fullshot.core.errors import UserError

Save = Callable[[Path, Mapping[str, Sequence[Annotated]], Sequence[Category]], None]


@dataclass(frozen=True)
class Format:
    """What reads and writes a format, and what it can carry.

    Attributes:
        load: pictures and boxes of a file or a folder.
        save: writes a split's pictures (``unsplit`` for those of none) into a folder that holds the pictures already.
        picture: where a picture lies in that folder, by its split, its image_id and its number from 1; no suffix.
        beside: where pictures lie when nobody says so, relative to the file or the folder of annotations.
        one_box: a picture has one box.
        whole_pixels: boxes lie on whole pixels.
    """

    load: Callable[[Path], list[Annotated]]
    save: Save
    picture: Callable[[str, str, int], str]
    beside: tuple[str, ...] = ("", "images", "photos", "../images", "../photos")
    one_box: bool = False
    whole_pixels: bool = False


_COCO = Format(coco.load, coco.save_folder, lambda _split, identity, _number: f"images/{identity}")

FORMATS: dict[str, Format] = {
    "coco": _COCO,
    "yolo": Format(yolo.load, yolo.save, lambda split, identity, _number: f"images/{split}/{identity}"),
    "voc": Format(
        voc.load,
        voc.save,
        lambda _split, identity, _number: f"JPEGImages/{identity}",
        ("", "JPEGImages", "../JPEGImages", "images", "../images"),
    ),
    "deepfashion": Format(
        deepfashion.load,
        deepfashion.save,
        lambda _split, identity, _number: f"img/{identity}",
        ("", "Img", "..", "../Img"),
        one_box=True,
        whole_pixels=True,
    ),
    "deepfashion2": Format(
        deepfashion2.load,
        deepfashion2.save,
        lambda split, _identity, number: f"{deepfashion2.FOLDERS.get(split, split)}/image/{number:06d}",
        ("", "image"),
    ),
    "modanet": _COCO,
    "fashionpedia": _COCO,
}
"""A format by its name. ModaNet and Fashionpedia are COCO with categories of their own."""


def named(name: str) -> Format:
    """A format by its name.

    Raises:
        UserError: there is none.
    """
    if name not in FORMATS:
        raise UserError(f"expected a format of {', '.join(FORMATS)}, got {name!r}")
    return FORMATS[name]


def load(path: Path, name: str) -> list[Annotated]:
    """Read a file or a folder of boxes.

    Args:
        path: the file or the folder.
        name: its format, a key of :data:`FORMATS`.

    Raises:
        UserError: there is no such format or file, or the file is not what the format says.
    """
    box_format = named(name)
    if not path.exists():
        raise UserError(f"no file {path} to read boxes from")
    return box_format.load(path)
