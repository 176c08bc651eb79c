"""The revisions of pictures: each state of an annotation that was pulled, in ``annotations``, with its ``boxes``."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from fullshot.core import tables
from fullshot.core.annotations import CONSENSUS
from fullshot.core.boxes import Box
from fullshot.core.dataset import Dataset
from fullshot.core.files import read_json, write_text
from fullshot.core.progress import say

CORNERS = ("x_min", "y_min", "x_max", "y_max")
CONSENSUS_NUMBER = 0
"""Stands for the number of an annotation where the row is what several annotators agree on."""

_DIGITS = 6  # of a pixel

# Boxes that did not come from Label Studio have revisions too.
_HIGHEST = """
SELECT image_id, max(revision) FROM (
    SELECT image_id, revision FROM annotations UNION ALL SELECT image_id, revision FROM boxes WHERE source = 'human'
) WHERE image_id IN (SELECT unnest($asked)) AND revision IS NOT NULL GROUP BY image_id
"""
_ROWS = """
SELECT {columns} FROM annotations WHERE project = $project AND image_id IN (SELECT unnest($asked))
ORDER BY image_id, revision
"""
_AGREED = f"""
SELECT image_id, revision, label, {", ".join(CORNERS)} FROM boxes
WHERE source = 'human' AND annotator = '{CONSENSUS}' AND image_id IN (SELECT unnest($asked)) AND revision IS NOT NULL
"""
_IS_LEFT = """
source = 'human' AND (image_id, revision) IN (
    SELECT image_id, revision FROM begun ANTI JOIN annotations USING (image_id, revision)
)
"""
_LEFT = f"SELECT count(*) FROM boxes WHERE {_IS_LEFT}"
_WITHOUT_LEFT = f"""
SELECT * EXCLUDE (_fs_place) FROM (
    SELECT *, row_number() OVER () AS _fs_place FROM boxes WHERE coalesce(NOT ({_IS_LEFT}), true)
) ORDER BY _fs_place
"""
_BOXES = """
SELECT * EXCLUDE (_fs_part, _fs_place) FROM (
    SELECT *, 0 AS _fs_part, row_number() OVER () AS _fs_place FROM boxes
    UNION ALL BY NAME SELECT *, 1 AS _fs_part, row_number() OVER () AS _fs_place FROM new_boxes
) ORDER BY _fs_part, _fs_place
"""
_ANNOTATIONS = """
SELECT * FROM annotations UNION ALL BY NAME SELECT * FROM new_annotations ORDER BY image_id, revision
"""


class EarlierRevisions:
    """What earlier pulls brought of each picture; of those pictures that :meth:`look_up` was asked for.

    Boxes that a pull wrote which was killed before it wrote their annotations are taken out of ``boxes`` first.

    Args:
        data: with ``annotations``, of all projects, and ``boxes``.
        project: whose annotations are looked up; revision numbers are shared by all projects.
    """

    def __init__(self, data: Dataset, project: str) -> None:
        for name in ("annotations", "boxes"):
            data.make_if_missing(name)
        _undo_what_was_begun(data)
        self._data, self._project = data, project
        self._given: dict[str, int] = {}
        self._highest: dict[str, int] = {}
        self._rows: dict[str, dict[int, dict[str, Any]]] = {}
        self._agreed: dict[tuple[str, int], list[tuple[Any, ...]]] = {}

    def look_up(self, identities: Sequence[str]) -> None:
        """Read what is known of some pictures; what was known of others is forgotten."""
        asked = list(identities)
        self._highest = {name: int(revision) for name, revision in self._data.rows(_HIGHEST, asked=asked)}
        self._rows, self._agreed = {}, {}
        names = tables.columns("annotations")
        for values in self._data.rows(_ROWS.format(columns=", ".join(names)), asked=asked, project=self._project):
            row = dict(zip(names, values, strict=True))
            self._rows.setdefault(row["image_id"], {})[int(row["annotation"] or CONSENSUS_NUMBER)] = row
        for identity, revision, *box in self._data.rows(_AGREED, asked=asked):
            self._agreed.setdefault((identity, int(revision)), []).append(tuple(box))

    def of(self, identity: str) -> Mapping[int, dict[str, Any]]:
        """The newest row of each annotation of a picture, by the annotation's number."""
        return self._rows.get(identity, {})

    def agreed_on(self, identity: str, row: Mapping[str, Any], boxes: Sequence[Box]) -> bool:
        """Whether a row of what several agreed on came with exactly these boxes."""
        before = self._agreed.get((identity, int(row["revision"])), [])
        return _rounded(before) == _rounded((box.label, *box.corners) for box in boxes)

    def next_number(self, identity: str) -> int:
        """The number of a new revision of a picture."""
        self._given[identity] = max(self._highest.get(identity, 0), self._given.get(identity, 0)) + 1
        return self._given[identity]


def _rounded(boxes: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Boxes, each a label and its corners, sorted and rounded so that they can be compared."""
    return sorted((label, *(round(float(corner), _DIGITS) for corner in corners)) for label, *corners in boxes)


def append(data: Dataset, annotations: Sequence[dict[str, Any]], boxes: Sequence[dict[str, Any]]) -> None:
    """Append new revisions to the tables.

    Args:
        data: of the tables.
        annotations: new rows of ``annotations``.
        boxes: new rows of ``boxes``, those of these revisions.
    """
    if not annotations:
        return
    for name in ("annotations", "boxes"):
        data.make_if_missing(name)
    begun = _begun(data)
    rows = [{name: row.get(name) for name in tables.columns("annotations")} for row in annotations]
    data.create("new_annotations", tables.frame("annotations", rows))
    # Boxes first: a revision without its boxes would mean that the picture has none. Killed between the two tables,
    # this leaves boxes of no annotation: what was begun is written down, so that the next pull takes them out.
    if boxes:
        data.create("new_boxes", tables.frame("boxes", boxes))
        write_text(begun, json.dumps({"revisions": sorted({(box["image_id"], box["revision"]) for box in boxes})}))
        data.write("boxes", _BOXES)
    data.write("annotations", _ANNOTATIONS)
    begun.unlink(missing_ok=True)


def _begun(data: Dataset) -> Path:
    """The file that says which revisions a pull is about to write; there is none once it is done."""
    return data.workspace / ".pull-begun.json"


def _undo_what_was_begun(data: Dataset) -> None:
    """Take out the boxes that a killed pull wrote, where it wrote no annotation of their revision."""
    file = _begun(data)
    revisions = read_json(file).get("revisions", [])
    if revisions:
        identities, numbers = zip(*revisions, strict=True)
        columns = {"image_id": pa.array(identities, pa.string()), "revision": pa.array(numbers, pa.int64())}
        data.create("begun", pa.table(columns))
        ((left,),) = data.rows(_LEFT)
        if left:
            data.write("boxes", _WITHOUT_LEFT)
            say(f"fullshot: an earlier pull was killed: boxes of no annotation that it left are taken out: {left}")
        data.drop("begun")
    file.unlink(missing_ok=True)
