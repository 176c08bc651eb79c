"""The revisions of pictures: each state of an annotation that was pulled, in ``annotations``, with its ``boxes``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fullshot.core import tables
from fullshot.core.boxes import Box
from fullshot.core.workspace import Workspace

CORNERS = ("x_min", "y_min", "x_max", "y_max")
CONSENSUS_NUMBER = 0
"""Stands for the number of an annotation where the row is what several annotators agree on."""

_DIGITS = 6  # of a pixel


class EarlierRevisions:
    """What earlier pulls brought of each picture.

    Args:
        annotations: the table, with the annotations of all projects.
        boxes: the table.
        project: whose annotations are looked up; revision numbers are shared by all projects.
    """

    def __init__(self, annotations: pd.DataFrame, boxes: pd.DataFrame, project: str) -> None:
        self._rows: dict[str, dict[int, dict[Any, Any]]] = {}
        human = boxes[boxes["source"].eq("human") & boxes["revision"].notna()]
        # Boxes that did not come from Label Studio have revisions too.
        highest = human.groupby("image_id")["revision"].max()
        self._revision = {str(identity): int(str(revision)) for identity, revision in highest.items()}
        self._boxes: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
        for identity, revision, *box in human[["image_id", "revision", "label", *CORNERS]].itertuples(index=False):
            self._boxes.setdefault((identity, int(revision)), []).append(tuple(box))
        rows = annotations.astype(object).where(annotations.notna(), None)
        for row in rows.sort_values(["image_id", "revision"]).to_dict("records"):
            identity = str(row["image_id"])
            self._revision[identity] = max(int(row["revision"]), self._revision.get(identity, 0))
            if row["project"] == project:
                number = int(row["annotation"] or CONSENSUS_NUMBER)
                self._rows.setdefault(identity, {})[number] = dict(row)

    def of(self, identity: str) -> Mapping[int, dict[Any, Any]]:
        """The newest row of each annotation of a picture, by the annotation's number."""
        return self._rows.get(identity, {})

    def has_boxes(self, identity: str, row: Mapping[Any, Any], boxes: Sequence[Box]) -> bool:
        """Whether a row came with exactly these boxes."""
        before = self._boxes.get((identity, int(row["revision"])), [])
        return _rounded(before) == _rounded((box.label, *box.corners) for box in boxes)

    def next_number(self, identity: str) -> int:
        """The number of a new revision of a picture."""
        self._revision[identity] = self._revision.get(identity, 0) + 1
        return self._revision[identity]


def _rounded(boxes: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Boxes, each a label and its corners, sorted and rounded so that they can be compared."""
    return sorted((label, *(round(float(corner), _DIGITS) for corner in corners)) for label, *corners in boxes)


def append(workspace: Workspace, annotations: Sequence[dict[str, Any]], boxes: Sequence[dict[str, Any]]) -> None:
    """Append new revisions to the tables.

    Args:
        workspace: of the tables.
        annotations: new rows of ``annotations``.
        boxes: new rows of ``boxes``, those of these revisions.
    """
    if not annotations:
        return
    # Boxes first: a revision without its boxes would mean that the picture has none.
    if boxes:
        stored = workspace.read_if_there("boxes")
        # A pull that was killed between the two tables left the boxes of these revisions; they are replaced.
        fresh = {(row["image_id"], row["revision"]) for row in annotations}
        keys = zip(stored["source"], stored["image_id"], stored["revision"], strict=True)
        stays = [source != "human" or (identity, revision) not in fresh for source, identity, revision in keys]
        stored = stored[np.array(stays, dtype=bool)]
        workspace.write("boxes", pd.concat([stored, tables.frame("boxes", boxes)], ignore_index=True))
    columns = tables.columns("annotations")
    rows = tables.frame("annotations", [{name: row.get(name) for name in columns} for row in annotations])
    together = pd.concat([workspace.read_if_there("annotations"), rows], ignore_index=True)
    workspace.write("annotations", together.sort_values(["image_id", "revision"], ignore_index=True))
