"""Crawls of a real server on this machine."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.image_store import image_id
from fullshot.core.workspace import Workspace
from fullshot.crawler import crawl
from tests.crawler.conftest import PRODUCTS, FaultyShop, picture

FLAGS: dict[str, Any] = {"delay": 0.0, "concurrency": 4, "autothrottle": False, "timeout": 5.0}


NO_BOX = {"x": 100, "y": -9, "width": 5, "height": 0.00001}


def crawl_it(root: Path, *urls: str, **flags: Any) -> dict[str, Any]:
    workspace = Workspace(root)
    return crawl(workspace, workspace.settings(crawl={**FLAGS, **flags}), list(urls), "myntra")


def tables(root: Path) -> dict[str, pd.DataFrame]:
    """The tables of a crawl without the times in them."""
    workspace = Workspace(root)
    names = ("products", "images", "boxes", "failures")
    return {name: workspace.read_if_there(name).filter(regex="^(?!.*_(at|seen)$)") for name in names}


def assert_whole(root: Path, shop: FaultyShop) -> None:
    found = tables(root)
    assert found["products"]["product_id"].tolist() == [f"myntra:{n}" for n in range(1, PRODUCTS + 1)]
    assert found["products"]["name"][0] == "=Tee, “no. 1”"
    assert len(found["images"]) == 3 * PRODUCTS
    assert len(found["boxes"]) == PRODUCTS
    for row in found["images"].to_dict("records"):
        path = row["url"].removeprefix(shop.base)
        content = (root / row["path"]).read_bytes()
        assert content == picture(path)
        assert row["image_id"] == image_id(content)
        assert (row["width"], row["height"], row["bytes"]) == (40, 60, len(content))
    assert found["failures"].empty


def test_a_crawl_finds_every_product_and_picture_once(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    stats = crawl_it(root, shop.listing)
    assert (stats["products"], stats["images"], stats["boxes"]) == (PRODUCTS, 3 * PRODUCTS, PRODUCTS)
    assert_whole(root, shop)
    assert shop.requests["/assets/look.jpg"] == 1
    assert max(shop.requests.values()) == 1
    (record,) = (root / "runs").glob("crawl-*.json")
    assert json.loads(record.read_text())["stats"]["products"] == PRODUCTS


def test_shop_boxes_become_pixels_inside_the_picture(tmp_path: Path, shop: FaultyShop) -> None:
    crawl_it(tmp_path / "ws", shop.listing)
    box = tables(tmp_path / "ws")["boxes"].iloc[0]
    assert box[["x_min", "y_min", "x_max", "y_max"]].tolist() == [10.0, 6.0, 30.0, 60.0]
    assert (box["label"], box["source"]) == ("top", "shop")


def test_a_second_crawl_fetches_only_the_listings(tmp_path: Path, shop: FaultyShop) -> None:
    crawl_it(tmp_path / "ws", shop.listing)
    before = {name: (tmp_path / "ws" / f"{name}.csv").read_bytes() for name in ("products", "images", "boxes")}
    shop.requests.clear()
    stats = crawl_it(tmp_path / "ws", shop.listing)
    assert stats["products_already_there"] == PRODUCTS
    assert {path.partition("?")[0] for path in shop.requests} == {"/robots.txt", "/men-topwear"}
    assert before == {name: (tmp_path / "ws" / f"{name}.csv").read_bytes() for name in before}


def test_passing_faults_lose_nothing(tmp_path: Path, shop: FaultyShop) -> None:
    shop.faults = {
        "/men-topwear": "once-503",
        "/tshirts/brand/tee/1/buy": "once-503",
        "/tshirts/brand/tee/2/buy": "once-blocked",
        "/assets/3-1.jpg": "once-cut",
        "/assets/3-2.jpg": "once-503",
    }
    crawl_it(tmp_path / "ws", shop.listing)
    assert_whole(tmp_path / "ws", shop)


def test_what_cannot_be_had_is_written_down_and_fetched_by_the_next_crawl(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.faults = {
        "/tshirts/brand/tee/1/buy": "always-404",
        "/assets/2-1.jpg": "always-404",
        "/assets/3-1.jpg": "always-text",
    }
    crawl_it(root, shop.listing, max_failures=1.0)
    failures = tables(root)["failures"].set_index("url")
    assert failures["class"].to_dict() == {
        f"{shop.base}/tshirts/brand/tee/1/buy": "http-404",
        f"{shop.base}/assets/2-1.jpg": "http-404",
        f"{shop.base}/assets/3-1.jpg": "not-an-image",
    }
    assert len(tables(root)["products"]) == PRODUCTS - 1
    shop.faults = {}
    shop.requests.clear()
    crawl_it(root, shop.listing)
    assert_whole(root, shop)
    fetched = {path for path in shop.requests if path.startswith("/assets/")}
    assert fetched == {"/assets/1-1.jpg", "/assets/1-2.jpg", "/assets/2-1.jpg", "/assets/3-1.jpg"}


def test_a_picture_lost_from_the_store_is_fetched_again(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    crawl_it(root, shop.listing)
    images = tables(root)["images"]
    lost = root / images[images["url"].str.endswith("/5-1.jpg")]["path"].iloc[0]
    lost.unlink()
    crawl_it(root, shop.listing)
    assert lost.is_file()
    assert_whole(root, shop)


def test_a_killed_crawl_goes_on_and_ends_in_the_same_tables(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.faults = {"/assets/6-2.jpg": "hang"}
    flags = ["--delay", "0", "--no-autothrottle", "--concurrency", "2", "--timeout", "50", "--shop", "myntra"]
    command = [sys.executable, "-m", "fullshot", "crawl", str(root), shop.listing, *flags]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not shop.requests["/assets/6-2.jpg"]:
            assert process.poll() is None
        while len(stored(root)) < 3 * PRODUCTS - 8:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    had = stored(root)
    shop.faults = {}
    shop.released.set()
    before = shop.requests.copy()
    stats = crawl_it(root, shop.listing)
    assert stats["resumed"]
    assert_whole(root, shop)
    again = shop.requests - before
    assert not had & {shop.base + path for path in again}
    assert "/assets/6-2.jpg" in again
    # What was under way at the kill, two at once, and robots.txt, which every process asks for.
    assert sum(count - 1 for count in shop.requests.values()) <= 3
    crawl_it(tmp_path / "other", shop.listing)
    for name, table in tables(tmp_path / "other").items():
        pd.testing.assert_frame_equal(table, tables(root)[name])


def stored(root: Path) -> set[str]:
    """The pictures that a crawl's state says are there."""
    if not (root / "crawl.db").is_file():
        return set()
    with contextlib.closing(sqlite3.connect(root / "crawl.db", timeout=30)) as state:
        try:
            return {url for (url,) in state.execute("SELECT url FROM pictures")}
        except sqlite3.OperationalError:  # the tables are still being made
            return set()


