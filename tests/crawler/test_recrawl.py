"""Crawls of a workspace that has been crawled before: updates, retries, saved pages."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fullshot.core.errors import MissingInput, UserError
from fullshot.core.workspace import Workspace
from fullshot.crawler import CrawlFailed, crawl, parse_archived
from tests.crawler.conftest import PRODUCTS, FaultyShop
from tests.crawler.test_crawl import FLAGS, assert_whole, crawl_it, tables


def again(root: Path, *, update: bool = False, retry_failed: str | None = None) -> dict[str, Any]:
    workspace = Workspace(root)
    flags: dict[str, Any] = {**FLAGS, "max_failures": 1.0}
    return crawl(workspace, workspace.settings(crawl=flags), [], "myntra", update=update, retry_failed=retry_failed)


def products(root: Path) -> pd.DataFrame:
    return Workspace(root).read("products").set_index("product_id")


@pytest.fixture
def crawled(tmp_path: Path, shop: FaultyShop) -> Path:
    """A workspace that holds the whole shop, as it was on the first of January."""
    shop.etags = True
    root = tmp_path / "ws"
    crawl_it(root, shop.listing, keep_pages=True)
    workspace = Workspace(root)
    old = workspace.read("products")
    day = "2026-01-01T00:00:00Z"
    workspace.write("products", old.assign(fetched_at=day, first_seen=day, last_seen=day))
    shop.requests.clear()
    shop.statuses.clear()
    return root


def test_an_update_brings_prices_up_to_date_and_marks_what_is_gone(crawled: Path, shop: FaultyShop) -> None:
    shop.changes = {"mrp": 77, "price": {"discounted": 70}, "flags": {"outOfStock": True}}
    shop.gone = {2}
    shop.faults = {"/tshirts/brand/tee/3/buy": "always-404"}
    stats = again(crawled, update=True)
    found = products(crawled)
    assert (found.loc["myntra:1", "price"], found.loc["myntra:1", "in_stock"]) == (70, False)
    day = "2026-01-01T00:00:00Z"
    assert (found["first_seen"] == day).all()
    assert found["gone_at"].notna().to_dict() == {f"myntra:{n}": n in (2, 3) for n in range(1, PRODUCTS + 1)}
    assert (found["last_seen"] == day).to_dict() == {f"myntra:{n}": n in (2, 3) for n in range(1, PRODUCTS + 1)}
    assert (stats["products_gone"], stats["products_changed"]) == (2, 1)
    assert "/men-topwear" not in shop.requests
    shop.gone, shop.faults = set(), {}
    again(crawled, update=True)
    assert products(crawled)["gone_at"].isna().all()


def test_an_update_asks_whether_pages_and_pictures_have_changed(crawled: Path, shop: FaultyShop) -> None:
    shop.changes = {"mrp": 77}
    again(crawled, update=True)
    # The changed page; of its pictures, and of the other pages, only whether they have changed.
    assert shop.statuses == {200: 2, 304: PRODUCTS - 1 + 3}
    assert_whole(crawled, shop)


def test_what_failed_is_taken_by_its_class(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.faults = {
        "/tshirts/brand/tee/1/buy": "always-404",
        "/tshirts/brand/tee/4/buy": "always-500",
        "/assets/3-1.jpg": "always-text",
    }
    crawl_it(root, shop.listing, max_failures=1.0)
    shop.faults = {"/tshirts/brand/tee/4/buy": "always-500"}
    shop.requests.clear()
    again(root, retry_failed="not-an-image")
    assert set(shop.requests) == {"/robots.txt", "/tshirts/brand/tee/3/buy", "/assets/3-1.jpg"}
    assert set(tables(root)["failures"]["class"]) == {"http-404", "http-500"}
    with pytest.raises(UserError, match=r"no failure of class 'dns' in .*: there are http-404, http-500"):
        again(root, retry_failed="dns")
    with pytest.raises(CrawlFailed, match="failed again: http-500 1"):
        again(root, retry_failed="all")
    assert tables(root)["failures"]["class"].tolist() == ["http-500"]
    shop.faults = {}
    again(root, retry_failed="http-500")
    assert_whole(root, shop)


def test_kept_pages_are_parsed_again_without_the_network(
    crawled: Path, shop: FaultyShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_whole(crawled, shop)
    before = tables(crawled)
    monkeypatch.setattr("fullshot.crawler.pages.myntra.MyntraPage.parser", "myntra@2")
    stats = parse_archived(Workspace(crawled), Workspace(crawled).settings(), "myntra")
    assert (stats["parsed_products"], stats["parsed_listings"], stats["without_data"]) == (PRODUCTS, 3, 0)
    after = tables(crawled)
    assert set(after["products"]["parser"]) == {"myntra@2"}
    pd.testing.assert_frame_equal(after["products"].drop(columns="parser"), before["products"].drop(columns="parser"))
    for name in ("images", "boxes", "failures"):
        pd.testing.assert_frame_equal(after[name], before[name])
    assert not shop.requests
    assert not list(crawled.glob("parse.db*"))


def test_a_picture_that_a_fixed_parser_finds_is_fetched_by_the_next_crawl(crawled: Path, shop: FaultyShop) -> None:
    images = Workspace(crawled).read("images")
    lost = images[images["url"].str.endswith("/5-1.jpg")]["path"].iloc[0]
    (crawled / lost).unlink()
    stats = parse_archived(Workspace(crawled), Workspace(crawled).settings(), "myntra")
    assert stats["pictures_not_fetched"] == 1
    assert tables(crawled)["failures"]["class"].tolist() == ["not-fetched"]
    again(crawled, retry_failed="not-fetched")
    assert_whole(crawled, shop)


def test_pages_that_were_not_kept_cannot_be_parsed_again(tmp_path: Path, shop: FaultyShop) -> None:
    crawl_it(tmp_path / "ws", shop.listing, max_products=1)
    with pytest.raises(MissingInput, match=r"no pages in .*: run `fullshot crawl --keep-pages` first"):
        parse_archived(Workspace(tmp_path / "ws"), Workspace(tmp_path / "ws").settings(), "myntra")


def test_a_torn_page_costs_itself_alone(crawled: Path, shop: FaultyShop) -> None:
    (archive,) = (crawled / "pages").glob("*.warc.gz")
    archive.write_bytes(archive.read_bytes()[:-20])
    stats = parse_archived(Workspace(crawled), Workspace(crawled).settings(), "myntra")
    assert stats["pages"] == PRODUCTS + 3 - 1


def test_no_cookie_and_no_header_is_in_any_file(crawled: Path) -> None:
    files = [path.read_bytes() for path in crawled.rglob("*") if path.is_file()]
    assert not any(b"Cookie" in content or b"User-Agent:" in content for content in files)


def test_coverage_is_held_against_the_last_good_crawl(tmp_path: Path) -> None:
    from fullshot.crawler.health import evaluate, last_good_coverage

    runs = tmp_path / "runs"
    runs.mkdir()
    stats: dict[str, Any] = {
        "hosts": ["a:80"],
        "healthy": True,
        "products_fetched": 50,
        "coverage": {"price": 0.95, "colour": 0.05},
    }
    records: dict[str, dict[str, Any]] = {
        "crawl-1": {},
        "crawl-2": {"healthy": False, "coverage": {"price": 0.0}},
        "crawl-3": {"hosts": ["b:80"], "coverage": {"price": 0.1}},
        "crawl-4": {"products_fetched": 3, "coverage": {"price": 0.2}},
    }
    for name, changes in records.items():
        (runs / f"{name}.json").write_text(json.dumps({"stats": stats | changes}))
    (runs / "crawl-5.json").write_text("{")
    before = last_good_coverage(runs, ["a:80"])
    assert before == {"price": 0.95, "colour": 0.05}
    settings = Workspace(tmp_path).settings().crawl
    cases = {"failed pages and pictures": (3, 20), "blocked requests": (0, 19), "products of unknown type": (1, 50)}
    verdicts = evaluate(cases, {"price": 0.5}, 50, settings, before)
    assert [(str(verdict), verdict.good) for verdict in verdicts] == [
        ("failed pages and pictures: expected at most 10%, got 15.0%", False),
        ("products of unknown type: expected at most 20%, got 2.0%", True),
        ("products with price: expected at least 85%, got 50.0%", False),
    ]
