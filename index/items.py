"""Which pictures a catalog holds: the item shots of products, in an order in which a product's follow each other."""

from collections.abc import Iterator

import pyarrow

from fullshot.core.dataset import Dataset
from fullshot.core.errors import MissingInput
from fullshot.core.parts import parts
from fullshot.core.taxonomy import Wear

WANTED = {
    "products": ("product_id", "product_type", "wear"),
    "images": ("image_id", "product_id", "path"),
    "curated": ("image_id", "full_shot", "keep"),
}
"""The columns to open a data set with."""

AT_ONCE = 200_000
"""Items whose pictures and vectors are in memory at once."""

_ITEMS = f"""
SELECT row_number() OVER (ORDER BY wear, product_id, image_id) - 1 AS item, *
FROM (
    SELECT image_id, images.product_id, coalesce(wears.wear, '{Wear.OTHER}') AS wear, path
    FROM images JOIN wears USING (product_id) JOIN kept USING (image_id) WHERE NOT kept.full_shot
)
"""


def find_item_shots(data: Dataset) -> None:
    """Make the table ``items``: ``item`` (from 0), ``image_id``, ``product_id``, ``wear`` and ``path``.

    It has the pictures of products that curation keeps and that are no full shots.

    Raises:
        MissingInput: there is none, or a table is not there.
    """
    data.create("items", _ITEMS)
    if not data.rows("SELECT item FROM items LIMIT 1"):
        root = data.workspace.root
        raise MissingInput(
            f"expected item shots of products in {root}, got none: crawl products, then run `fullshot curate {root}`"
        )


def items_digest(data: Dataset) -> str:
    """A digest of the table ``items``, in hexadecimal; the order of its rows does not matter."""
    row = "md5_number(concat_ws(chr(31), image_id, product_id, wear, path))"
    (count, digest), *_ = data.rows(f"SELECT count(*), bit_xor({row}) FROM items")
    return f"{count:x}-{int(digest):x}"


def item_parts(data: Dataset) -> Iterator[pyarrow.Table]:
    """The table ``items``, about :data:`AT_ONCE` rows at a time, in its order; a product's stay together."""
    return parts(data, "items", "item", "product_id", AT_ONCE)