def test_max_products_stops_the_crawl(tmp_path: Path, shop: FaultyShop) -> None:
    assert crawl_it(tmp_path / "ws", shop.listing, max_products=4)["products"] == 4


def test_robots_and_the_user_agent_are_minded(tmp_path: Path, shop: FaultyShop) -> None:
    shop.robots = "User-agent: fullshot\nDisallow: /men-topwear\n"
    with pytest.raises(StageFailed, match=r"/men-topwear: robots\.txt does not allow it"):
        crawl_it(tmp_path / "ws", shop.listing, contact="me@example.org")
    assert shop.agents == {"fullshot/0.1.0 (+me@example.org)"}
    assert set(shop.requests) == {"/robots.txt"}
    assert crawl_it(tmp_path / "ws", shop.listing, obey_robots=False)["products"] == PRODUCTS


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/no-such-page", "answered 404"),
        ("/assets/1-1.jpg", "window.__myx is not in the page"),
    ],
)
def test_a_page_that_is_no_shops_is_said_and_nothing_is_left(
    tmp_path: Path, shop: FaultyShop, path: str, message: str
) -> None:
    with pytest.raises(StageFailed) as caught:
        crawl_it(tmp_path / "ws", shop.base + path)
    assert str(caught.value) == f"{shop.base}{path}: {message}"
    assert not (tmp_path / "ws").exists()


def test_a_host_that_does_not_answer_is_said(tmp_path: Path, shop: FaultyShop) -> None:
    shop.server.server_close()
    with pytest.raises(StageFailed, match="connection refused"):
        crawl_it(tmp_path / "ws", shop.listing)
    assert not (tmp_path / "ws").exists()


