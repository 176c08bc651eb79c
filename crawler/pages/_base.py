"""What every shop's page object has in common."""

from abc import abstractmethod
from typing import Any

from web_poet import HttpResponse, WebPage
from web_poet.pages import validates_input

from crawler.items import Found
from fullshot.taxonomy import Taxonomy


class ShopPage(WebPage[Any]):
    """A page of a shop.

    Args:
        response: the page.
        taxonomy: product type → wear, the shop's word → gender.
        image_size: height in pixels asked of the image host; 0: the picture as it is kept there.
    """

    def __init__(self, response: HttpResponse, taxonomy: Taxonomy, image_size: int = 0) -> None:
        super().__init__(response)
        self.taxonomy = taxonomy
        self.image_size = image_size

    @validates_input
    async def to_item(self) -> Found:
        """The product, the listing, or why there is neither."""
        return self.find()

    @abstractmethod
    def find(self) -> Found:
        """The same, at once; a shop's module implements this."""
