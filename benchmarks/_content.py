"""What the synthetic shop shows: products, pages and pictures, made when they are asked for, and always the same."""

import json
import re
from dataclasses import dataclass
from typing import Any

from benchmarks._filling import SIZES, details, jpeg, mark_up

LISTING = "/men-topwear"
LISTED = 50
"""Products on a listing page."""
FIRST_ID = 10_000_001

_DATA_SHARE = 11
"""A product page of Myntra's is about eleven times as long as the JSON of its ``window.__myx``: 450 kB and 40 kB."""
_VARIANTS = 8
_PICTURES = 4
_PICTURE = (224, 224)
_LOOK = (550, 800)
_BRANDS = ("Nordvale", "Kestrel Lane", "Tidewell", "Brightmoor", "Solenne", "Veldt", "Lumio", "Fernhill")
_TYPES = ("Tshirts", "Shirts", "Jeans", "Trousers", "Casual Shoes", "Dresses", "Shorts", "Sandals")
_COLOURS = ("Red", "Navy Blue", "Green", "Black", "White", "Mustard", "Coffee Brown", "Grey Melange")


@dataclass(frozen=True)
class Plan:
    """How large the shop is.

    Attributes:
        products: how many there are.
        page_bytes: about how long a page is.
        pictures: how many small pictures a product shows.
        picture_bytes: about how long a small picture is.
        look_every: of every so many products, one shows a large picture besides; 0: none does.
        look_bytes: about how long a large picture is.
        seed: another seed, another shop.
    """

    products: int = 1000
    page_bytes: int = 450_000
    pictures: int = 1
    picture_bytes: int = 15_000
    look_every: int = 0
    look_bytes: int = 60_000
    seed: int = 7


