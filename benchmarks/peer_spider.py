"""The crawl that ours is measured against: a bare Scrapy spider, a CSV feed, Scrapy's own ImagesPipeline.

Run by `scrapy runspider`, with the listings to start from as the argument ``urls``, a space between two.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import scrapy
from scrapy.http import Response

_DATA = re.compile(r"window\.__myx\s*=\s*(\{.*?\})</script>", re.DOTALL)


class ShopSpider(scrapy.Spider):
    """Listings, page by page, and the products on them."""

    name = "peer"

    def __init__(self, urls: str = "", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.start_urls = urls.split()

    def parse(self, response: Response, page: int = 1) -> Iterator[Any]:
        """A listing."""
        results = _data(response)["searchData"]["results"]
        for product in results["products"]:
            yield response.follow("/" + product["landingPageUrl"], self.parse_product)
        if results["hasNextPage"]:
            first = response.url.partition("?")[0]
            yield scrapy.Request(f"{first}?p={page + 1}", cb_kwargs={"page": page + 1})

    def parse_product(self, response: Response) -> Iterator[dict[str, Any]]:
        """A product's page."""
        product = _data(response)["pdpData"]
        albums = product["media"]["albums"]
        yield {
            "product_id": product["id"],
            "url": response.url,
            "name": product["name"],
            "brand": product["brand"]["name"],
            "product_type": product["analytics"]["articleType"],
            "gender": product["analytics"]["gender"],
            "colour": product["baseColour"],
            "price": product["price"]["discounted"],
            "mrp": product["mrp"],
            "sizes": ",".join(size["label"] for size in product["sizes"]),
            "image_urls": [image["imageURL"] for album in albums for image in album["images"]],
        }


def _data(response: Response) -> dict[str, Any]:
    found = _DATA.search(response.text)
    if found is None:
        raise ValueError(f"no window.__myx in {response.url}")
    data: dict[str, Any] = json.loads(found[1])
    return data
