"""Myntra: listings and product pages carry their data as JSON in a script, ``window.__myx = {…}``."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from crawler.items import Found, ListingFound, NothingFound, PictureLink, ProductFound, ShopBox
from crawler.pages._base import ShopPage
from fullshot.taxonomy import GARMENTS, Wear

PARSER = "myntra@1"

# Its siblings (__myx_deviceType__, __myx_seo__, …) must not match.
_DATA = re.compile(r"window\.__myx\s*=\s*(?=\{)")

_QUALITY = 90
_LARGEST = 2**53
"""Beyond this JSON's numbers are not exact, and no price or id is as large."""
_WIDTH_TO_HEIGHT = 3 / 4


class MyntraPage(ShopPage):
    """A Myntra listing or product page."""

    def find(self) -> Found:
        """See :class:`ShopPage`. ``pdpData`` null is a delisted product, not a failure of the page."""
        text = self.response.text
        start = _DATA.search(text)
        if start is None:
            return NothingFound("no Myntra page: window.__myx is not in it")
        try:
            data, _ = json.JSONDecoder().raw_decode(text, start.end())
        except (ValueError, RecursionError) as error:
            return NothingFound(f"window.__myx is not JSON: {error}")
        if "pdpData" in data:
            product = data["pdpData"]
            return self._product(product) if _is(product, dict) else NothingFound("delisted: no such product any more")
        results = _at(data, "searchData", "results")
        if _is(results, dict):
            return self._listing(results)
        return NothingFound("neither pdpData nor searchData in window.__myx")

    def _listing(self, results: dict[str, Any]) -> Found:
        found = [*_list(results.get("products")), *_list(results.get("plaProducts"))]
        links = [entry["landingPageUrl"] for entry in found if _is(_at(entry, "landingPageUrl"), str)]
        urls = list(dict.fromkeys(url for link in links if (url := self._absolute(link))))
        return ListingFound(
            urls=urls,
            next=self._next_page() if results.get("hasNextPage") and urls else None,
            total=_whole(results.get("totalCount")) or len(urls),
        )

    def _next_page(self) -> str:
        parts = urlsplit(str(self.response.url))
        query = dict(parse_qsl(parts.query))
        query["p"] = str((_whole(query.get("p")) or 1) + 1)
        return urlunsplit(parts._replace(query=urlencode(query)))

    def _absolute(self, link: str) -> str | None:
        """A link's whole address; None where it is not one of the web."""
        # Links in the data are relative to the shop's root, with or without a slash in front.
        try:
            url = urljoin(str(self.response.url), link if ":" in link else "/" + link.lstrip("/"))
            parts = urlsplit(url)
            return url if parts.scheme in ("http", "https") and parts.hostname else None
        except ValueError:
            return None

    def _product(self, data: dict[str, Any]) -> Found:
        number = _whole(data.get("id"))
        if number is None:
            return NothingFound("pdpData without an id")
        product_type = _text(_at(data, "analytics", "articleType"))
        sizes = [size for size in _list(data.get("sizes")) if _text(_at(size, "label"))]
        link = _text(data.get("landingPageUrl"))
        wear = self.taxonomy.wear(product_type) if product_type else None
        price = _amount(_at(data, "price", "discounted"))
        mrp = _amount(data.get("mrp")) or _amount(_at(data, "price", "mrp"))
        product = {
            "product_id": f"myntra:{number}",
            "url": (self._absolute(link) if link else None) or str(self.response.url),
            "name": _text(data.get("name")),
            "brand": _text(_at(data, "brand", "name")),
            "gender": str(self.taxonomy.gender(_text(_at(data, "analytics", "gender")) or "")),
            "product_type": product_type,
            "wear": str(wear) if wear else None,
            "colour": _text(data.get("baseColour")),
            "price": mrp if price is None else price,
            "mrp": mrp,
            "currency": "INR",
            "rating": _amount(_at(data, "ratings", "averageRating")),
            "rating_count": _whole(_amount(_at(data, "ratings", "totalCount"))),
            "sizes": ",".join(size["label"] for size in sizes) or None,
            "in_stock": _in_stock(data, sizes),
            "parser": PARSER,
        }
        return ProductFound(product, self._pictures(data), list(self._boxes(data, wear)))

    def _pictures(self, data: dict[str, Any]) -> list[PictureLink]:
        views: dict[str, str] = {}
        for album in _list(_at(data, "media", "albums")):
            for picture in _list(_at(album, "images")):
                if url := self._picture_url(picture):
                    views.setdefault(url, _text(album.get("name")) or "")
        for look in _list(data.get("shoppableLooksV2")):
            if url := self._picture_url(look):
                views[url] = "look"
        return [PictureLink(url, position, view) for position, (url, view) in enumerate(views.items(), start=1)]

    def _picture_url(self, picture: Any) -> str | None:
        """The address of a picture at the size asked for; without a size, of the picture as it is kept."""
        sized = _text(_at(picture, "secureSrc")) or _text(_at(picture, "src"))
        plain = _text(_at(picture, "imageURL"))
        if sized and "($height)" in sized:
            if self.image_size:
                width = round(self.image_size * _WIDTH_TO_HEIGHT)
                filled = sized.replace("($height)", str(self.image_size)).replace("($width)", str(width))
                return self._absolute(filled.replace("($qualityPercentage)", str(_QUALITY)))
            sized = re.sub(r"/[^/]*\(\$height\)[^/]*", "", sized)
        url = plain or sized if not self.image_size else sized or plain
        return self._absolute(url) if url else None

    def _boxes(self, data: dict[str, Any], wear: Wear | None) -> Iterator[ShopBox]:
        """The page's own garment on its looks; what the SECONDARY boxes hold the page does not say."""
        if wear not in GARMENTS:
            return
        for look in _list(data.get("shoppableLooksV2")):
            url = self._picture_url(look)
            for garment in _list(_at(look, "data")):
                sides = [_number(_at(garment, "boundaryBox", side)) for side in ("x", "y", "width", "height")]
                if url and _at(garment, "type") == "PRIMARY" and all(side is not None for side in sides):
                    x, y, width, height = (float(side or 0) for side in sides)
                    if width > 0 and height > 0:
                        yield ShopBox(url, str(wear), x, y, width, height)


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind)


def _at(value: Any, *path: str) -> Any:
    """A value inside nested objects; None where any of them is null, empty or of another kind."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: Any) -> list[Any]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    # Half of a surrogate pair, as a cut-off escape leaves it, cannot be written down.
    return " ".join(value.encode("utf-8", "replace").decode().split()) or None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= _LARGEST else None


def _amount(value: Any) -> float | None:
    """A number that cannot be less than nothing: a price, a rating, a count."""
    number = _number(value)
    return None if number is None or number < 0 else number


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _in_stock(data: dict[str, Any], sizes: list[dict[str, Any]]) -> bool | None:
    sold_out = _at(data, "flags", "outOfStock")
    if sold_out is True:
        return False
    if sizes:
        return any(size.get("available") is True for size in sizes)
    return None if sold_out is None else not sold_out
