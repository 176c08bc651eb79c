"""The CSVs that curation exports: the two data sets, the six by gender and wear, and the labels."""

import contextlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from fullshot.core.dataset import Dataset
from fullshot.core.tables import columns
from fullshot.core.tables.writing import ROWS_AT_ONCE
from fullshot.core.taxonomy import Gender, Wear

if TYPE_CHECKING:
    from fullshot.curation.features.store import ImageFeatures

WANTED = {
    "images": ("image_id", "product_id", "path"),
    "products": ("product_id", "url", "gender", "product_type", "wear"),
}
"""Columns that exports need."""

_PARTS = {
    f"{gender.value}_{wear.value}": (gender.value, wear.value)
    for gender in (Gender.MEN, Gender.WOMEN)
    for wear in (Wear.TOP, Wear.BOTTOM, Wear.FOOT)
}

_LABELS = """
WITH new AS (
    SELECT product_id FROM (SELECT DISTINCT product_id FROM images) ANTI JOIN labels USING (product_id)
)
SELECT * FROM labels
UNION ALL BY NAME
SELECT (SELECT coalesce(max(label) + 1, 0) FROM labels) + row_number() OVER (ORDER BY product_id) - 1 AS label,
    product_id
FROM new
ORDER BY label
"""
"""A product that has a number keeps it, also one that is gone, and what a person noted of it in further columns."""

_COPIES = """
SELECT image_id, product_id, cluster FROM images JOIN kept USING (image_id)
WHERE cluster IS NOT NULL AND full_shot IS NOT NULL
"""
"""Few pictures have copies: the others need not be compared."""

_WORSE = """
SELECT image_id, product_id FROM copies JOIN measures USING (image_id)
QUALIFY row_number() OVER (
    PARTITION BY cluster, product_id
    ORDER BY width * height DESC, CASE WHEN isnan(sharpness) THEN NULL ELSE sharpness END DESC NULLS LAST, image_id
) > 1
"""

_LABELLED_PRODUCTS = """
SELECT row_number() OVER (ORDER BY label, product_id) - 1 AS place, label, product_id, product_type, url AS link,
    gender, wears.wear
FROM (SELECT label, product_id FROM labels)
LEFT JOIN products USING (product_id) LEFT JOIN wears USING (product_id)
"""

# Only what the order needs is sorted, and all of it is: long texts besides would take twice the time and the memory.
_EXPORTED = """
SELECT images.path AS image_path, place, full_shot
FROM images JOIN (SELECT image_id, full_shot FROM kept WHERE full_shot IS NOT NULL) USING (image_id)
JOIN (SELECT product_id, place FROM labelled_products) USING (product_id)
ANTI JOIN worse USING (image_id, product_id)
ORDER BY image_path, place, full_shot
"""

_UNCLEAR = """
SELECT image_id, images.path AS image_path, shot_score, shot_reason
FROM images JOIN (SELECT * FROM kept WHERE shot = 'unclear' AND duplicate_of IS NULL) USING (image_id)
QUALIFY row_number() OVER (PARTITION BY image_id ORDER BY product_id) = 1
ORDER BY shot_score DESC, image_path
"""


def keep_measures(data: Dataset, features: "ImageFeatures") -> None:
    """Keep what tells which of near duplicates is the best, for :func:`export`."""
    measures = {name: features.frame[name].to_numpy() for name in ("width", "height", "sharpness")}
    data.create("measures", pa.table({"image_id": features.image_ids, **measures}))


def export(data: Dataset) -> None:
    """Write ``exports/``: a row for each (picture, product), each table as CSV and as Parquet.

    ``dataset1`` has the full shots and all others, ``dataset2`` and the six have the others. Rejected and unclear
    pictures are in neither; of the near duplicates that one product shows, the best one is: the largest, then the
    sharpest. A label is a product's number. ``queue`` has the unclear ones, of near duplicates the best, the likeliest
    full shots first.

    Args:
        data: with ``images``, ``products``, ``curated``, and what :func:`keep_measures` kept; a product that has a
            number in ``labels`` keeps it.
    """
    data.make_if_missing("labels")
    data.write("labels", _LABELS)
    data.create("copies", _COPIES)
    data.create("worse", _WORSE)
    data.create("labelled_products", _LABELLED_PRODUCTS)
    _write_data_sets(data)
    data.write("queue", _UNCLEAR)
    for name in ("measures", "copies", "worse", "labelled_products"):
        data.drop(name)


def _write_data_sets(data: Dataset) -> None:
    """Write ``dataset1``, ``dataset2`` and the six, which are parts of one another, in one pass."""
    products = data.arrow("SELECT * EXCLUDE (place, product_id) FROM labelled_products ORDER BY place").combine_chunks()
    with contextlib.ExitStack() as stack:
        tables = {name: stack.enter_context(data.writing(name)) for name in ("dataset1", "dataset2", *_PARTS)}
        for batch in data.batches(_EXPORTED, ROWS_AT_ONCE):
            rows = products.take(batch["place"])
            for name in ("image_path", "full_shot"):
                rows = rows.append_column(name, batch[name])
            tables["dataset1"].append(rows)
            rows = rows.filter(pc.invert(rows["full_shot"]))
            tables["dataset2"].append(rows)
            cells = rows.select(columns("dataset2"))
            for name, (gender, wear) in _PARTS.items():
                mine = pc.and_(pc.equal(rows["gender"], gender), pc.equal(rows["wear"], wear))
                tables[name].append(cells.filter(mine))
