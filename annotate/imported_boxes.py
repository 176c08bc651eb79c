"""Boxes of one's own take the place of those imported before; what is there already is not added again."""

from collections.abc import Collection

import pyarrow

from fullshot.annotate.formats import BOX_FORMATS
from fullshot.annotate.formats.labels import LabelMap
from fullshot.core.annotations import TRUSTED, create_trusted_boxes
from fullshot.core.clock import now
from fullshot.core.dataset import Dataset
from fullshot.core.progress import say
from fullshot.core.tables.cells import literal

SOURCE = "import"

_SAME, _SAME_WHOLE = 0.5, 1.0
"""Pixels by which the sides of a box differ at most from those of one that is there, where the two are the same; and
where the format has whole pixels alone, which lie round the box."""

KEYS = ("image_id", "label", "x_min", "y_min", "x_max", "y_max")
"""What tells a box from others."""

COLUMNS = (*KEYS, "product_type")
"""Of the boxes that a file holds."""

_CORNERS = KEYS[2:]
_NUMBERED = f"SELECT row_number() OVER () AS place, {', '.join(KEYS)}"
_PAIRS = f"""
SELECT imported.place AS mine, there.place AS other FROM imported JOIN there USING (image_id, label)
WHERE {" AND ".join(f"abs(imported.{corner} - there.{corner}) <= {{within}}" for corner in _CORNERS)}
"""
_MET = """
SELECT image_id, count(*) AS boxes, count(met.place) AS met
FROM {boxes} LEFT JOIN (SELECT DISTINCT {column} AS place FROM pairs) AS met USING (place) GROUP BY image_id
"""
_SAME_PICTURES = f"""
SELECT image_id FROM ({_MET.format(boxes="imported", column="mine")}) AS mine
JOIN ({_MET.format(boxes="there", column="other")}) AS other USING (image_id)
WHERE mine.met = mine.boxes AND ($one_box OR (other.met = other.boxes AND mine.boxes = other.boxes))
"""
_TOGETHER = f"""
SELECT * EXCLUDE (_fs_part, _fs_place) FROM (
    SELECT *, 0 AS _fs_part, row_number() OVER () AS _fs_place FROM boxes
    WHERE source <> '{SOURCE}' OR image_id NOT IN (SELECT image_id FROM replaced)
    UNION ALL BY NAME
    SELECT {", ".join(COLUMNS)}, '{SOURCE}' AS source, '{{moment}}' AS updated_at, 1 AS _fs_part, place AS _fs_place
    FROM imported WHERE image_id IN (SELECT image_id FROM replaced)
) ORDER BY _fs_part, _fs_place
"""


def replace_imported(
    data: Dataset,
    pictures: pyarrow.Array,
    bare: Collection[str],
    boxes: pyarrow.Table,
    label_map: LabelMap,
    format: str,
) -> tuple[int, int]:
    """Put the imported rows in place of those imported before for the same pictures.

    Of a picture the boxes of its best source count alone, so they stay together: where all of them are there already,
    nothing is added, and where one differs or is gone, all are imported.

    Args:
        data: the tables.
        pictures: the ``image_id`` of those that the file tells of.
        bare: those of them of which it has no box: what people drew and a shop said stays.
        boxes: theirs, with the columns :data:`COLUMNS`.
        label_map: says what the file's format can carry: what it cannot is no difference.
        format: the file's, a key of :data:`fullshot.annotate.formats.BOX_FORMATS`.

    Returns:
        How many boxes are known, and how many of the bare pictures have boxes that stay.
    """
    is_there = data.has("boxes")
    data.make_if_missing("boxes")
    data.create("new_boxes", boxes)
    data.create("imported", f"SELECT row_number() OVER () AS place, {', '.join(COLUMNS)} FROM new_boxes")
    data.create("replaced", pyarrow.table({"image_id": pictures}))
    known = without = 0
    if is_there and len(pictures):
        known, without = _leave_known(data, label_map, format), _keeping(data, bare, label_map)
        left = "WHERE image_id IN (SELECT image_id FROM replaced)"
        ((changed,),) = data.rows(
            f"SELECT (SELECT count(*) FROM imported {left}) + (SELECT count(*) FROM boxes {left} AND source = $source)",
            source=SOURCE,
        )
        if not changed:
            if boxes.num_rows:
                say("boxes import: nothing has changed: all of these boxes are there already")
            return known, without
    elif is_there:
        return known, without
    data.write("boxes", _TOGETHER.format(moment=now()))
    return known, without


def _keeping(data: Dataset, bare: Collection[str], label_map: LabelMap) -> int:
    """How many pictures without a box in the file have boxes that an import does not replace; says so."""
    if not bare:
        return 0
    create_trusted_boxes(data, [source for source in TRUSTED if source != SOURCE], rejected=True)
    data.create("bare", pyarrow.table({"image_id": pyarrow.array(bare, pyarrow.string())}))
    labels = ", ".join(map(literal, label_map.export))
    ((count,),) = data.rows(
        f"SELECT count(DISTINCT image_id) FROM trusted_boxes SEMI JOIN bare USING (image_id) WHERE label IN ({labels})"
    )
    if count:
        have = "picture has no box in the file and keeps" if count == 1 else "pictures have no box in the file and keep"
        say(f"boxes import: {count} listed {have} the boxes that are here")
    return int(count)


def _leave_known(data: Dataset, label_map: LabelMap, format: str) -> int:
    """Take the pictures whose boxes are there out of ``replaced``; returns how many boxes they have in the file."""
    box_format = BOX_FORMATS.get(format)
    within = _SAME_WHOLE if box_format.whole_pixels else _SAME
    labels = ", ".join(map(literal, label_map.export))
    create_trusted_boxes(data, rejected=True)
    earlier = f"boxes WHERE source = '{SOURCE}' AND"
    for number, boxes in enumerate((f"trusted_boxes WHERE label IN ({labels}) AND", earlier)):
        data.create("there", f"{_NUMBERED} FROM {boxes} image_id IN (SELECT image_id FROM replaced)")
        data.create("pairs", _PAIRS.format(within=within))
        same = data.arrow(_SAME_PICTURES, one_box=box_format.one_box and not number)
        data.create(f"same_{number}", same)
    data.create("same", "SELECT image_id FROM same_0 UNION SELECT image_id FROM same_1")
    data.create("to_replace", "SELECT image_id FROM replaced WHERE image_id NOT IN (SELECT image_id FROM same)")
    ((known,),) = data.rows("SELECT count(*) FROM imported WHERE image_id IN (SELECT image_id FROM same)")
    data.define("replaced", "SELECT image_id FROM to_replace")
    return int(known)