class Content:
    """The shop's pages and pictures.

    Args:
        plan: how large it is.
        base: scheme, host and port of its links, without a slash at the end.
    """

    def __init__(self, plan: Plan, base: str) -> None:
        self.plan = plan
        self.base = base
        self._details = [details(f"{plan.seed} {n}", plan.page_bytes // _DATA_SHARE) for n in range(_VARIANTS)]
        seeds = [plan.seed + n for n in range(_PICTURES)]
        self._small = [jpeg(_PICTURE, plan.picture_bytes, seed) for seed in seeds]
        self._large = [jpeg(_LOOK, plan.look_bytes, seed) for seed in seeds] if plan.look_every else []
        padding = plan.page_bytes - len(self._details[0])
        self._head = (_HEAD + mark_up(plan.seed, max(0, padding * 55 // 100)) + _BEFORE).encode()
        self._tail = (_AFTER + mark_up(plan.seed + 1, max(0, padding * 45 // 100)) + _END).encode()

    def has(self, number: int) -> bool:
        """Whether there is a product of this number; they count from 0."""
        return 0 <= number < self.plan.products

    def link(self, number: int) -> str:
        """The address of a product's page, without scheme and host."""
        name = re.sub(r"[^a-z0-9]+", "-", self._name(number).lower())
        return f"{_TYPES[number % len(_TYPES)]}/{name}/{FIRST_ID + number}/buy".lower().replace(" ", "-")

    def picture_files(self, number: int) -> list[str]:
        """The file names of a product's pictures, in the order of its page."""
        files = [f"{FIRST_ID + number}-{index}.jpg" for index in range(1, self.plan.pictures + 1)]
        return [*files, f"{FIRST_ID + number}-look.jpg"] if self._has_look(number) else files

    def picture_url(self, file: str) -> str:
        """The address of a picture as it is kept."""
        return f"{self.base}/assets/images/{file}"

    def picture(self, number: int, view: str) -> bytes | None:
        """A picture: JPEG, its name in a comment, so that no two are the same bytes; None where there is none."""
        if view == "look":
            if not self._has_look(number):
                return None
            kept = self._large[number % _PICTURES]
        elif view.isdecimal() and 1 <= int(view) <= self.plan.pictures:
            kept = self._small[(number + int(view)) % _PICTURES]
        else:
            return None
        comment = f"{self.plan.seed} {FIRST_ID + number} {view}".encode()
        return b"".join((kept[:2], b"\xff\xfe", (len(comment) + 2).to_bytes(2, "big"), comment, kept[2:]))

    def product_page(self, number: int) -> bytes:
        """A product's page."""
        head = json.dumps(self._product(number))
        # The details are rendered once: what differs between two products is a small part of the data.
        details = self._details[number % _VARIANTS]
        data = f'{{"pdpData": {head[:-1]}, {details}}}, "pageName": "Pdp", "dataExpired": false}}'
        return b"".join((self._head, data.encode(), self._tail))

    def listing_page(self, page: int) -> bytes:
        """A page of the listing; they count from 1."""
        numbers = range(min((page - 1) * LISTED, self.plan.products), min(page * LISTED, self.plan.products))
        results = {
            "totalCount": self.plan.products,
            "hasNextPage": page * LISTED < self.plan.products,
            "products": [self._listed(number) for number in numbers],
            "plaProducts": [],
        }
        data = json.dumps({"searchData": {"results": results}, "pageName": "Search"})
        return b"".join((self._head, data.encode(), self._tail))

    def truth(self) -> list[dict[str, Any]]:
        """What a perfect crawl finds: id, page and pictures of every product."""
        return [
            {
                "product_id": str(FIRST_ID + number),
                "url": f"{self.base}/{self.link(number)}",
                "image_urls": [self.picture_url(file) for file in self.picture_files(number)],
            }
            for number in range(self.plan.products)
        ]

    def _has_look(self, number: int) -> bool:
        return self.plan.look_every > 0 and number % self.plan.look_every == 0

    def _name(self, number: int) -> str:
        brand, colour = _BRANDS[number // 3 % len(_BRANDS)], _COLOURS[number // 5 % len(_COLOURS)]
        return f"{brand} Men {colour} {_TYPES[number % len(_TYPES)]}"

    def _price(self, number: int) -> int:
        return 299 + number * 7919 % 40 * 50

    def _product(self, number: int) -> dict[str, Any]:
        kind, brand = _TYPES[number % len(_TYPES)], _BRANDS[number // 3 % len(_BRANDS)]
        price = self._price(number)
        pictures: list[dict[str, Any]] = []
        for file in self.picture_files(number):
            sized = f"{self.base}/h_($height),q_($qualityPercentage),w_($width)/assets/images/{file}"
            plain = self.picture_url(file)
            pictures.append({"src": sized, "secureSrc": sized, "host": None, "imageURL": plain, "annotation": []})
        return {
            "id": FIRST_ID + number,
            "name": self._name(number),
            "mrp": price + 200,
            "baseColour": _COLOURS[number // 5 % len(_COLOURS)],
            "brand": {"uidx": None, "name": brand, "image": None, "bio": None},
            "media": {"videos": [], "albums": [{"name": "default", "images": pictures}]},
            "analytics": {"articleType": kind, "masterCategory": "Apparel", "gender": "Men", "brand": brand},
            "price": {"mrp": price + 200, "discounted": price},
            "landingPageUrl": self.link(number),
            "flags": {"outOfStock": False, "isExchangeable": True},
            "shoppableLooks": None,
            "shoppableLooksV2": None,
            "colours": [],
        }

    def _listed(self, number: int) -> dict[str, Any]:
        source = self.picture_url(self.picture_files(number)[0]) if self.picture_files(number) else ""
        price = self._price(number)
        return {
            "landingPageUrl": self.link(number),
            "productId": FIRST_ID + number,
            "product": self._name(number),
            "productName": self._name(number),
            "brand": _BRANDS[number // 3 % len(_BRANDS)],
            "gender": "Men",
            "category": _TYPES[number % len(_TYPES)],
            "primaryColour": _COLOURS[number // 5 % len(_COLOURS)],
            "mrp": price + 200,
            "price": price,
            "rating": 4.1,
            "ratingCount": number % 500,
            "sizes": ",".join(SIZES),
            "searchImage": source,
            "images": [{"view": "default", "src": source}],
            "inventoryInfo": [
                {"skuId": number * 10 + n, "label": label, "available": True} for n, label in enumerate(SIZES)
            ],
        }


_HEAD = '<!DOCTYPE html><html lang="en"><head><title>A shop</title><meta charset="utf-8">'
_BEFORE = "</head><body><script>window.__myx_deviceType__ = 'desktop';</script><script>window.__myx = "
_AFTER = '</script><script>window["__myx_apps__"]={"android":false,"ios":false};</script>'
_END = '<script>window.__myx_seo__ = {"dnsPrefetch":[]};</script></body></html>'
