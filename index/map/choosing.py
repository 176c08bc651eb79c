"""Which items of a catalog a map shows, and what it says of them."""

from fullshot.core.dataset import Dataset
from fullshot.core.tables.cells import from_parquet
from fullshot.index.catalog import ITEMS

WANTED = {
    "products": (*("product_id", "url", "name", "brand", "gender", "product_type", "colour", "price", "currency"),),
}
"""The columns to open a data set with."""

SHOWN = "shown"
"""The table of a data set that :func:`choose_items` makes: ``item``, ``image_id``, ``path``, ``wear``, and what
``products`` says of the item's product; a row an item, by ``item``."""

# By lot within a product type, then type by type in turn: rare types are there whole before frequent ones get more.
# The lot is the picture's id, so that a catalog that grows a little changes a sample a little.
_CHOSEN = """
SELECT item FROM (
    SELECT item, lot, row_number() OVER (PARTITION BY product_type ORDER BY lot, item) AS turn
    FROM (SELECT item, md5_number_lower(image_id) AS lot, coalesce(product_type, '') AS product_type
          FROM {items} AS items LEFT JOIN products USING (product_id))
) ORDER BY turn, lot, item LIMIT {most}
"""

_SHOWN = """
SELECT item, image_id, path, product_id, chosen.wear, url, name, brand, gender, product_type, colour, price, currency
FROM products RIGHT JOIN (SELECT items.* FROM {items} AS items JOIN chosen_items USING (item)) AS chosen
USING (product_id) ORDER BY item
"""


def choose_items(data: Dataset, most: int) -> None:
    """Make the table :data:`SHOWN`: all items of the catalog, or a sample in which every product type has its share.

    Args:
        data: of a workspace that has a catalog.
        most: items that are shown, at most.
    """
    items = from_parquet(data.workspace.catalog / ITEMS)
    data.make_if_missing("products")
    data.create("chosen_items", _CHOSEN.format(items=items, most=int(most)))
    data.create(SHOWN, _SHOWN.format(items=items))
    data.drop("chosen_items")
