"""Which boxes a detector learns from or is measured on, and the pictures that they are drawn on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.core.annotations import create_trusted_boxes
from fullshot.core.boxes import Box
from fullshot.core.dataset import Dataset
from fullshot.core.geometry import ImageGeometry
from fullshot.core.tables.schemas import SPLITS
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train.pictures import geometries

if TYPE_CHECKING:
    import pandas as pd

LABELS = tuple(str(label) for label in GARMENTS)
"""What a detector tells apart, in the order of its class numbers."""

WANTED: Mapping[str, Sequence[str]] = {
    "products": ("product_id", "style"),
    "images": ("image_id", "product_id", "path", "width", "height"),
    "curated": ("image_id", "keep", "cluster", "split"),
    "boxes": ("image_id", "label", "x_min", "y_min", "x_max", "y_max", "source", "revision"),
    "annotations": ("image_id", "project", "annotation", "annotator", "verdict", "revision"),
}
"""The columns that boxes are chosen by, and those that tell whether splits leak: what to open a data set with."""

CHOSEN = "chosen_boxes"
"""The table of a data set that :func:`choose_boxes` makes."""

_CORNERS = ["x_min", "y_min", "x_max", "y_max"]


@dataclass(frozen=True)
class DetectionPicture:
    """A picture and its boxes.

    Attributes:
        image_id: of the picture.
        path: its file, which decodes; to be read upright (:func:`fullshot.core.pictures.read_rgb`).
        width: upright, in pixels.
        height: upright, in pixels.
        boxes: at least one; in pixels of the upright picture, inside it.
        is_turned: whether the file's EXIF data asks to turn the picture; readers disagree whether they obey.
    """

    image_id: str
    path: Path
    width: int
    height: int
    boxes: tuple[Box, ...]
    is_turned: bool = False


@dataclass(frozen=True)
class DetectionData:
    """What a family of detectors learns from, or is measured on.

    Attributes:
        labels: what boxes are labelled with; a class number is a place here.
        splits: the pictures of ``train``, ``val`` and ``test``; splits without pictures are left out.
    """

    labels: tuple[str, ...]
    splits: Mapping[str, tuple[DetectionPicture, ...]]


def choose_boxes(data: Dataset, split: str | None = None) -> "pd.DataFrame":
    """The boxes to learn from or to be measured on: the trusted ones, on pictures that are in a split.

    Args:
        data: gets the table :data:`CHOSEN`.
        split: of the boxes to give; None: all of them.

    Returns:
        See :func:`fullshot.core.annotations.trusted_boxes`.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    data.workspace.must_have("boxes", "images", "curated")
    create_trusted_boxes(data)
    data.define(CHOSEN, "SELECT * FROM trusted_boxes WHERE split IS NOT NULL")
    condition = "WHERE split = $split" if split else ""
    rows = data.query(f"SELECT * FROM {CHOSEN} {condition} ORDER BY ALL", **({"split": split} if split else {}))
    return rows.astype(dict.fromkeys(_CORNERS, "float64"))


def counts(boxes: "pd.DataFrame") -> dict[str, dict[str, int]]:
    """A split's numbers of pictures and of boxes, in all and by label."""
    result = {}
    for split in SPLITS:
        rows = boxes[boxes["split"] == split]
        labels = {label: int((rows["label"] == label).sum()) for label in LABELS}
        result[split] = {"pictures": int(rows["image_id"].nunique()), "boxes": len(rows), **labels}
    return result


def read_data(workspace: Workspace, boxes: "pd.DataFrame") -> "tuple[DetectionData, pd.DataFrame, list[str]]":
    """Bring boxes and pictures together; every picture is decoded once, to see that it can be.

    Args:
        workspace: holds the pictures.
        boxes: see :func:`choose_boxes`.

    Returns:
        The data; the boxes on pictures that decode; and the paths of the pictures that do not.
    """
    found = geometries(workspace.root, boxes["path"])
    readable = {path: geometry for path, geometry in found.items() if geometry is not None}
    boxes = boxes[boxes["path"].isin(readable)]
    splits: dict[str, list[DetectionPicture]] = {}
    for (split, image_id, path), rows in boxes.groupby(["split", "image_id", "path"], sort=True):
        picture = _picture(str(image_id), workspace / str(path), rows, readable[str(path)])
        splits.setdefault(str(split), []).append(picture)
    data = DetectionData(LABELS, {split: tuple(splits[split]) for split in SPLITS if split in splits})
    return data, boxes, [path for path in found if path not in readable]


def _picture(image_id: str, path: Path, rows: "pd.DataFrame", geometry: ImageGeometry) -> DetectionPicture:
    """A picture with the boxes of these rows, turned upright as the picture is."""
    boxes = tuple(
        Box(str(label), *geometry.to_upright((x_min, y_min, x_max, y_max)))
        for label, x_min, y_min, x_max, y_max in rows[["label", *_CORNERS]].itertuples(index=False, name=None)
    )
    return DetectionPicture(image_id, path, *geometry.upright_size, boxes, geometry.orientation != 1)