@pytest.mark.parametrize(
    "url", ["ftp://a.test/x", "men-topwear", "http://", "file:///etc/passwd", "http://[x/", "http://a:b/"]
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match="expected an address that begins with http:// or https://"):
        crawl_it(tmp_path / "ws", url)
    assert not (tmp_path / "ws").exists()


def test_two_crawls_of_one_workspace_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path)
    monkeypatch.setattr("fullshot.core.workspace.LOCK_WAIT", 0.1)
    with workspace.locked(), pytest.raises(UserError, match="another fullshot is at work"):
        crawl_it(tmp_path, "http://127.0.0.1:9/x")


def test_a_product_that_is_named_and_listed_is_there_once(tmp_path: Path, shop: FaultyShop) -> None:
    crawl_it(tmp_path / "ws", f"{shop.base}/tshirts/brand/tee/1/buy", shop.listing)
    assert_whole(tmp_path / "ws", shop)
    assert shop.requests["/tshirts/brand/tee/1/buy"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"ratings": {"averageRating": -1, "totalCount": 1e30}},
        {"mrp": 10**400, "price": {"discounted": -5}},
        {"shoppableLooksV2": [{"imageURL": "/assets/look.jpg", "data": [{"type": "PRIMARY", "boundaryBox": NO_BOX}]}]},
        {"name": "half a \ud83d pair"},
        {"media": {"albums": [{"name": "default", "images": [{"imageURL": link} for link in ("http://[x/", "")]}]}},
    ],
    ids=["rating", "price", "box", "surrogate", "link"],
)
def test_a_value_out_of_range_costs_nothing_but_itself(
    tmp_path: Path, shop: FaultyShop, change: dict[str, Any]
) -> None:
    shop.changes = change
    stats = crawl_it(tmp_path / "ws", shop.listing)
    assert (stats["products"], stats["failures"]) == (PRODUCTS, {})


def test_the_same_bytes_under_two_addresses_are_one_picture(tmp_path: Path, shop: FaultyShop) -> None:
    link = f"{shop.base}/assets/same.jpg"
    shop.changes = {"media": {"albums": [{"images": [{"imageURL": link}, {"imageURL": f"{link}#again"}]}]}}
    crawl_it(tmp_path / "ws", shop.listing)
    images = tables(tmp_path / "ws")["images"]
    assert images[images["product_id"] == "myntra:1"]["position"].tolist() == [1, 3]


def test_a_page_cannot_name_a_file_of_this_machine(tmp_path: Path, shop: FaultyShop) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(picture("secret"))
    shop.changes = {"media": {"albums": [{"images": [{"imageURL": secret.as_uri()}, {"src": str(secret)}]}]}}
    crawl_it(tmp_path / "ws", shop.listing)
    assert image_id(secret.read_bytes()) not in set(tables(tmp_path / "ws")["images"]["image_id"])


def test_a_host_is_the_same_however_it_is_written(tmp_path: Path, shop: FaultyShop) -> None:
    assert crawl_it(tmp_path / "ws", shop.listing.replace("127.0.0.1", "LOCALHOST"))["products"] == PRODUCTS


def test_a_box_that_the_shop_moves_is_not_doubled(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    crawl_it(root, shop.listing)
    before = tables(root)["boxes"]
    look = {"imageURL": f"{shop.base}/assets/look.jpg"}
    moved = {"type": "PRIMARY", "boundaryBox": {"x": 50, "y": 10, "width": 25, "height": 50}}
    shop.changes = {"shoppableLooksV2": [{**look, "data": [moved]}]}
    lost = tables(root)["images"]
    (root / lost[lost["url"].str.endswith("/1-1.jpg")]["path"].iloc[0]).unlink()
    crawl_it(root, shop.listing)
    after = tables(root)["boxes"]
    assert len(after) == len(before)
    assert after[after["product_id"] == "myntra:1"]["x_min"].tolist() == [20.0]


def test_a_failure_that_is_over_is_not_kept(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.faults = {"/men-topwear?p=2": "always-404"}
    with pytest.raises(StageFailed, match=r"/men-topwear\?p=2: answered 404: what it lists was not found"):
        crawl_it(root, shop.listing)
    assert tables(root)["failures"]["class"].tolist() == ["http-404"]
    shop.faults = {}
    crawl_it(root, shop.listing)
    assert_whole(root, shop)
