"""A small shop with faults, served by a real HTTP server on this machine."""

import io
import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

PRODUCTS = 7
PAGE_SIZE = 3


class FaultyShop:
    """Seven products over three listing pages, two pictures each, and a look that all of them show.

    ``faults`` maps a path to what goes wrong there: ``once-503``, ``once-cut``, ``once-blocked``, ``always-404``,
    ``always-text`` or ``hang``. ``changes`` are laid over the data of the first product's page.
    """

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self.robots = "User-agent: *\nDisallow: /private\n"
        self.requests: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.released = threading.Event()
        self.changes: dict[str, Any] = {}
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

    @property
    def listing(self) -> str:
        """Where a crawl starts."""
        return f"{self.base}/men-topwear"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests[handler.path] += 1
        self.agents.add(handler.headers["User-Agent"])
        fault = self.faults.get(handler.path, "")
        if fault.startswith("once-") and self.requests[handler.path] > 1:
            fault = ""
        if fault == "hang":
            self.released.wait(60)
        status, kind, body = self.content(handler.path)
        if fault == "once-503":
            status, body = 503, b"later"
        elif fault == "always-404":
            status, body = 404, b"no"
        elif fault == "always-text":
            body = b"this is no picture"
        elif fault == "once-blocked":
            body = b"<html>Site Maintenance</html>"
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if fault == "once-cut" else body)
        handler.close_connection = fault == "once-cut"

    def content(self, path: str) -> tuple[int, str, bytes]:
        if path == "/robots.txt":
            return 200, "text/plain", self.robots.encode()
        if path.startswith("/assets/"):
            return 200, "image/jpeg", picture(path)
        if path.endswith("/buy"):
            return 200, "text/html", self.product(int(path.split("/")[-2]))
        if path.startswith("/men-topwear"):
            return 200, "text/html", self.list(int(path.partition("p=")[2] or 1))
        return 404, "text/html", b"<html>not found</html>"

    def list(self, number: int) -> bytes:
        ids = list(range(1, PRODUCTS + 1))[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        entries = [{"landingPageUrl": f"tshirts/brand/tee/{one}/buy"} for one in ids]
        results = {"totalCount": PRODUCTS, "hasNextPage": number * PAGE_SIZE < PRODUCTS, "products": entries}
        return _page({"searchData": {"results": results}})

    def product(self, number: int) -> bytes:
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


def hash_of(text: str) -> int:
    """A number that depends on the text alone, in every process."""
    return sum(index * byte for index, byte in enumerate(text.encode(), start=1))


@pytest.fixture
def shop() -> Iterator[FaultyShop]:
    """The shop, serving."""
    there = FaultyShop()
    thread = threading.Thread(target=there.server.serve_forever, daemon=True)
    thread.start()
    yield there
    there.released.set()
    there.server.shutdown()
    there.server.server_close()
    thread.join()
