"""A small shop with faults, served by a real HTTP server on this machine."""

import io
import json
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest
from PIL import Image

PRODUCTS = 7
PAGE_SIZE = 3


class FaultyShop:
    """Seven products over three listing pages, two pictures each, and a look that all of them show.

    Attributes:
        faults: a path and what goes wrong there: ``once-`` or ``always-`` and a status, ``cut``, ``blocked`` (a page
            without its data), ``text`` (instead of a picture), ``bomb`` (a picture of 50,000 × 50,000 pixels) or ``to``
            and an address that it redirects to; or ``hang``.
        changes: laid over the data of the first product's page.
        products: how many there are.
        listed: what the listings say of each product.
        gone: products that are not sold any more.
        retry_after: what a 429 and a 503 say.
        etags: whether answers have an ``ETag``, and conditional requests are answered by 304.
        times: when each request came, by path.
    """

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self.robots = "User-agent: *\nDisallow: /private\n"
        self.requests: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.released = threading.Event()
        self.changes: dict[str, Any] = {}
        self.listed: dict[str, Any] = {}
        self.gone: set[int] = set()
        self.products = PRODUCTS
        self.robots_status = 200
        self.retry_after = ""
        self.etags = False
        self.statuses: Counter[int] = Counter()
        self.times: list[tuple[float, str]] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                shop.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Silent: a killed crawl drops its connections."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator[Self]:
        """Answer until the context ends."""
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            self.server.shutdown()
            self.server.server_close()
            thread.join()

    @property
    def listing(self) -> str:
        """Where a crawl starts."""
        return f"{self.base}/men-topwear"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path
        self.requests[path] += 1
        self.times.append((time.monotonic(), path))
        self.agents.add(handler.headers["User-Agent"])
        when, _, fault = self.faults.get(path, "").partition("-")
        if when == "once" and self.requests[path] > 1:
            fault = ""
        if when == "hang":
            self.released.wait(60)
        status, kind, body = self.content(path)
        headers = {"Content-Type": kind}
        tag = f'"{hash_of(body.decode("latin-1"))}"'
        if self.etags and path != "/robots.txt":
            headers["ETag"] = tag
        if fault.isdecimal():
            status, body = int(fault), b"no"
        elif fault == "text":
            body = b"this is no picture"
        elif fault == "bomb":
            body = BOMB
        elif fault == "blocked":
            body = b"<html>Site Maintenance</html>"
        elif fault.startswith("to "):
            status, body, headers["Location"] = 302, b"", fault[3:]
        elif self.etags and handler.headers["If-None-Match"] == tag:
            status, body = 304, b""
        if status in (429, 503) and self.retry_after:
            headers["Retry-After"] = self.retry_after
        self.statuses[status] += 1
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if fault == "cut" else body)
        handler.close_connection = fault == "cut"

    def content(self, path: str) -> tuple[int, str, bytes]:
        if path == "/robots.txt":
            return self.robots_status, "text/plain", self.robots.encode()
        if path.startswith("/assets/"):
            return 200, "image/jpeg", picture(path)
        if path.endswith("/buy"):
            return 200, "text/html", self.product(int(path.split("/")[-2]))
        if path.startswith("/men-topwear"):
            return 200, "text/html", self.list(int(path.partition("p=")[2] or 1))
        return 404, "text/html", b"<html>not found</html>"

    def list(self, number: int) -> bytes:
        ids = list(range(1, self.products + 1))[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        entries = [{"landingPageUrl": f"tshirts/brand/tee/{one}/buy", **self.listed} for one in ids]
        results = {"totalCount": self.products, "hasNextPage": number * PAGE_SIZE < self.products, "products": entries}
        return _page({"searchData": {"results": results}})

    def product(self, number: int) -> bytes:
        if number in self.gone:
            return _page({"pdpData": None})
        files = [f"{number}-1.jpg", f"{number}-2.jpg", "look.jpg"]
        links = [{"imageURL": f"{self.base}/assets/{name}", "src": None} for name in files]
        look = {**links[2], "data": [{"type": "PRIMARY", "boundaryBox": {"x": 25, "y": 10, "width": 50, "height": 95}}]}
        product = {
            "id": number,
            "name": f"=Tee, “no. {number}”",
            "mrp": 100 + number,
            "price": {"discounted": 100},
            "analytics": {"articleType": "Tshirts", "gender": "Men"},
            "media": {"albums": [{"name": "default", "images": links[:2]}]},
            "shoppableLooksV2": [look],
            "landingPageUrl": f"tshirts/brand/tee/{number}/buy",
            **(self.changes if number == 1 else {}),
        }
        return _page({"pdpData": product})


def _page(data: dict[str, Any]) -> bytes:
    return f"<html><script>window.__myx = {json.dumps(data)}</script></html>".encode()


def picture(name: str) -> bytes:
    """A small JPEG that differs by name."""
    colour = (sum(name.encode()) % 256, len(name) * 9 % 256, hash_of(name) % 256)
    file = io.BytesIO()
    Image.new("RGB", (40, 60), colour).save(file, "JPEG")
    return file.getvalue() + name.encode()


def _bomb() -> bytes:
    """A PNG of 50,000 × 50,000 pixels in some 300 kB."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 1, 0, 0, 0, 0))
    rows = zlib.compress(bytes(50_000 * (1 + 50_000 // 8)), 9)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def hash_of(text: str) -> int:
    """A number that depends on the text alone, in every process."""
    return sum(index * byte for index, byte in enumerate(text.encode(), start=1))


BOMB = _bomb()


@pytest.fixture
def shop() -> Iterator[FaultyShop]:
    """The shop, serving."""
    with FaultyShop().serving() as there:
        yield there
