"""What an evaluation asks of a workspace's tables: the boxes, what pictures share, and where they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.compute as pc

from fullshot.core import leakage
from fullshot.core.dataset import Dataset
from fullshot.core.tables.schemas import SPLITS
from fullshot.train.detector.data import CHOSEN, WANTED, choose_boxes

if TYPE_CHECKING:
    import pandas as pd

WANTED_HERE: Mapping[str, Sequence[str]] = {
    **{name: columns for name, columns in WANTED.items() if name != "curated"},
    "products": ("product_id", "style", "product_type"),
    "annotations": (*WANTED["annotations"], "task"),
}
"""The columns to open a data set with; of ``curated`` all, for a user may have more than the schema names."""

OF_CURATED = ("shot", "occlusion", "layering")
"""Columns of ``curated`` that pictures are told apart by, where it has them."""

UNKNOWN = "unknown"
"""The name of a group whose pictures' cells are empty."""

_OF_PRODUCTS = {"shop": "split_part(product_id, ':', 1)", "product_type": "product_type"}
_HERE = f"SEMI JOIN (SELECT image_id FROM {CHOSEN} WHERE split = $split) USING (image_id)"
_TASKS = f"""
SELECT image_id, split_part(project, ' ', 1) AS project, task FROM newest_annotations {_HERE}
WHERE project IS NOT NULL AND task IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY image_id ORDER BY revision DESC) = 1
"""


@dataclass(frozen=True)
class SplitRows:
    """What the tables say of a split.

    Attributes:
        boxes: see :func:`fullshot.train.detector.data.choose_boxes`.
        groups: by what pictures are told apart (``shop``, ``product_type``, and those of :data:`OF_CURATED` that are
            there): ``image_id`` and ``name``, a row a picture and group; a picture of two products may be in two.
        tasks: ``image_id``, ``project`` and ``task``: the numbers of its newest task in Label Studio.
    """

    boxes: "pd.DataFrame"
    groups: Mapping[str, pyarrow.Table]
    tasks: pyarrow.Table

    def task_of(self, image_id: str) -> str | None:
        """Where on its server a person opens the task of a picture; None where none is known."""
        row = pc.index(self.tasks["image_id"], image_id).as_py()
        if row < 0:
            return None
        project, task = (self.tasks[name][row].as_py() for name in ("project", "task"))
        return f"/projects/{project}/data?task={task}"


def read_splits(data: Dataset, labels: Sequence[str], splits: Sequence[str]) -> dict[str, SplitRows]:
    """Ask the tables of some splits.

    Args:
        data: opened with :data:`WANTED_HERE`.
        labels: of the boxes that count.
        splits: of ``train``, ``val`` and ``test``.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    boxes = choose_boxes(data, labels, splits[0] if len(splits) == 1 else None)
    data.make_if_missing("products")
    return {split: _rows(data, boxes[boxes["split"] == split], split) for split in splits}


def _rows(data: Dataset, boxes: "pd.DataFrame", split: str) -> SplitRows:
    groups = {
        name: data.arrow(
            f"SELECT DISTINCT image_id, coalesce({what}, '{UNKNOWN}') AS name "
            f"FROM (SELECT image_id, product_id FROM images {_HERE}) LEFT JOIN products USING (product_id)",
            split=split,
        )
        for name, what in _OF_PRODUCTS.items()
    }
    for column in _columns_of_curated(data):
        groups[column] = data.arrow(
            f"SELECT image_id, coalesce({column}::VARCHAR, '{UNKNOWN}') AS name FROM curated {_HERE}", split=split
        )
    return SplitRows(boxes, groups, data.arrow(_TASKS, split=split))


def not_there(groups: Mapping[str, Any]) -> list[str]:
    """The columns of :data:`OF_CURATED` that the table does not have."""
    return [name for name in OF_CURATED if name not in groups]


def _columns_of_curated(data: Dataset) -> list[str]:
    there = {str(row[0]) for row in data.rows("SELECT column_name FROM (DESCRIBE SELECT * FROM curated)")}
    return [name for name in OF_CURATED if name in there]


def facts(data: Dataset) -> dict[str, Any]:
    """What a model card says of the data, once boxes were chosen: sizes of the splits, where they come from, leaks.

    Args:
        data: that :func:`read_splits` was asked of.
    """
    splits: dict[str, dict[str, Any]] = {split: {"pictures": 0, "boxes": 0, "labels": {}} for split in SPLITS}
    for split, pictures in data.rows(f"SELECT split, count(DISTINCT image_id) FROM {CHOSEN} GROUP BY split"):
        splits[split]["pictures"] = pictures
    counts = f"SELECT split, label, count(*) FROM {CHOSEN} GROUP BY ALL ORDER BY ALL"
    for split, label, boxes in data.rows(counts):
        splits[split]["boxes"] += boxes
        splits[split]["labels"][label] = boxes
    shops = data.rows(
        "SELECT split_part(product_id, ':', 1) AS shop, count(DISTINCT image_id) FROM images "
        f"SEMI JOIN (SELECT image_id FROM {CHOSEN}) USING (image_id) GROUP BY shop ORDER BY shop"
    )
    sources = data.rows(
        f"SELECT source, count(*) FROM boxes SEMI JOIN (SELECT image_id FROM {CHOSEN}) USING (image_id) "
        "GROUP BY source ORDER BY source"
    )
    leaks = leakage.by_tables(data)
    return {
        "splits": splits,
        "pictures_of_shops": dict(shops),
        "boxes_by_source": dict(sources),
        "leaks": {"count": len(leaks), "examples": [str(leak) for leak in leaks[: leakage.MOST_NAMED]]},
    }
