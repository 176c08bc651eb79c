"""Splits that a data set of one's own brings along: they are kept, as its makers divided it."""

import pyarrow

from fullshot.core.dataset import Dataset
from fullshot.core.progress import say
from fullshot.core.tables.schemas import SPLITS

# Those of the workspace stream by.
_HERE = """
SELECT DISTINCT image_id, split FROM (
    SELECT image_id, split FROM splits UNION ALL SELECT image_id, split FROM curated WHERE split IS NOT NULL
) SEMI JOIN imported_splits USING (image_id)
"""
_TOGETHER = """
SELECT * FROM splits UNION ALL BY NAME SELECT image_id, split FROM new_splits ORDER BY image_id
"""


def keep_splits(data: Dataset, splits: pyarrow.Table) -> dict[str, int]:
    """Give pictures the splits that a data set has them in; `fullshot curate` keeps what a picture has once.

    A picture that has another split here stays in it: what was tested on is never trained on. Says so.

    Args:
        data: the tables.
        splits: columns ``image_id`` and ``split``, a row a picture.

    Returns:
        How many pictures were given each split.
    """
    if not splits.num_rows:
        return {}
    for name in ("splits", "curated"):
        data.make_if_missing(name)
    data.create("imported_splits", splits)
    data.create("splits_here", _HERE)
    ((other,),) = data.rows(
        "SELECT count(DISTINCT image_id) FROM imported_splits JOIN splits_here AS here USING (image_id) "
        "WHERE imported_splits.split <> here.split"
    )
    if other:
        say(
            f"boxes import: {other} pictures have another split here than in the file and stay in it: a data set's own "
            "splits are kept where it is imported before `fullshot curate`"
        )
    data.create("new_splits", "SELECT * FROM imported_splits ANTI JOIN splits_here USING (image_id)")
    found = dict(data.rows("SELECT split, count(*) FROM new_splits GROUP BY split"))
    if found:
        data.write("splits", _TOGETHER)
    return {split: found[split] for split in SPLITS if split in found}
