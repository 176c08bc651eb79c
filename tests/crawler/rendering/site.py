"""Pages with what a browser meets, served by a real HTTP server on this machine."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

PRODUCT = {
    "pdpData": {
        "id": 7,
        "name": "Tee, “no. 7”",
        "mrp": 100,
        "analytics": {"articleType": "Tshirts", "gender": "Men"},
        "media": {"albums": []},
    }
}
BY_SCRIPT = "<script>fetch('/data.json').then(r => r.json()).then(data => { window.__myx = data; })</script>"


class Site:
    """A server whose answers are ``pages``: a path, with its query, and the status, the headers and the body there.

    A path below ``/hold/`` is answered when ``released`` is set, one below ``/while-held/`` once such a one was asked
    for. What was asked for is in ``requests``, by host and path.
    """

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.requests: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.cookies: list[str] = []
        self.released = threading.Event()
        self.held = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Silent: browsers drop connections."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.base = f"http://{self.host}"
        self.json("/data.json", PRODUCT)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def html(self, path: str, body: str, status: int = 200, headers: dict[str, str] | None = None) -> str:
        """Serve a page; gives its address."""
        self.pages[path] = (status, {"Content-Type": "text/html; charset=utf-8", **(headers or {})}, body.encode())
        return self.base + path

    def json(self, path: str, data: Any) -> None:
        self.pages[path] = (200, {"Content-Type": "application/json"}, json.dumps(data).encode())

    def redirect(self, path: str, target: str) -> str:
        self.pages[path] = (302, {"Location": target}, b"")
        return self.base + path

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        host = (handler.headers["Host"] or "").partition(":")[0]
        self.requests[handler.path if host == "127.0.0.1" else f"{host}{handler.path}"] += 1
        if urlsplit(handler.path).path != "/favicon.ico":
            self.agents.add(handler.headers["User-Agent"])
            self.cookies.append(handler.headers["Cookie"] or "")
        if handler.path.startswith("/while-held/"):
            self.held.wait()
        if handler.path.startswith("/hold/"):
            self.held.set()
            self.released.wait()
        status, headers, body = self.pages.get(handler.path, (404, {"Content-Type": "text/html"}, b"not here"))
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def close(self) -> None:
        self.held.set()
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
