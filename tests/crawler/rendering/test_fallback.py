"""Pages whose data arrives by script only: plain HTTP first, a real browser by need."""

import json
from pathlib import Path
from typing import Any

import pytest

from fullshot.core.workspace import Workspace
from fullshot.crawler.run import CrawlFailed
from tests.crawler.conftest import PRODUCTS, FaultyShop
from tests.crawler.test_crawl import assert_whole, crawl_it, tables

_PAGE = """<html><head><script>
fetch('/data' + location.pathname + location.search)
    .then(answer => answer.json())
    .then(data => { window.__myx = data; });
</script></head><body></body></html>"""


class ScriptedShop(FaultyShop):
    """The same shop, whose pages ask for their data by script."""

    def content(self, path: str) -> tuple[int, str, bytes]:
        if path.startswith("/data/"):
            status, _, body = super().content(path.removeprefix("/data"))
            text = body.decode()
            data, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
            return status, "application/json", json.dumps(data).encode()
        if path.endswith("/buy") or path.startswith("/men-topwear"):
            return 200, "text/html", _PAGE.encode()
        return super().content(path)


@pytest.fixture
def shop() -> Any:
    with ScriptedShop().serving() as there:
        yield there


@pytest.mark.parametrize("renderer", ["auto", "selenium"])
def test_a_page_without_its_data_is_drawn_by_a_browser(tmp_path: Path, shop: FaultyShop, renderer: str) -> None:
    root = tmp_path / "ws"
    crawl_it(root, shop.listing, renderer=renderer, timeout=30.0)
    assert_whole(root, shop)
    (row,) = Workspace(root).read("ledger").to_dict("records")
    used = "playwright" if renderer == "auto" else "selenium"
    assert row["renderer"] == used
    if renderer == "auto":
        # The first listing is asked for in both ways, and so are products, until the first of them has been drawn.
        assert shop.requests["/men-topwear"] == 2
        asked = [shop.requests[f"/tshirts/brand/tee/{n}/buy"] for n in range(1, PRODUCTS + 1)]
        assert max(asked) <= 2
        shop.requests.clear()
        crawl_it(root, shop.listing, timeout=30.0)
        assert shop.requests["/men-topwear"] == 1


class HalfScriptedShop(ScriptedShop):
    """Its listings come with their data, its product pages do not."""

    def content(self, path: str) -> tuple[int, str, bytes]:
        return FaultyShop.content(self, path) if path.startswith("/men-topwear") else super().content(path)


def test_a_shop_whose_listings_need_no_browser_is_not_taken_for_one_that_blocks(tmp_path: Path) -> None:
    with HalfScriptedShop().serving() as half:
        crawl_it(tmp_path / "ws", half.listing, timeout=30.0)
        assert_whole(tmp_path / "ws", half)
        (row,) = Workspace(tmp_path / "ws").read("ledger").to_dict("records")
        assert (row["renderer"], row["blocked"], row["paused"]) == ("playwright", 0, 0)
        assert half.requests["/men-topwear"] == 1


def test_without_a_browser_such_a_page_is_a_failure(tmp_path: Path, shop: FaultyShop) -> None:
    with pytest.raises(CrawlFailed, match=r"window\.__myx is not in the page"):
        crawl_it(tmp_path / "ws", shop.listing, renderer="http")


def test_a_shop_that_answers_without_a_browser_is_not_drawn(tmp_path: Path) -> None:
    with FaultyShop().serving() as plain:
        plain.faults = {"/tshirts/brand/tee/2/buy": "once-blocked"}
        crawl_it(tmp_path / "ws", plain.listing)
        assert_whole(tmp_path / "ws", plain)
        (row,) = Workspace(tmp_path / "ws").read("ledger").to_dict("records")
        assert row["renderer"] == "http"
        assert tables(tmp_path / "ws")["failures"].empty
