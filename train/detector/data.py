"""Which boxes a detector learns from or is measured on, and the pictures that they are drawn on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fullshot.core.annotations import trusted_boxes
from fullshot.core.boxes import Box
from fullshot.core.geometry import ImageGeometry
from fullshot.core.tables import SPLITS
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train.pictures import geometries

LABELS = tuple(str(label) for label in GARMENTS)
"""What a detector tells apart, in the order of its class numbers."""

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


def choose_boxes(workspace: Workspace) -> pd.DataFrame:
    """The boxes to learn from or to be measured on: the trusted ones, on pictures that are in a split.

    Returns:
        See :func:`fullshot.core.annotations.trusted_boxes`.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    for name in ("boxes", "images", "curated"):
        if not workspace.table(name).is_file():
            workspace.read(name)  # says what to run
    with workspace.open() as data:
        rows = trusted_boxes(data)
    return rows[rows["split"].notna()].reset_index(drop=True)


def counts(boxes: pd.DataFrame) -> dict[str, dict[str, int]]:
    """A split's numbers of pictures and of boxes, in all and by label."""
    result = {}
    for split in SPLITS:
        rows = boxes[boxes["split"] == split]
        labels = {label: int((rows["label"] == label).sum()) for label in LABELS}
        result[split] = {"pictures": int(rows["image_id"].nunique()), "boxes": len(rows), **labels}
    return result


def read_data(workspace: Workspace, boxes: pd.DataFrame) -> tuple[DetectionData, pd.DataFrame, list[str]]:
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


def _picture(image_id: str, path: Path, rows: pd.DataFrame, geometry: ImageGeometry) -> DetectionPicture:
    """A picture with the boxes of these rows, turned upright as the picture is."""
    boxes = tuple(
        Box(str(label), *geometry.to_upright((x_min, y_min, x_max, y_max)))
        for label, x_min, y_min, x_max, y_max in rows[["label", *_CORNERS]].itertuples(index=False, name=None)
    )
    return DetectionPicture(image_id, path, *geometry.upright_size, boxes, geometry.orientation != 1)
