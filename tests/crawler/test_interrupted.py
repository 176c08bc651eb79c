"""What would be lost by a crawl that is stopped, changed, or goes on otherwise than it began."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fullshot.core.workspace import Workspace
from fullshot.crawler import CrawlFailed, crawl, parse_archived
from fullshot.crawler.state import CrawlState
from tests.crawler.conftest import PRODUCTS, FaultyShop
from tests.crawler.test_crawl import FLAGS, assert_whole, crawl_it, tables


def go(root: Path, *urls: str, shop: str | None = None, update: bool = False, retry: str | None = None) -> Any:
    workspace = Workspace(root)
    settings = workspace.settings(crawl={**FLAGS, "max_failures": 1.0, "max_blocked": 1.0, "renderer": "http"})
    return crawl(workspace, settings, list(urls), shop, update=update, retry_failed=retry)


def kill_in_the_middle(root: Path, shop: FaultyShop) -> None:
    """Kill a crawl that has read every product page and is held up at a picture of the fourth."""
    flags = ["--delay", "0", "--no-autothrottle", "--concurrency", "1", "--timeout", "50", "--shop", "myntra"]
    shop.faults = {"/assets/4-2.jpg": "hang"}
    command = [sys.executable, "-m", "fullshot", "crawl", str(root), shop.listing, *flags]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not shop.requests["/assets/4-2.jpg"]:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    shop.faults = {}
    shop.released.set()
    with contextlib.closing(sqlite3.connect(root / "crawl.db", timeout=30)) as state:
        assert state.execute("SELECT count(*) FROM products").fetchone()[0] >= 4


@pytest.mark.parametrize("how", [{"update": True}, {"retry": "all"}], ids=["update", "retry"])
def test_another_kind_of_crawl_after_a_kill_loses_no_picture(
    tmp_path: Path, shop: FaultyShop, how: dict[str, Any]
) -> None:
    root = tmp_path / "ws"
    kill_in_the_middle(root, shop)
    go(root, **how)
    go(root, shop.listing)
    assert_whole(root, shop)


def test_a_killed_crawl_goes_on_without_its_address_and_without_its_shop(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    kill_in_the_middle(root, shop)
    assert go(root)["resumed"]
    assert_whole(root, shop)
    go(root, update=True)
    assert_whole(root, shop)
    (root / "crawl.db").unlink()
    go(root, update=True)
    assert_whole(root, shop)


def test_a_picture_that_several_products_show_is_had_by_all_of_them(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.faults = {"/assets/look.jpg": "always-404"}
    crawl_it(root, shop.listing)
    assert len(tables(root)["failures"]) == PRODUCTS
    shop.faults = {}
    go(root, retry="http-404")
    assert_whole(root, shop)


def test_what_only_the_listing_says_stays(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.listed = {"brand": "Listed"}
    shop.faults = {"/tshirts/brand/tee/2/buy": "always-500"}
    crawl_it(root, shop.listing, max_failures=1.0, keep_pages=True)
    shop.faults = {}
    go(root, retry="all")
    go(root, update=True)
    assert set(tables(root)["products"]["brand"]) == {"Listed"}
    parse_archived(Workspace(root), Workspace(root).settings())
    assert set(tables(root)["products"]["brand"]) == {"Listed"}
    assert len(tables(root)["products"]) == PRODUCTS


def test_kept_pages_do_not_undo_what_came_later(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    crawl_it(root, shop.listing, keep_pages=True)
    workspace = Workspace(root)
    later = workspace.read("products")
    workspace.write("products", later.assign(price=later["price"] + 1, fetched_at="2999-01-01T00:00:00Z"))
    stats = parse_archived(workspace, workspace.settings())
    assert (stats["superseded"], stats["parsed_products"]) == (PRODUCTS, 0)
    assert set(tables(root)["products"]["price"]) == {101.0}


def test_an_address_that_cannot_be_asked_for_does_not_stop_the_crawl(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    bad = "http://.::1\\%@80/x.jpg"
    shop.changes = {"media": {"albums": [{"name": "default", "images": [{"imageURL": bad}]}]}}
    assert crawl_it(root, shop.listing, max_failures=1.0)["finished"]


def test_a_picture_that_is_damaged_is_fetched_again(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    crawl_it(root, shop.listing)
    workspace = Workspace(root)
    picture = workspace.read("images").query("url.str.endswith('/5-1.jpg')").iloc[0]
    (root / picture["path"]).write_bytes(bytes(picture["bytes"]))
    page = workspace.read("products").set_index("product_id").loc[picture["product_id"], "url"]
    failure = {"url": picture["url"], "kind": "picture", "class": "not-an-image", "page": page}
    from fullshot.core import tables as schema

    workspace.write("failures", schema.frame("failures", [failure]))
    go(root, shop.listing)
    assert_whole(root, shop)


def test_a_product_that_moved_is_not_gone(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    crawl_it(root, shop.listing)
    with CrawlState(root / "crawl.db") as state:
        state._db.execute("INSERT INTO pages (url, product_id) VALUES (?, ?)", (f"{shop.base}/old/1/buy", "myntra:1"))
    shop.faults = {"/old/1/buy": "always-404"}
    go(root, update=True)
    assert Workspace(root).read("products")["gone_at"].isna().all()


def test_a_product_that_is_sold_again_is_found_again(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    crawl_it(root, shop.listing)
    shop.gone = {3}
    go(root, update=True)
    assert Workspace(root).read("products")["gone_at"].notna().sum() == 1
    shop.gone = set()
    go(root, shop.listing)
    assert Workspace(root).read("products")["gone_at"].isna().all()


def test_a_picture_that_is_shown_no_more_is_kept_without_a_position(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    crawl_it(root, shop.listing)
    images = [{"imageURL": f"{shop.base}/assets/1-2.jpg"}, {"imageURL": f"{shop.base}/assets/1-9.jpg"}]
    shop.changes = {"media": {"albums": [{"name": "default", "images": images}]}}
    go(root, update=True)
    found = tables(root)["images"].query("product_id == 'myntra:1'").set_index("url")["position"]
    names = {str(url).rpartition("/")[2]: position for url, position in found.dropna().items()}
    assert names == {"1-2.jpg": 1, "1-9.jpg": 2, "look.jpg": 3}
    assert found.isna().sum() == 1


def test_a_page_does_not_choose_which_host_is_asked(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.changes = {"landingPageUrl": "http://127.0.0.1:9/admin?delete=1"}
    crawl_it(root, shop.listing)
    assert tables(root)["products"]["url"].str.startswith(shop.base).all()


def test_a_host_that_goes_down_is_waited_for_and_loses_nothing(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.products = 40
    shop.faults = {f"/tshirts/brand/tee/{number}/buy": "always-500" for number in range(2, 41)}
    with pytest.raises(CrawlFailed, match="does not answer: after 4 pauses"):
        crawl_it(root, shop.listing, backoff=0.01, concurrency=1, renderer="http")
    shop.faults = {}
    go(root, shop.listing)
    assert len(tables(root)["products"]) == 40
    assert tables(root)["failures"].empty
