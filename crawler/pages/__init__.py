"""Page objects, a module a shop. A new shop is a new module here and its line in :data:`SHOPS`."""

import asyncio

from web_poet import HttpResponse

from crawler.items import Found
from crawler.pages._base import ShopPage
from crawler.pages.myntra import MyntraPage
from fullshot.errors import UserError
from fullshot.taxonomy import Taxonomy

SHOPS: dict[str, type[ShopPage]] = {"myntra": MyntraPage}
"""A shop's name, as ``--shop`` takes it, and its page object."""


def page_of(shop: str) -> type[ShopPage]:
    """The page object of a shop.

    Raises:
        UserError: no shop of that name is known.
    """
    if shop not in SHOPS:
        raise UserError(f"expected a shop out of {', '.join(sorted(SHOPS))}, got {shop!r}")
    return SHOPS[shop]


def parse(shop: str, url: str, body: bytes, taxonomy: Taxonomy, image_size: int = 0) -> Found:
    """What a page yields.

    Args:
        shop: the shop's name.
        url: the page's address; links in it are resolved against this.
        body: the page's bytes.
        taxonomy: product type → wear, the shop's word → gender.
        image_size: height in pixels asked of the image host; 0: the picture as it is kept there.
    """
    page = page_of(shop)(HttpResponse(url, body=body), taxonomy, image_size)
    return asyncio.run(page.to_item())
