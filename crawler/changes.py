"""Which products have another price or stock than before a crawl."""

from fullshot.core.dataset import Dataset

_OFFER = "price, mrp, sizes, in_stock"


def note_offers(data: Dataset) -> None:
    """Note each product's offer."""
    data.make_if_missing("products")
    data.create("offers", f"SELECT product_id, hash({_OFFER}) AS offer FROM products")


def changed(data: Dataset) -> int:
    """How many products have another offer than was noted.

    Args:
        data: the tables as :func:`fullshot.crawler.merge.merge` left them.
    """
    same = f"hash({_OFFER}) = offer"
    query = f"SELECT count(*) FROM merged_products JOIN offers USING (product_id) WHERE NOT {same}"
    ((count,),) = data.rows(query)
    return int(count)
