"""The CSVs that curation exports: the two data sets, the six by gender and wear, and the labels."""

from typing import TYPE_CHECKING

from fullshot.core.dataset import Dataset
from fullshot.core.tables import columns
from fullshot.core.tables.cells import literal, quoted
from fullshot.core.taxonomy import Gender, Wear

if TYPE_CHECKING:
    import pandas as pd

WANTED = {
    "images": ("image_id", "product_id", "path"),
    "products": ("product_id", "url", "gender", "product_type", "wear"),
}
"""Columns that exports need."""

_GENDERS = (Gender.MEN, Gender.WOMEN)
_WEARS = (Wear.TOP, Wear.BOTTOM, Wear.FOOT)

_LABELS = """
WITH new AS (
    SELECT product_id FROM (SELECT DISTINCT product_id FROM images) ANTI JOIN labels USING (product_id)
)
SELECT label, product_id FROM labels
UNION ALL
SELECT (SELECT coalesce(max(label) + 1, 0) FROM labels) + row_number() OVER (ORDER BY product_id) - 1, product_id
FROM new
ORDER BY label
"""
"""A product that has a number keeps it, also one that is gone."""

_ROWS = """
SELECT image_id, images.path AS image_path, images.product_id, products.url AS link, products.gender,
    products.product_type, wears.wear, full_shot, shot, shot_score, shot_reason, cluster, duplicate_of, labels.label
FROM images JOIN kept USING (image_id) JOIN labels USING (product_id)
LEFT JOIN products USING (product_id) LEFT JOIN wears USING (product_id)
"""

# Few pictures have copies: the others need not be compared.
_BEST_OF_COPIES = """
WITH copies AS (
    SELECT image_id, product_id, cluster FROM images JOIN kept USING (image_id)
    WHERE cluster IS NOT NULL AND full_shot IS NOT NULL
),
worse AS (
    SELECT image_id, product_id FROM copies JOIN measures USING (image_id)
    QUALIFY row_number() OVER (
        PARTITION BY cluster, product_id
        ORDER BY width * height DESC, CASE WHEN isnan(sharpness) THEN NULL ELSE sharpness END DESC NULLS LAST, image_id
    ) > 1
)
SELECT image_path, label, product_type, link, gender, wear, full_shot
FROM candidates ANTI JOIN worse USING (image_id, product_id) WHERE full_shot IS NOT NULL
ORDER BY image_path, label
"""

_UNCLEAR = """
SELECT * FROM candidates WHERE shot = 'unclear' AND duplicate_of IS NULL
QUALIFY row_number() OVER (PARTITION BY image_id ORDER BY product_id) = 1
ORDER BY shot_score DESC, image_path
"""


def export(data: Dataset, features: "pd.DataFrame") -> None:
    """Write ``exports/``: a row for each (picture, product), each table as CSV and as Parquet.

    ``dataset1`` has the full shots and all others, ``dataset2`` and the six have the others. Rejected and unclear
    pictures are in neither; of the near duplicates that one product shows, the best one is: the largest, then the
    sharpest. A label is a product's number. ``queue`` has the unclear ones, of near duplicates the best, the likeliest
    full shots first.

    Args:
        data: with ``images``, ``products`` and ``curated``; a product that has a number in ``labels`` keeps it.
        features: columns ``image_id``, ``width``, ``height`` and ``sharpness`` of every readable picture.
    """
    data.make_if_missing("labels")
    data.write("labels", _LABELS)
    data.create("measures", features[["image_id", "width", "height", "sharpness"]])
    data.define("candidates", _ROWS)
    data.create("exported", _BEST_OF_COPIES)
    _write(data, "dataset1", "exported")
    _write(data, "dataset2", "exported WHERE NOT full_shot")
    for gender in _GENDERS:
        for wear in _WEARS:
            mine = f"gender = {literal(gender.value)} AND wear = {literal(wear.value)}"
            _write(data, f"{gender.value}_{wear.value}", f"exported WHERE NOT full_shot AND {mine}")
    _write(data, "queue", f"({_UNCLEAR})")
    for name in ("measures", "candidates", "exported"):
        data.drop(name)


def _write(data: Dataset, name: str, rows: str) -> None:
    data.write(name, f"SELECT {', '.join(map(quoted, columns(name)))} FROM {rows}")
