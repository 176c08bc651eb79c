"""The built-in shop as a web site on this machine, in Myntra's page shape.

Listings have 50 products a page and go on by ``?p=2``; product pages carry ``window.__myx``; outfit images have a box a garment in
``shoppableLooksV2``, in percent of the picture. A person who opens it in a browser sees a shop.
"""

import html
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from fullshot.core.errors import UserError
from fullshot.demo.shop import site
from fullshot.demo.shop.studio import Box, Picture, Product, Studio

PAGE_SIZE = 50
HOST = "127.0.0.1"

ROBOTS = "User-agent: *\nDisallow: /checkout\nDisallow: /my/\n"

_SLUGS = {"top": "topwear", "bottom": "bottomwear", "foot": "footwear", "long": "dresses"}
_PICTURE_SIZE = (480, 640)
_BACKLOG = 128
"""Connections that wait to be taken: a crawl opens many at once."""


@dataclass(frozen=True)
class Shop:
    """The shop's pages.

    Args:
        studio: its products and pictures.
        boxes: an outfit image's file name and the boxes on it, in pixels.
        folder: where the pictures lie.
        base: scheme, host and port of its links, without a slash at the end.
    """

    studio: Studio
    boxes: Mapping[str, tuple[Box, ...]]
    folder: Path
    base: str

    @cached_property
    def listings(self) -> dict[str, list[Product]]:
        """A listing's name, such as ``men-topwear``, and its products."""
        listings: dict[str, list[Product]] = {}
        for product in self.studio.products:
            listings.setdefault(f"{product.gender.lower()}-{_SLUGS[product.wear]}", []).append(product)
        return dict(sorted(listings.items()))

    @cached_property
    def urls(self) -> list[str]:
        """The listings' addresses: where a crawl starts."""
        return [f"{self.base}/{slug}" for slug in self.listings]

    @cached_property
    def _products(self) -> dict[int, Product]:
        return {product.product_id: product for product in self.studio.products}

    @cached_property
    def _pictures(self) -> dict[int, list[Picture]]:
        """A product's pictures: its own, then the outfit images it is worn on."""
        pictures: dict[int, list[Picture]] = {number: [] for number in self._products}
        for picture in sorted(self.studio.pictures, key=lambda picture: picture.kind == "outfit"):
            for number in picture.product_ids:
                pictures[number].append(picture)
        return pictures

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(picture.name for picture in self.studio.pictures)

    def link(self, product: Product) -> str:
        """A product page's address, relative to the shop's root."""
        words = (product.article_type, product.brand, product.name)
        slugs = "/".join(re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in words)
        return f"{slugs}/{product.product_id}/buy"

    def picture_url(self, picture: Picture) -> str:
        """A picture's plain address."""
        return f"{self.base}/assets/images/{picture.name}"

    def answer(self, target: str) -> tuple[int, str, bytes]:
        """Status, content type and body for a request's path and query."""
        parts = urlsplit(target)
        path = unquote(parts.path)
        if path == "/robots.txt":
            return 200, "text/plain; charset=utf-8", ROBOTS.encode()
        if match := re.search(r"^/(?:[^/]*/)?(?:v1/)?assets/images/([^/]+)$", path):
            return self._picture(match[1])
        if match := re.search(r"/(\d+)/buy$", path):
            product = self._products.get(int(match[1]))
            page = (
                self.product_page(product)
                if product
                else site.page("Not found", {"pdpData": None}, "<h1>Not found</h1>")
            )
            return 200 if product else 404, "text/html; charset=utf-8", page.encode()
        if path == "/":
            return 200, "text/html; charset=utf-8", self.home_page().encode()
        if path == "/sitemap.xml":
            return 200, "application/xml", site.sitemap(self.urls).encode()
        slug = path.strip("/")
        number = parse_qs(parts.query).get("p", ["1"])[0]
        if slug in self.listings and number.isdigit() and int(number) > 0:
            return 200, "text/html; charset=utf-8", self.listing_page(slug, int(number)).encode()
        return 404, "text/html; charset=utf-8", site.page("Not found", {}, "<h1>Not found</h1>").encode()

    def _picture(self, name: str) -> tuple[int, str, bytes]:
        # Only names that the shop gave out: a name from the network is never a path.
        if name not in self._files:
            return 404, "text/plain", b"no such picture"
        return 200, "image/jpeg", (self.folder / name).read_bytes()

    def home_page(self) -> str:
        """The front page: a tile a listing."""
        tiles = "".join(
            site.tile(
                f"/{slug}", self.picture_url(self._pictures[products[0].product_id][0]), slug.replace("-", " ").title()
            )
            for slug, products in self.listings.items()
        )
        outfits = [picture for picture in self.studio.pictures if picture.kind == "outfit"][::15][:8]
        shown = "".join(
            site.tile("/" + self.link(self._products[image.product_ids[0]]), self.picture_url(image), "Shop the look")
            for image in outfits
        )
        body = f'<h1>This week</h1><div class="grid">{shown}</div><h1>Departments</h1><div class="grid">{tiles}</div>'
        return site.page("Studio Seven", {}, body)

    def listing_page(self, slug: str, number: int) -> str:
        """A listing's page, the first being 1."""
        products = self.listings[slug]
        part = products[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        more = number * PAGE_SIZE < len(products)
        results = {
            "totalCount": len(products),
            "hasNextPage": more,
            "products": [self._listed(product) for product in part],
            "plaProducts": [],
        }
        cards = "".join(
            site.card("/" + self.link(p), self.picture_url(self._pictures[p.product_id][0]), p) for p in part
        )
        turn = site.turn(slug, number, more)
        title = slug.replace("-", " ").title()
        body = (
            f'<h1>{html.escape(title)} <small>{len(products)} items</small></h1><div class="grid">{cards}</div>{turn}'
        )
        return site.page(title, {"searchData": {"results": results, "pageTitle": title}}, body)

    def _listed(self, product: Product) -> dict[str, Any]:
        pictures = self._pictures[product.product_id]
        return {
            "landingPageUrl": self.link(product),
            "productId": product.product_id,
            "product": product.name,
            "productName": product.name,
            "brand": product.brand,
            "gender": product.gender,
            "category": product.article_type,
            "primaryColour": product.colour,
            "mrp": product.mrp,
            "price": product.price,
            "discount": product.mrp - product.price,
            "rating": product.rating,
            "ratingCount": product.rating_count,
            "sizes": ",".join(label for label, _ in product.sizes),
            "searchImage": self.picture_url(pictures[0]),
            "images": [
                {"view": "default", "src": self.picture_url(pictures[0])},
                {"view": "size_representation", "src": ""},
            ],
            "inventoryInfo": [{"label": label, "available": available} for label, available in product.sizes],
        }

    def product_page(self, product: Product) -> str:
        """A product's page."""
        pictures = self._pictures[product.product_id]
        data = {"pdpData": self._data(product, pictures), "pageName": "Pdp"}
        body = site.product(product, [self.picture_url(picture) for picture in pictures])
        return site.page(product.name, data, body)

    def _data(self, product: Product, pictures: list[Picture]) -> dict[str, Any]:
        outfits = [picture for picture in pictures if picture.kind == "outfit"]
        return {
            "id": product.product_id,
            "name": product.name,
            "mrp": product.mrp,
            "price": {"mrp": product.mrp, "discounted": product.price},
            "brand": {"name": product.brand},
            "baseColour": product.colour,
            "analytics": {
                "articleType": product.article_type,
                "subCategory": product.sub_category,
                "masterCategory": product.master_category,
                "gender": product.gender,
                "brand": product.brand,
            },
            "media": {
                "videos": [],
                "albums": [
                    {"name": "default", "images": [self._sized(picture) for picture in pictures]},
                    {"name": "animatedImage", "images": []},
                ],
            },
            "sizes": [{"label": label, "available": available} for label, available in product.sizes],
            "colours": None,
            "articleAttributes": {"Pattern": product.pattern.title()},
            "ratings": {"averageRating": product.rating, "totalCount": product.rating_count},
            "flags": {"outOfStock": product.sold_out},
            "landingPageUrl": self.link(product),
            "shoppableLooksV2": [self._shoppable_look(image, product) for image in outfits] or None,
        }

    def _sized(self, picture: Picture) -> dict[str, Any]:
        sized = f"{self.base}/h_($height),q_($qualityPercentage),w_($width)/assets/images/{picture.name}"
        return {"src": sized, "secureSrc": sized, "imageURL": self.picture_url(picture), "host": None}

    def _shoppable_look(self, outfit: Picture, product: Product) -> dict[str, Any]:
        return {
            **self._sized(outfit),
            "data": [
                {
                    "type": "PRIMARY" if box.product_id == product.product_id else "SECONDARY",
                    "boundaryBox": _percent(box),
                    "cropImgUrl": None,
                }
                for box in self.boxes[outfit.name]
            ],
        }


def _percent(box: Box) -> dict[str, float]:
    width, height = _PICTURE_SIZE
    return {
        "x": round(box.x_min / width * 100, 3),
        "y": round(box.y_min / height * 100, 3),
        "width": round((box.x_max - box.x_min) / width * 100, 3),
        "height": round((box.y_max - box.y_min) / height * 100, 3),
    }


def listen(port: int) -> socket.socket:
    """Take a port of this machine's loopback address; who connects waits for :func:`serve`.

    Args:
        port: 0: any free one.

    Raises:
        UserError: the port is in use.
    """
    try:
        return socket.create_server((HOST, port), backlog=_BACKLOG)
    except OSError:
        raise UserError(
            f"port {port} of {HOST}, where the shop's links point to, is in use: end what holds it (another `fullshot demo`?)"
        ) from None


def base_of(listener: socket.socket) -> str:
    """Scheme, host and port of the links of a shop that is served from a socket."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


@contextmanager
def serve(shop: Shop, listener: socket.socket) -> Iterator[None]:
    """Serve the shop from a socket of :func:`listen` for as long as the context lasts, and close it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            status, kind, body = shop.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent: the crawl has its own log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = _BACKLOG

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Silent: a crawl that is stopped drops its connections."""

    server = Server(listener.getsockname(), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
