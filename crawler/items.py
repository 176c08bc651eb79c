"""What a page yields: a product with its pictures and boxes, a listing, or nothing."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class PictureLink:
    """A picture that a product page shows."""

    url: str
    position: int
    view: str


@dataclass(frozen=True)
class ShopBox:
    """A box that the shop itself draws round a garment.

    ``x, y, width, height`` are percent of the picture at ``url``, from its top left corner.
    """

    url: str
    label: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ProductFound:
    """A product page.

    Attributes:
        product: a row of ``products``, without the times; a value that the page does not say is None.
        images: its pictures.
        boxes: what the shop itself draws on them.
        links: further product pages that this one leads to, such as the same product in other colours.
    """

    product: dict[str, Any]
    images: list[PictureLink] = field(default_factory=list)
    boxes: list[ShopBox] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As ``fullshot parse`` prints it."""
        found = {"kind": "product", **asdict(self)}
        del found["links"]
        return found


@dataclass(frozen=True)
class ListingFound:
    """A listing page or a sitemap.

    Attributes:
        urls: the product pages it links to; of a sitemap, whatever it names.
        next: the listing's next page.
        total: how many products there are in all.
        listed: an address out of ``urls`` and what the listing says of the product there, as columns of ``products``.
        listings: further listings it leads to, as the index of several sitemaps does.
    """

    urls: list[str]
    next: str | None = None
    total: int = 0
    listed: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    listings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As ``fullshot parse`` prints it."""
        return {"kind": "listing", "urls": self.urls, "next": self.next, "total": self.total}


@dataclass(frozen=True)
class NothingFound:
    """A page that is whole and shows neither a product nor a listing.

    A page whose data is missing is another matter: its page object raises :class:`web_poet.exceptions.UseFallback`.

    Attributes:
        reason: why it is taken for one.
        gone: whether the page says that its product is not sold any more.
    """

    reason: str
    gone: bool = False

    def as_json(self) -> dict[str, Any]:
        """As ``fullshot parse`` prints it."""
        return {"kind": "none", "reason": self.reason}


Found = ProductFound | ListingFound | NothingFound


def with_listed(product: dict[str, Any], listed: str | None) -> dict[str, Any]:
    """A product, with what its listing says where its own page says nothing.

    Args:
        product: a row of ``products``.
        listed: what the listing says, as JSON.
    """
    if not listed:
        return product
    known = {
        key: value for key, value in product.items() if value is not None and (key, value) != ("gender", "unknown")
    }
    if "product_type" in known:
        known["wear"] = product["wear"]  # it goes by the type
    return {**product, **json.loads(listed), **known}
