"""The revisions of pictures: each state of an annotation that was pulled, in ``annotations``, with its ``boxes``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fullshot.core import tables
from fullshot.core.annotations import CONSENSUS
from fullshot.core.boxes import Box
from fullshot.core.dataset import Dataset

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
_BOXES = """
SELECT * EXCLUDE (_fs_part, _fs_place) FROM (
    SELECT *, 0 AS _fs_part, row_number() OVER () AS _fs_place FROM boxes
    WHERE source IS DISTINCT FROM 'human' OR revision IS NULL
        OR (image_id, revision) NOT IN (SELECT image_id, revision FROM new_annotations)
    UNION ALL BY NAME SELECT *, 1 AS _fs_part, row_number() OVER () AS _fs_place FROM new_boxes
) ORDER BY _fs_part, _fs_place
"""
_ANNOTATIONS = """
SELECT * FROM annotations UNION ALL BY NAME SELECT * FROM new_annotations ORDER BY image_id, revision
"""


class EarlierRevisions:
    """What earlier pulls brought of each picture; of those pictures that :meth:`look_up` was asked for.

    Args:
        data: with ``annotations``, of all projects, and ``boxes``.
        project: whose annotations are looked up; revision numbers are shared by all projects.
    """

    def __init__(self, data: Dataset, project: str) -> None:
        for name in ("annotations", "boxes"):
            data.make_if_missing(name)
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
    rows = [{name: row.get(name) for name in tables.columns("annotations")} for row in annotations]
    data.create("new_annotations", tables.frame("annotations", rows))
    # Boxes first: a revision without its boxes would mean that the picture has none.
    if boxes:
        data.create("new_boxes", tables.frame("boxes", boxes))
        # A pull that was killed between the two tables left the boxes of these revisions; they are replaced.
        data.write("boxes", _BOXES)
    data.write("annotations", _ANNOTATIONS)
