"""The pages of a shop that there is not: a product's facts are in one line of JSON, a listing is a list of links."""

import json

from url_matcher import Patterns
from web_poet.exceptions import UseFallback

from fullshot.crawler import Found, ListingFound, PictureLink, ProductFound, ShopPage


class AcmePage(ShopPage):
    """A page of acme.example."""

    patterns = Patterns(["acme.example"])
    parser = "acme@1"
    data_script = "return !!document.querySelector('#acme, .acme-listing');"

    def find(self) -> Found:
        """See :class:`fullshot.crawler.ShopPage`."""
        if self.selector.type != "html":
            raise UseFallback("no page of acme")
        if links := self.css(".acme-listing a::attr(href)").getall():
            urls = [str(self.urljoin(link)) for link in links]
            return ListingFound(urls, total=len(urls))
        data = self.css("script#acme::text").get()
        if data is None:
            raise UseFallback("no data of acme in the page")
        facts = json.loads(data)
        taxonomy = self.options.taxonomy
        product = {
            "product_id": f"acme:{facts['number']}",
            "url": str(self.response.url),
            "name": facts["title"],
            "gender": str(taxonomy.gender(facts["for"])),
            "product_type": facts["kind"],
            "wear": taxonomy.wear(facts["kind"]),
            "price": facts["price"],
            "currency": "EUR",
            "parser": self.parser,
        }
        pictures = [PictureLink(str(self.urljoin(url)), place, "") for place, url in enumerate(facts["pictures"], 1)]
        return ProductFound(product, pictures)
