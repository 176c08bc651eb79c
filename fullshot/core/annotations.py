"""Which boxes count as true: those that people drew and did not take back, before imported ones and the shop's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fullshot.core.dataset import Dataset
from fullshot.core.derived import CONSENSUS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CONSENSUS", "TRUSTED", "WITHDRAWN", "create_trusted_boxes", "trusted_boxes"]

TRUSTED = ("human", "import", "shop")
"""Sources of boxes that are taken for true, best first. A model does not learn from what a model guessed."""

WITHDRAWN = "deleted in Label Studio"
"""Comment of an annotation that was there once and is no more."""

_CORNERS = ("x_min", "y_min", "x_max", "y_max")

# Of a picture: its best source, and of this the newest revision.
_PLACE = "list_position({sources}, boxes.source)"
_REVISION = "coalesce(boxes.revision, 0)"

_BEST = f"""
SELECT image_id, min(place) AS place, arg_min(revision, place) AS revision FROM (
    SELECT image_id, {_PLACE} AS place, max({_REVISION}) AS revision
    FROM standing_boxes AS boxes LEFT JOIN annotations_in_force AS force USING (image_id)
    WHERE boxes.source IN {{sources}}
        AND (boxes.source = 'human' OR NOT list_contains({{sources}}, 'human') OR force.image_id IS NULL)
    GROUP BY ALL
) GROUP BY image_id
"""
_BEST_PLACES = """
SELECT image_id, split, path, width, height, place, best_boxes.revision AS best_revision
FROM pictures JOIN best_boxes USING (image_id) LEFT JOIN (SELECT image_id, split, keep FROM curated) USING (image_id)
WHERE coalesce(keep, true) OR {rejected}
"""
_QUERY = f"""
SELECT DISTINCT * FROM (
    SELECT image_id, split, path, width, height, label,
        least(greatest(x_min, 0), width::DOUBLE) AS x_min, least(greatest(y_min, 0), height::DOUBLE) AS y_min,
        least(greatest(x_max, 0), width::DOUBLE) AS x_max, least(greatest(y_max, 0), height::DOUBLE) AS y_max
    FROM standing_boxes AS boxes JOIN best_places USING (image_id)
    WHERE boxes.source IN {{sources}} AND {_PLACE} = place AND {_REVISION} = best_revision
) WHERE x_min < x_max AND y_min < y_max ORDER BY ALL
"""


def trusted_boxes(data: Dataset, sources: Sequence[str] = TRUSTED) -> "pd.DataFrame":
    """The boxes that count, one row a box, on pictures that were not rejected.

    Where a picture has boxes from several sources, the best source's newest revision counts alone. What people changed
    or took back since counts no more; and where somebody said that there is no garment, or no full shot, there is none,
    whatever a shop says.

    Args:
        data: with ``images`` and ``boxes``; without ``curated`` no picture has a split.
        sources: of the boxes, best first.

    Returns:
        Columns ``image_id, split, path, width, height, label, x_min, y_min, x_max, y_max``; ``split`` is missing where
        it is not known; corners in pixels, inside the picture; sorted.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    create_trusted_boxes(data, sources)
    rows = data.frame("trusted_boxes")
    return rows.astype(dict.fromkeys(_CORNERS, "float64"))


def create_trusted_boxes(data: Dataset, sources: Sequence[str] = TRUSTED, *, rejected: bool = False) -> None:
    """Let queries of a data set find the boxes that count, as ``trusted_boxes``; see :func:`trusted_boxes`.

    Args:
        data: see there.
        sources: see there.
        rejected: whether those on rejected pictures are among them.
    """
    data.make_if_missing("curated")
    # In steps: the memory that one query may take does not suffice for all of its joins at once.
    data.create("best_boxes", _BEST.format(sources=list(sources)))
    data.create("best_places", _BEST_PLACES.format(rejected=rejected))
    data.create("trusted_boxes", _QUERY.format(sources=list(sources)))
    for name in ("best_boxes", "best_places"):
        data.drop(name)
