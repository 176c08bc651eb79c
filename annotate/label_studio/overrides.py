"""What annotators say of shots, as people's overrides in ``verdicts``."""

from collections.abc import Set

import pyarrow

from fullshot.core.annotations import CONSENSUS
from fullshot.core.dataset import Dataset

FULL, UNCLEAR = "full", "unclear"
"""Shots of ``verdicts``."""

_SHOT = f"CASE WHEN verdict = 'boxes' THEN '{FULL}' ELSE shot END"

# What more than half of several people say of a picture, else unclear.
_OF_SEVERAL = f"""
WITH latest AS (
    SELECT image_id, {_SHOT} AS shot FROM (
        SELECT * FROM newest_annotations WHERE verdict <> 'skipped' AND annotator IS DISTINCT FROM '{CONSENSUS}'
        QUALIFY row_number() OVER (PARTITION BY image_id, annotator ORDER BY revision DESC) = 1
    ) AS each_person
),
counted AS (SELECT image_id, shot, count(*) AS votes FROM latest WHERE shot IS NOT NULL GROUP BY image_id, shot)
SELECT image_id, CASE WHEN 2 * max(votes) > sum(votes) THEN arg_max(shot, votes) ELSE '{UNCLEAR}' END AS shot
FROM counted GROUP BY image_id HAVING sum(votes) > 1
"""

_CHANGED = f"""
WITH annotated AS (
    SELECT image_id, list(DISTINCT annotator) AS names FROM annotations GROUP BY image_id
),
known AS (
    SELECT annotated.image_id, verdicts.shot AS before,
        verdicts.shot IS NOT NULL AND coalesce(list_contains(names, verdicts.annotator), false) AS is_ours,
        force.image_id IS NOT NULL AS is_annotated, force.annotator, force.updated_at,
        coalesce(several.shot, {_SHOT.replace("shot END", "force.shot END")}, verdicts.shot) AS said,
        coalesce(full_shot, false) AS is_full, fresh.image_id IS NOT NULL AS is_fresh
    FROM annotated LEFT JOIN verdicts USING (image_id)
    LEFT JOIN annotations_in_force AS force USING (image_id)
    LEFT JOIN shots_of_several AS several USING (image_id)
    LEFT JOIN (SELECT image_id, full_shot FROM curated) AS curated USING (image_id)
    LEFT JOIN fresh USING (image_id)
),
judged AS (
    SELECT *, CASE
        WHEN NOT is_annotated THEN CASE WHEN NOT is_ours THEN before END
        WHEN before IS NOT NULL AND NOT is_ours AND NOT is_fresh THEN before
        WHEN said = '{FULL}' AND before IS NULL AND is_full THEN NULL -- boxes on what is held for full change nothing
        ELSE said END AS shot
    FROM known
)
SELECT image_id, shot, annotator, updated_at FROM judged WHERE shot IS DISTINCT FROM before
"""

# What else stands in a row stays, a person's note and further columns among it.
_CHANGED_CELLS = {"shot": "shot", "annotator": "annotator", "judged_at": "updated_at"}
_WRITTEN = f"""
SELECT verdicts.* EXCLUDE (_fs_place) REPLACE (coalesce(verdicts.image_id, changed.image_id) AS image_id, {
    ", ".join(
        f"CASE WHEN changed.image_id IS NULL THEN verdicts.{name} ELSE changed.{cell} END AS {name}"
        for name, cell in _CHANGED_CELLS.items()
    )
})
FROM (SELECT *, row_number() OVER () AS _fs_place FROM verdicts) AS verdicts
FULL JOIN changed_shots AS changed ON changed.image_id = verdicts.image_id
WHERE changed.image_id IS NULL OR changed.shot IS NOT NULL OR verdicts.keep IS NOT NULL OR verdicts.note IS NOT NULL
ORDER BY verdicts._fs_place NULLS LAST, coalesce(verdicts.image_id, changed.image_id)
"""


def update_overrides(data: Dataset, fresh: Set[str]) -> int:
    """Bring what annotators say of shots into ``verdicts``.

    Of several annotators more than half decide; where they differ, the picture is unclear. An override that somebody
    wrote there by hand stays until an annotator says something new of that picture.

    Args:
        data: with the annotations.
        fresh: pictures that have new annotations.

    Returns:
        How many overrides changed.
    """
    for name in ("annotations", "curated", "verdicts"):
        data.make_if_missing(name)
    data.create("fresh", pyarrow.table({"image_id": pyarrow.array(fresh, pyarrow.string())}))
    data.create("shots_of_several", _OF_SEVERAL)
    data.create("changed_shots", _CHANGED)
    ((changed,),) = data.rows("SELECT count(*) FROM changed_shots")
    if changed:
        data.write("verdicts", _WRITTEN)
    return int(changed)
