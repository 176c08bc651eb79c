"""Which boxes a detector learns from or is measured on, and the pictures that they are drawn on."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from fullshot.core.annotations import create_trusted_boxes
from fullshot.core.boxes import Box
from fullshot.core.dataset import Dataset
from fullshot.core.features import geometry_rows
from fullshot.core.geometry import ImageGeometry
from fullshot.core.tables.cells import literal
from fullshot.core.tables.schemas import SPLITS
from fullshot.core.workspace import Workspace
from fullshot.train import validation

if TYPE_CHECKING:
    import pandas as pd

WANTED: Mapping[str, Sequence[str]] = {
    "products": ("product_id", "style"),
    "images": ("image_id", "product_id", "path", "width", "height"),
    "curated": ("image_id", "full_shot", "keep", "cluster", "split"),
    "boxes": ("image_id", "label", "x_min", "y_min", "x_max", "y_max", "source", "revision"),
    "annotations": ("image_id", "project", "annotation", "annotator", "verdict", "revision"),
}
"""The columns that boxes are chosen by, and those that tell whether splits leak: what to open a data set with."""

CHOSEN = "chosen_boxes"
"""The table of a data set that :func:`choose_boxes` makes."""

_CORNERS = ["x_min", "y_min", "x_max", "y_max"]

_AT_ONCE = 10_000
"""Pictures that are objects at a time, while somebody goes through them."""


@dataclass(frozen=True)
class DetectionPicture:
    """A picture and its boxes.

    Attributes:
        image_id: of the picture.
        path: its file, which decodes; to be read upright (:func:`fullshot.core.pictures.read_rgb`).
        width: upright, in pixels.
        height: upright, in pixels.
        boxes: at least one; in pixels of the upright picture, inside it; those of a teacher have a score.
        is_turned: whether the file's EXIF data asks to turn the picture; readers disagree whether they obey.
    """

    image_id: str
    path: Path
    width: int
    height: int
    boxes: tuple[Box, ...]
    is_turned: bool = False

    @property
    def is_taught(self) -> bool:
        """Whether a teacher found its boxes, and nobody drew any: it is to be learnt from, and nothing else."""
        return any(box.score is not None for box in self.boxes)


@dataclass(frozen=True)
class DetectionData:
    """What a family of detectors learns from, or is measured on.

    Attributes:
        labels: what boxes are labelled with; a class number is a place here.
        splits: the pictures of ``train``, ``val`` and ``test``; splits without pictures are left out.
        in_crops: whether a picture shows garments that nobody drew a box about, beside the one that has one: to be
            learnt from in crops about its box.
    """

    labels: tuple[str, ...]
    splits: Mapping[str, Sequence[DetectionPicture]]
    in_crops: bool = False


def choose_boxes(data: Dataset, labels: Sequence[str], split: str | None = None) -> "pd.DataFrame":
    """The boxes to learn from or to be measured on: the trusted ones, on pictures that are in a split.

    Args:
        data: gets the table :data:`CHOSEN`.
        labels: of the boxes that count.
        split: of the boxes to give; None: all of them.

    Returns:
        See :func:`fullshot.core.annotations.trusted_boxes`.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    data.workspace.must_have("boxes", "images", "curated")
    create_trusted_boxes(data)
    named = ", ".join(map(literal, labels))
    data.define(CHOSEN, f"SELECT * FROM trusted_boxes WHERE split IS NOT NULL AND label IN ({named})")
    condition = "WHERE split = $split" if split else ""
    rows = data.query(f"SELECT * FROM {CHOSEN} {condition} ORDER BY ALL", **({"split": split} if split else {}))
    return rows.astype(dict.fromkeys(_CORNERS, "float64"))


def counts(boxes: "pd.DataFrame", labels: Sequence[str]) -> dict[str, dict[str, int]]:
    """A split's numbers of pictures and of boxes, in all and by label."""
    result = {}
    for split in SPLITS:
        rows = boxes[boxes["split"] == split]
        by_label = {label: int((rows["label"] == label).sum()) for label in labels}
        result[split] = {"pictures": int(rows["image_id"].nunique()), "boxes": len(rows), **by_label}
    return result


