"""A shop of another package takes part in all that a shop of fullshot does."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fullshot.core.workspace import Workspace
from tests.plugins.conftest import Command, Stats, run_suite

FACTS = {"number": 7, "title": "Plain tee", "for": "Women", "kind": "Tshirts", "price": 12.5, "pictures": ["/7.jpg"]}
PRODUCT = f'<html><script id="acme" type="application/json">{json.dumps(FACTS)}</script></html>'.encode()
LISTING = b'<html><ul class="acme-listing"><li><a href="/7">Plain tee</a></li></ul></html>'


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 60), "teal").save(file, "JPEG")
    return file.getvalue()


ANSWERS = {"/": ("text/html", LISTING), "/7": ("text/html", PRODUCT), "/7.jpg": ("image/jpeg", _picture())}


@pytest.fixture
def shop() -> Iterator[str]:
    """A server of the shop's pages; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = ANSWERS.get(self.path, ("text/plain", b""))
            self.send_response(200 if self.path in ANSWERS else 404)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def parse(fullshot: Command, page: Path, *words: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = fullshot("parse", *words, page)
    return code, json.loads(out)


def test_its_page_is_read_by_its_name_and_by_its_address(fullshot: Command, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(PRODUCT)
    for words in (("https://acme.example/7",), ("--shop", "acme", "http://127.0.0.1/7")):
        code, found = parse(fullshot, page, *words)
        assert (code, found["kind"], found["product"]["product_id"]) == (0, "product", "acme:7")
    code, found = parse(fullshot, page, "http://127.0.0.1/7")
    assert (code, found["kind"]) == (1, "none")


def test_it_is_crawled_and_its_saved_pages_are_read_again(stats: Stats, tmp_path: Path, shop: str) -> None:
    root = tmp_path / "ws"
    polite = ("--delay", "0", "--no-autothrottle", "--keep-pages")
    assert stats("crawl", root, "--shop", "acme", *polite, shop)["products"] == 1
    (row,) = Workspace(root).read("products").to_dict("records")
    assert (row["product_id"], row["wear"], row["parser"]) == ("acme:7", "top", "acme@1")
    assert len(Workspace(root).read("images")) == 1
    assert stats("crawl", root, "--from-pages")["parsed_products"] == 1
    # Without its state, the workspace's products say whose pages these are.
    (root / "crawl.db").unlink()
    assert stats("crawl", root, "--update", "--delay", "0")["products_fetched"] == 1


def test_the_help_names_it(fullshot: Command) -> None:
    for command in ("crawl", "parse"):
        code, out, _ = fullshot(command, "--help")
        assert code == 0
        assert "myntra, schema_org, acme" in " ".join(out.replace("│", " ").split())


def with_packages(*folders: Path) -> dict[str, str]:
    """The environment of a process that finds what is installed in these folders."""
    path = os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path}


def test_it_passes_the_suite_of_shop_pages(plugin: Path) -> None:
    assert "9 passed" in run_suite(plugin, "test_shop_pages.py", "acme")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with a package whose shops do not load: one has no module, the other is no page object."""
    folder = tmp_path / "broken" / "broken_shops-2.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-shops\nVersion: 2.0\n")
    (folder / "entry_points.txt").write_text("[fullshot.shops]\nmissing = no_such_module:Page\nnumber = math:pi\n")
    return folder.parent


def test_a_shop_that_does_not_load_is_named_with_its_package_and_the_rest_works(
    plugin: Path, broken: Path, tmp_path: Path, shop: str
) -> None:
    def crawl(name: str) -> tuple[int, list[str]]:
        words = ["crawl", str(tmp_path / "ws"), "--delay", "0", "--shop", name, shop]
        command = [sys.executable, "-m", "fullshot", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=with_packages(plugin, broken))
        return done.returncode, done.stderr.splitlines()

    code, lines = crawl("acme")
    assert code == 0
    about = [line for line in lines if "broken-shops 2.0" in line]
    assert len(about) == 2
    assert "the shop 'missing' of broken-shops 2.0 does not load (no_such_module:Page)" in about[0]
    assert "expected a subclass of fullshot.crawler.ShopPage, got 3.14" in about[1]
    code, lines = crawl("missing")
    assert (code, len(lines)) == (2, 1)
    assert "the shop 'missing' of broken-shops 2.0 does not load" in lines[0]
