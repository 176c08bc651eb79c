"""From a source's rows to the workspace's tables. Doing it twice changes nothing."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
import pyarrow as pa

from fullshot.core import tables
from fullshot.core.dataset import Dataset
from fullshot.core.taxonomy import Taxonomy
from fullshot.curation.add.entries import Failure, Source
from fullshot.curation.add.rows import Product, Rows, is_known, wear_of
from fullshot.curation.add.values import text

_OWN = "file:"
_TIMES = ("fetched_at", "first_seen", "last_seen")


def merge(data: Dataset, rows: Rows, taxonomy: Taxonomy, moment: str) -> dict[str, int]:
    """Bring products and images into their tables; a row whose content is the same stays as it is, times included.

    Args:
        data: the workspace's tables; rows of other products stay.
        rows: what the source amounts to.
        taxonomy: product type → wear.
        moment: the time of this run.

    Returns:
        ``new_products``, ``changed_products`` and ``new_pictures``.
    """
    before = _by_key(data, "products", ["product_id"], rows.products)
    new = [_product(product, before.get(identity), taxonomy, moment) for identity, product in rows.products.items()]
    earlier = _by_key(data, "images", ["image_id", "product_id"], rows.images)
    pictures = [_image(row, earlier.get(key), moment) for key, row in rows.images.items()]
    data.create("new_products", tables.frame("products", new))
    data.create("new_images", tables.frame("images", pictures))
    ((new_pictures,),) = data.rows("SELECT count(DISTINCT image_id) FROM new_images ANTI JOIN images USING (image_id)")
    data.write("products", _MERGED_PRODUCTS)
    data.write("images", _MERGED_IMAGES)
    return {
        "new_products": len(rows.products.keys() - before.keys()),
        "changed_products": sum(row != before.get(row["product_id"], row) for row in new),
        "new_pictures": int(new_pictures),
    }


_MERGED_PRODUCTS = """
SELECT * FROM (SELECT * FROM products ANTI JOIN new_products USING (product_id))
UNION ALL BY NAME SELECT * FROM new_products
ORDER BY product_id
"""

# A picture that lay where another one lies now is kept, without a position, as a crawl keeps it.
_MERGED_IMAGES = """
WITH old AS (
    SELECT images.* REPLACE (CASE WHEN now.image_id <> images.image_id THEN NULL ELSE images.position END AS position)
    FROM images LEFT JOIN (
        SELECT product_id, url, any_value(image_id) AS image_id FROM new_images GROUP BY product_id, url
    ) AS now USING (product_id, url)
)
SELECT * FROM (SELECT * FROM old ANTI JOIN new_images USING (image_id, product_id))
UNION ALL BY NAME SELECT * FROM new_images
ORDER BY product_id, position, fetched_at, image_id
"""


def merge_failures(data: Dataset, source: Source, failures: Iterable[Failure], moment: str) -> None:
    """Bring what could not be read into ``failures``, and take out what this source failed at before and can be by now.

    Args:
        data: with that table, where there is one.
        source: of the pictures; it is the failures' ``page``.
        failures: what could not be read.
        moment: the time of this run.
    """
    was_there = data.has("failures")
    before = data.frame_if_there("failures")
    asked = {entry.uri for entry in source.entries}
    of_source = (before["kind"] == "picture") & (before["url"].isin(asked) | (before["page"] == source.uri))
    times = {
        (row["url"], row["class"], row["message"]): row["failed_at"] for row in before[of_source].to_dict("records")
    }
    new = []
    for failure in failures:
        row = {"url": failure.uri, "kind": "picture", "class": failure.kind, "message": text(failure.message)}
        failed_at = times.get((row["url"], row["class"], row["message"]), moment)
        new.append({**row, "failed_at": failed_at, "page": source.uri})
    if not new and not was_there:
        return
    parts = [part for part in (before[~of_source], tables.frame("failures", new)) if len(part)]
    rows = pd.concat(parts) if parts else tables.frame("failures")
    rows = rows.drop_duplicates(["url", "page"], keep="last").sort_values(["url", "page"], kind="stable")
    data.write("failures", rows.reset_index(drop=True))


def _by_key(data: Dataset, table: str, key: list[str], wanted: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """The rows of a table by their key, those with a key that is wanted; what is not known is None."""
    keys = [each if isinstance(each, tuple) else (each,) for each in wanted]
    cells = zip(*keys, strict=True) if keys else [()] * len(key)
    data.create("wanted_keys", pa.table([pa.array(column, pa.string()) for column in cells], names=key))
    rows = data.arrow(f"SELECT {table}.* FROM {table} SEMI JOIN wanted_keys USING ({', '.join(key)})").to_pylist()
    return {row[key[0]] if len(key) == 1 else tuple(row[one] for one in key): row for row in rows}


def _product(product: Product, was: dict[str, Any] | None, taxonomy: Taxonomy, moment: str) -> dict[str, Any]:
    """A product's row; of one that is there, what the source does not say stays as it is."""
    if was is None:
        row = {**product.guessed, **product.said}
        return {"wear": wear_of(row["product_type"], taxonomy), **row} | dict.fromkeys(_TIMES, moment)
    # An address of a picture is one that was guessed: the picture may lie elsewhere by now.
    kept = {column: value for column, value in was.items() if is_known(value) and not str(value).startswith(_OWN)}
    row = {**was, **product.guessed, **kept, **product.said}
    if "wear" not in product.said:
        kind, kind_was = row["product_type"], was["product_type"]
        is_of_kind_was = kind != kind_was and was["wear"] == wear_of(kind_was, taxonomy)
        if is_of_kind_was or not is_known(was["wear"]):
            row["wear"] = wear_of(kind, taxonomy)
    if row == was:
        return was
    first_seen = was["first_seen"] or was["fetched_at"] or moment
    return {**row, "fetched_at": moment, "first_seen": first_seen, "last_seen": moment, "gone_at": None}


def _image(row: dict[str, Any], was: dict[str, Any] | None, moment: str) -> dict[str, Any]:
    """An image's row; one that a crawl fetched stays as it is."""
    if was is not None and not str(was["url"]).startswith(_OWN):
        return was
    merged = {**(was or {}), **row}
    return merged if merged == was else {**merged, "fetched_at": moment}