def read_data(
    workspace: Workspace, boxes: "pd.DataFrame", labels: Sequence[str], *, in_crops: bool = False
) -> "tuple[DetectionData, pd.DataFrame, list[str]]":
    """Bring boxes and pictures together; every picture is decoded once, to see that it can be.

    Args:
        workspace: holds the pictures.
        boxes: see :func:`choose_boxes`; or some of them, in their order; a teacher's may be among them, with a column
            ``score``.
        labels: in the order of their class numbers; the boxes have no others.
        in_crops: see :class:`DetectionData`.

    Returns:
        The data; the boxes on pictures that decode; and the paths of the pictures that do not.
    """
    table = pyarrow.Table.from_pandas(boxes, columns=["image_id", "path", "split", "label"], preserve_index=False)
    # The boxes are sorted by picture.
    starts = np.flatnonzero(_is_other(table["path"]))
    pictures = table.select(["image_id", "path", "split"]).take(pyarrow.array(starts))
    rows = geometry_rows(workspace.root, pictures["path"])
    measures = {name: pyarrow.array(rows.array(name)) for name in ("width", "height", "orientation")}
    borders = np.append(starts, len(boxes))
    columns = {**measures, "first": pyarrow.array(borders[:-1]), "last": pyarrow.array(borders[1:])}
    for name, column in columns.items():
        pictures = pictures.append_column(name, column)
    labelled = table["label"].combine_chunks().dictionary_encode()
    corners = boxes[_CORNERS].to_numpy(np.float64)
    scores = boxes["score"].to_numpy(np.float64) if "score" in boxes else None
    splits = {}
    for split in SPLITS:
        is_in = pyarrow.compute.equal(pictures["split"], str(split)).to_numpy() & rows.is_readable
        if is_in.any():
            splits[str(split)] = _Pictures(workspace, pictures.filter(pyarrow.array(is_in)), labelled, corners, scores)
    unreadable = sorted(pictures["path"].filter(pyarrow.array(~rows.is_readable)).to_pylist())
    if unreadable:
        boxes = boxes[np.repeat(rows.is_readable, np.diff(borders))]
    return DetectionData(tuple(labels), splits, in_crops), boxes, unreadable


def validated(measured: Mapping[str, Any], boxes: "pd.DataFrame") -> dict[str, Any]:
    """What a run's metrics say of its validation, see :mod:`fullshot.train.validation`; empty where there was none.

    Args:
        measured: ``measured_on``, the split, and ``map50``.
        boxes: on pictures that decode; a teacher's are of the split train.
    """
    if measured["measured_on"] != "val":
        return {}
    rows = boxes.loc[boxes["split"] == "val", ["image_id", "label", *_CORNERS]]
    return validation.entry("mAP@0.5", measured["map50"], validation.digest_of_rows(boxes=rows))


def _is_other(values: pyarrow.ChunkedArray) -> NDArray[np.bool_]:
    """Which of N values differ from the one before them, shape (N,); the first does."""
    is_other = np.ones(len(values), np.bool_)
    if len(values) > 1:
        is_other[1:] = pyarrow.compute.not_equal(values[1:], values[:-1]).to_numpy()
    return is_other


@dataclass(frozen=True, eq=False)
class _Pictures(Sequence[DetectionPicture]):
    """Pictures with their boxes, in columns: of millions few are objects at a time.

    Attributes:
        workspace: that their paths are relative to.
        rows: a row a picture: ``image_id``, ``path``, ``width``, ``height`` and ``orientation`` as it is stored, and
            ``first`` and ``last``, the numbers of its first box and of the one after its last.
        labels: N, of boxes; those of other pictures are among them.
        corners: shape (N, 4): ``(x_min, y_min, x_max, y_max)``, in pixels of the pictures as they are stored.
        scores: shape (N,); NaN of a box that somebody drew; None: all are such.
    """

    workspace: Workspace
    rows: pyarrow.Table
    labels: pyarrow.DictionaryArray
    corners: NDArray[np.float64]
    scores: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    @overload
    def __getitem__(self, index: int) -> DetectionPicture: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[DetectionPicture]: ...
    def __getitem__(self, index: int | slice) -> DetectionPicture | Sequence[DetectionPicture]:
        numbers = range(len(self))[index]
        if isinstance(numbers, int):
            return next(self._made(self.rows.slice(numbers, 1)))
        return replace(self, rows=self.rows.take(pyarrow.array(numbers)))

    def __iter__(self) -> Iterator[DetectionPicture]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self._made(self.rows.slice(start, _AT_ONCE))

    def _made(self, rows: pyarrow.Table) -> Iterator[DetectionPicture]:
        names = ("image_id", "path", "width", "height", "orientation", "first", "last")
        for row in zip(*(rows[name].to_pylist() for name in names), strict=True):
            yield self._picture(*row)

    def _picture(
        self, image_id: str, path: str, width: int, height: int, orientation: int, first: int, last: int
    ) -> DetectionPicture:
        geometry = ImageGeometry(width, height, orientation)
        labels = self.labels[first:last].to_pylist()
        scores = [None] * len(labels) if self.scores is None else self.scores[first:last].tolist()
        boxes = tuple(
            Box(label, *geometry.to_upright(corners), None if score is None or math.isnan(score) else score)
            for label, corners, score in zip(labels, map(tuple, self.corners[first:last].tolist()), scores, strict=True)
        )
        return DetectionPicture(image_id, self.workspace / path, *geometry.upright_size, boxes, orientation != 1)
