"""Pictures and products as numbers: what links them is decided over arrays, not over names."""

import numpy as np
import pyarrow
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullshot.core.dataset import Dataset
from fullshot.core.tables import SPLITS
from fullshot.curation.splits.split import NONE, Numbers, Products, Shown

PICTURES = "numbered_pictures"
"""A table of a data set: ``picture``, the number, and ``image_id``."""

_PRODUCTS = """
SELECT product_id, style, coalesce(wear, '') || ' ' || coalesce(gender, '') AS stratum
FROM (SELECT DISTINCT product_id FROM images) LEFT JOIN products USING (product_id)
ORDER BY product_id
"""

_NUMBER = f"CAST(list_position({list(SPLITS)}, split) - 1 AS TINYINT)"

_EARLIER = f"""
SELECT picture, split FROM (SELECT image_id, {_NUMBER} AS split FROM {{table}} WHERE split IS NOT NULL)
JOIN {PICTURES} USING (image_id)
"""


def number_pictures(data: Dataset, image_ids: pyarrow.ChunkedArray) -> None:
    """Let queries join :data:`PICTURES`.

    Args:
        data: the tables.
        image_ids: of all pictures, in order; the first is number 0.
    """
    numbers = pyarrow.array(np.arange(len(image_ids)))
    data.create(PICTURES, pyarrow.table({"picture": numbers, "image_id": image_ids}))


def read_products(data: Dataset) -> Products:
    """The products that show a picture."""
    table = data.arrow(_PRODUCTS).combine_chunks()
    names = table["product_id"].combine_chunks()
    styles = table["style"].combine_chunks().dictionary_encode()
    style = _numbers(styles.indices)
    # Of each style, the product that it is named like.
    named = np.append(_numbers(pc.index_in(styles.dictionary, value_set=names)), NONE)
    strata = table["stratum"].combine_chunks().dictionary_encode()
    rank = np.argsort(pc.sort_indices(strata.dictionary).to_numpy())
    return Products(names.to_pylist(), style, named[style], rank[strata.indices.to_numpy()])


def read_shown(data: Dataset, products: Products, pictures: int) -> Shown:
    """Which product shows which picture, in the order of ``images``.

    Args:
        data: with :data:`PICTURES`.
        products: of the same tables.
        pictures: how many there are.
    """
    data.create(
        "numbered_products",
        pyarrow.table({"product": pyarrow.array(np.arange(len(products.names))), "product_id": products.names}),
    )
    pictures_of = f"images JOIN {PICTURES} USING (image_id)"
    table = data.arrow(f"SELECT picture, product FROM {pictures_of} JOIN numbered_products USING (product_id)")
    data.drop("numbered_products")
    return Shown(table["picture"].to_numpy(), table["product"].to_numpy(), pictures)


def tables_of_splits(data: Dataset) -> tuple[str, str]:
    """The tables that say which split a picture had in earlier runs; where both know one, what the first says counts.

    Where a person changed one of them, the other says what curation wrote: a cell that was changed by hand would move
    all that is linked with its picture, from test to training too.
    """
    if data.is_by_hand("splits") and not data.is_by_hand("curated"):
        return "curated", "splits"
    return "splits", "curated"


def earlier_splits(data: Dataset, pictures: int) -> NDArray[np.int8]:
    """The number of the split that each picture had in earlier runs: also what was gone, and came back."""
    found = np.full(pictures, NONE, np.int8)
    for name in reversed(tables_of_splits(data)):
        for batch in data.batches(_EARLIER.format(table=name)):
            found[batch["picture"].to_numpy()] = batch["split"].to_numpy()
    return found


def _numbers(found: pyarrow.Array) -> Numbers:
    """Indices as an array, with :data:`NONE` where there is none."""
    return np.asarray(found.fill_null(NONE).to_numpy(zero_copy_only=False), np.int64)
