"""Myntra: listings and product pages carry their data as JSON in a script, ``window.__myx = {…}``."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from url_matcher import Patterns
from web_poet.exceptions import UseFallback

from fullshot.core.taxonomy import GARMENTS, Wear
from fullshot.crawler.addresses import host_of, same_shop
from fullshot.crawler.items import Found, ListingFound, NothingFound, PictureLink, ProductFound, ShopBox
from fullshot.crawler.pages._values import amount, at, number, objects, text, web_address, whole
from fullshot.crawler.pages.base import ShopPage

# Its siblings (__myx_deviceType__, __myx_seo__, …) must not match.
_DATA = re.compile(rb"window\.__myx\s*=\s*(?=\{)")
_AS_WRITTEN = b"<script>window.__myx = {"
"""As the shop writes it: plain words are found twice as fast as a pattern, and the faster the longer they are."""
_DECODER = json.JSONDecoder()
_ID_IN_A_LINK = re.compile(r"/([0-9]{1,15})/buy\b")

_QUALITY = 90
_WIDTH_TO_HEIGHT = 3 / 4


class MyntraPage(ShopPage):
    """A Myntra listing or product page."""

    patterns = Patterns(["myntra.com"])
    parser = "myntra@1"
    always_has_data = True
    data_script = """
        const data = window.__myx;
        if (!data || !('pdpData' in data || 'searchData' in data)) return false;
        if (!/window\\.__myx\\s*=\\s*\\{/.test(document.documentElement.innerHTML)) {
            const script = document.createElement('script');
            script.type = 'application/json';
            script.textContent = 'window.__myx = ' + JSON.stringify(data).replace(/</g, '\\\\u003c');
            document.head.append(script);
        }
        return true;
    """

    def find(self) -> Found:
        """See :class:`ShopPage`. ``pdpData`` null is a delisted product, not a failure of the page."""
        script = self._script()
        if script is None:
            raise UseFallback("window.__myx is not in the page")
        try:
            data, _ = _DECODER.raw_decode(script)
        except (ValueError, RecursionError) as error:
            raise UseFallback(f"window.__myx is not JSON: {error}") from None
        if "pdpData" in data:
            product = data["pdpData"]
            if isinstance(product, dict):
                return self._product(product)
            return NothingFound("delisted: no such product any more", gone=True)
        results = at(data, "searchData", "results")
        if isinstance(results, dict):
            return self._listing(results)
        return NothingFound("neither pdpData nor searchData in window.__myx")

    def _script(self) -> str | None:
        """What is assigned to ``window.__myx``, to the end of its script.

        Looked for in the bytes, and decoded alone: the page is ten times as long.
        """
        body = self.response.body
        start = body.find(_AS_WRITTEN) + len(_AS_WRITTEN) - 1
        if start < len(_AS_WRITTEN) - 1:
            match = _DATA.search(body)
            if match is None:
                return None
            start = match.end()
        end = body.find(b"</script", start)
        return body[start : end if end >= 0 else len(body)].decode("utf-8", "replace")

    def _listing(self, results: dict[str, Any]) -> Found:
        listed: dict[str, dict[str, Any]] = {}
        for entry in (*objects(results.get("products")), *objects(results.get("plaProducts"))):
            link = text(entry.get("landingPageUrl"))
            if link and (url := self._absolute(link)):
                listed.setdefault(url, self._listed(entry))
        return ListingFound(
            urls=list(listed),
            next=self._next_page() if results.get("hasNextPage") and listed else None,
            total=whole(amount(results.get("totalCount"))) or len(listed),
            listed=listed,
        )

    def _next_page(self) -> str:
        parts = urlsplit(str(self.response.url))
        query = dict(parse_qsl(parts.query))
        query["p"] = str((whole(query.get("p")) or 1) + 1)
        return urlunsplit(parts._replace(query=urlencode(query)))

    def _absolute(self, link: str) -> str | None:
        """A link's whole address; None where it is not one of the web."""
        # Links in the data are relative to the shop's root, with or without a slash in front.
        return web_address(str(self.response.url), link if ":" in link else "/" + link.lstrip("/"))

    def _listed(self, entry: dict[str, Any]) -> dict[str, Any]:
        """What a listing says of a product."""
        stock = [one.get("available") is True for one in objects(entry.get("inventoryInfo"))]
        return {
            "name": text(entry.get("productName")) or text(entry.get("product")),
            "brand": text(entry.get("brand")),
            "colour": text(entry.get("primaryColour")),
            "price": amount(entry.get("price")),
            "mrp": amount(entry.get("mrp")),
            "rating": amount(entry.get("rating")),
            "rating_count": whole(amount(entry.get("ratingCount"))),
            "sizes": text(entry.get("sizes")),
            "in_stock": any(stock) if stock else None,
            **self._type(text(entry.get("category")), text(entry.get("gender"))),
        }

    def _type(self, product_type: str | None, gender: str | None) -> dict[str, Any]:
        wear = self.options.taxonomy.wear(product_type) if product_type else None
        return {
            "product_type": product_type,
            "wear": str(wear) if wear else None,
            "gender": str(self.options.taxonomy.gender(gender or "")),
        }

    def _product(self, data: dict[str, Any]) -> Found:
        identity = whole(data.get("id"))
        if identity is None:
            return NothingFound("pdpData without an id")
        sizes = [size for size in objects(data.get("sizes")) if text(size.get("label"))]
        price = amount(at(data, "price", "discounted"))
        mrp = amount(data.get("mrp")) or amount(at(data, "price", "mrp"))
        kind = self._type(text(at(data, "analytics", "articleType")), text(at(data, "analytics", "gender")))
        product = {
            "product_id": f"myntra:{identity}",
            "url": self._own_address(data),
            "name": text(data.get("name")),
            "brand": text(at(data, "brand", "name")),
            **kind,
            "colour": text(data.get("baseColour")),
            "price": mrp if price is None else price,
            "mrp": mrp,
            "currency": "INR",
            "rating": amount(at(data, "ratings", "averageRating")),
            "rating_count": whole(amount(at(data, "ratings", "totalCount"))),
            "sizes": ",".join(text(size["label"]) or "" for size in sizes) or None,
            "in_stock": _in_stock(data, sizes),
            "style": f"myntra:{_style(data, identity)}",
            "parser": self.parser,
        }
        boxes = list(self._boxes(data, kind["wear"])) if kind["wear"] in GARMENTS else []
        return ProductFound(product, self._pictures(data), boxes, self._colours(data))

    def _own_address(self, data: dict[str, Any]) -> str:
        """The product's address as the shop writes it; it may not lead to another host."""
        here = str(self.response.url)
        link = text(data.get("landingPageUrl"))
        url = self._absolute(link) if link else None
        if url is None or (link and ":" in link and same_shop(host_of(url)) != same_shop(host_of(here))):
            return here
        return url

    def _colours(self, data: dict[str, Any]) -> list[str]:
        if not self.options.colours:
            return []
        links = [text(colour.get("url")) for colour in objects(data.get("colours"))]
        return list(dict.fromkeys(url for link in links if link and (url := self._absolute(link))))

    def _pictures(self, data: dict[str, Any]) -> list[PictureLink]:
        views: dict[str, str] = {}
        for album in objects(at(data, "media", "albums")):
            for picture in objects(album.get("images")):
                if url := self._picture_url(picture):
                    views.setdefault(url, text(album.get("name")) or "")
        for outfit in objects(data.get("shoppableLooksV2")):
            if url := self._picture_url(outfit):
                views[url] = "look"
        return [PictureLink(url, position, view) for position, (url, view) in enumerate(views.items(), start=1)]

    def _picture_url(self, picture: dict[str, Any]) -> str | None:
        """The address of a picture at the size asked for; without a size, of the picture as it is kept."""
        size = self.options.image_size
        plain = text(picture.get("imageURL"))
        if plain and not size:
            return self._absolute(plain)
        sized = text(picture.get("secureSrc")) or text(picture.get("src"))
        if sized and "($height)" in sized:
            if size:
                sized = sized.replace("($height)", str(size)).replace("($width)", str(round(size * _WIDTH_TO_HEIGHT)))
                return self._absolute(sized.replace("($qualityPercentage)", str(_QUALITY)))
            sized = re.sub(r"/[^/]*\(\$height\)[^/]*", "", sized)
        url = sized or plain
        return self._absolute(url) if url else None

    def _boxes(self, data: dict[str, Any], wear: Wear) -> Iterator[ShopBox]:
        """The page's own garment on its outfit pictures; what the SECONDARY boxes hold the page does not say."""
        for outfit in objects(data.get("shoppableLooksV2")):
            url = self._picture_url(outfit)
            for garment in objects(outfit.get("data")):
                sides = [number(at(garment, "boundaryBox", side)) for side in ("x", "y", "width", "height")]
                if url and garment.get("type") == "PRIMARY" and all(side is not None for side in sides):
                    x, y, width, height = (side or 0.0 for side in sides)
                    if width > 0 and height > 0:
                        yield ShopBox(url, str(wear), x, y, width, height)


def _style(data: dict[str, Any], identity: int) -> int:
    """The smallest id among the product's colours: each colour's page names the others, so all pages agree on it."""
    links = (text(colour.get("url")) or "" for colour in objects(data.get("colours")))
    return min([identity, *(int(found[1]) for link in links if (found := _ID_IN_A_LINK.search(link)))])


def _in_stock(data: dict[str, Any], sizes: list[dict[str, Any]]) -> bool | None:
    sold_out = at(data, "flags", "outOfStock")
    if sold_out is True:
        return False
    if sizes:
        return any(size.get("available") is True for size in sizes)
    return None if sold_out is None else not sold_out
