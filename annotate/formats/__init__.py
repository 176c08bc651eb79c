"""Box formats, a class and a module each. The categories of a data set are data, in ``labels.toml``.

A new format is a module here with its line in :data:`BOX_FORMATS`, or another package's entry point; see
:class:`fullshot.core.interfaces.BoxFormat` for what it does.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.core.errors import UserError
from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fullshot.annotate.formats.annotated import Annotated
    from fullshot.annotate.formats.labels import Category
    from fullshot.core.interfaces import BoxFormat

_COCO = "fullshot.annotate.formats.coco:CocoFormat"

BOX_FORMATS: "Registry[type[BoxFormat[Annotated, Category]]]" = Registry(
    "box format",
    "fullshot.box_formats",
    {
        "coco": _COCO,
        "yolo": "fullshot.annotate.formats.yolo:YoloFormat",
        "voc": "fullshot.annotate.formats.voc:VocFormat",
        "deepfashion": "fullshot.annotate.formats.deepfashion:DeepFashionFormat",
        "deepfashion2": "fullshot.annotate.formats.deepfashion2:DeepFashion2Format",
        # COCO with categories of their own.
        "modanet": _COCO,
        "fashionpedia": _COCO,
    },
    keeps("fullshot.core.interfaces:BoxFormat"),
)
"""The formats of boxes, by ``--format``."""


def check_boxes(name: str, path: Path | None = None, labels: Path | None = None) -> None:
    """Check what boxes are to be read from or written as, before any is.

    Args:
        name: a format, of :data:`BOX_FORMATS`.
        path: the file or the folder to read.
        labels: a file of labels for categories.

    Raises:
        UserError: there is no such format or file.
    """
    BOX_FORMATS.check(name)
    if path is not None and not path.exists():
        raise UserError(f"no file {path} to read boxes from")
    if labels is not None and not labels.is_file():
        raise UserError(f"no file {labels} to read labels from")


def load_boxes(path: Path, name: str) -> "Iterable[Annotated]":
    """Read a file or a folder of boxes.

    Args:
        path: the file or the folder.
        name: its format, of :data:`BOX_FORMATS`.

    Raises:
        UserError: there is no such format or file, or the file is not what the format says.
    """
    check_boxes(name, path)
    return BOX_FORMATS.get(name)().load(path)
