"""What a crawl must not do: leave the shop, ask this machine's network, take too much, trust a name."""

import asyncio
import csv
import subprocess
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.utils.test import get_crawler

from fullshot.core.settings import CrawlSettings
from fullshot.core.workspace import Workspace
from fullshot.crawler.addresses import is_private, is_private_host, is_private_literal
from fullshot.crawler.context import CrawlContext
from fullshot.crawler.failures import Refused
from fullshot.crawler.http import GuardedResolver
from fullshot.crawler.middlewares import PrivateAddressGuard
from fullshot.crawler.pages import PageOptions
from fullshot.crawler.politeness import Politeness
from fullshot.crawler.run import CrawlFailed
from fullshot.crawler.state import CrawlState
from tests.crawler.conftest import PRODUCTS, FaultyShop
from tests.crawler.test_crawl import assert_whole, crawl_it, tables


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True),
        ("127.1", True),
        ("2130706433", True),
        ("0x7f000001", True),
        ("0177.0.0.1", True),
        ("10.1.2.3", True),
        ("192.168.0.1", True),
        ("169.254.169.254", True),  # where clouds keep their secrets
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("fd00::1", True),
        ("fe80::1%eth0", True),
        ("64:ff9b::7f00:1", True),  # IPv4 addresses as a translator writes them
        ("2002:7f00:1::", True),
        ("64:ff9b::808:808", False),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("shop.localhost", True),
        ("8.8.8.8", False),
        ("2606:4700::1111", False),
        ("shop.test", False),
        ("", False),
    ],
)
def test_addresses_of_this_machine_and_its_network_are_told(host: str, private: bool) -> None:
    assert is_private_literal(host) is private
    assert is_private(host) <= private


def test_a_name_is_private_where_its_address_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda host, *_, **__: [(0, 0, 0, "", ("10.0.0.7", 0))])
    assert is_private_host("intranet.test")
    assert is_private_host("no-such-name.test")
    both = [(0, 0, 0, "", ("8.8.8.8", 0)), (0, 0, 0, "", ("10.0.0.7", 0))]
    monkeypatch.setattr("socket.getaddrinfo", lambda host, *_, **__: both)
    assert not is_private_host("shop.test")


def test_a_name_of_this_machine_is_not_connected_to() -> None:
    async def resolve() -> None:
        await GuardedResolver().resolve("localhost", 80)

    with pytest.raises(Refused, match="localhost is a name of this machine or its network"):
        asyncio.run(resolve())


_A_NAME_THAT_CHANGES_ITS_MIND = """
import socket
known = socket.getaddrinfo
socket.getaddrinfo = lambda host, *more, **how: known("127.0.0.1" if host == "shop.test" else host, *more, **how)
import fullshot.crawler.__main__ as process
process.is_private_host = lambda host: False  # its address was another one when the crawl began
process.main()
"""


def test_a_name_that_becomes_private_is_not_asked(
    tmp_path: Path, shop: FaultyShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = subprocess.Popen

    def popen(command: list[str], **how: Any) -> "subprocess.Popen[bytes]":
        return start([*command[:2], "-c", _A_NAME_THAT_CHANGES_ITS_MIND], **how)

    monkeypatch.setattr("fullshot.crawler.process.subprocess.Popen", popen)
    with pytest.raises(CrawlFailed, match=r"shop\.test is a name of this machine or its network"):
        crawl_it(tmp_path / "ws", shop.listing.replace("127.0.0.1", "shop.test"))
    assert not shop.requests


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", "private-address"),
        ("http://localhost:8080/", "private-address"),
        ("ftp://shop.test/a.jpg", "scheme"),
        ("https://shop.test/a.jpg", None),
    ],
)
def test_a_crawl_of_the_web_does_not_ask_this_network(tmp_path: Path, url: str, reason: str | None) -> None:
    with CrawlState(tmp_path / "crawl.db") as state:
        politeness = Politeness(0, {}, state.renderers)
        blobs, allowed = Workspace(tmp_path).blobs, {"shop.test:443"}
        context = CrawlContext(
            tmp_path, blobs, {}, CrawlSettings(), PageOptions(), state, politeness, allowed, allow_private=False
        )
        guard = PrivateAddressGuard(get_crawler(settings_dict={"FULLSHOT_CONTEXT": context}))
        if reason is None:
            guard.process_request(Request(url))
            return
        with pytest.raises(Refused) as refused:
            guard.process_request(Request(url))
        assert refused.value.reason == reason


def test_a_host_whose_name_is_not_known_is_said(tmp_path: Path) -> None:
    with pytest.raises(CrawlFailed, match=r"http://shop\.invalid/: the host's name is not known"):
        crawl_it(tmp_path / "ws", "http://shop.invalid/")


def test_a_redirect_on_the_shop_is_followed_and_one_off_it_is_not(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.faults = {
        "/tshirts/brand/tee/1/buy": "once-to /tshirts/brand/tee/1/buy?again",
        "/tshirts/brand/tee/1/buy?again": "once-to /tshirts/brand/tee/1/buy",
        "/tshirts/brand/tee/2/buy": "always-to http://127.0.0.1:9/elsewhere",
        "/assets/3-1.jpg": "always-to http://127.0.0.1:9/elsewhere.jpg",
    }
    crawl_it(root, shop.listing, max_failures=1.0)
    failures = tables(root)["failures"].set_index("url")
    assert failures["class"].to_dict() == {
        f"{shop.base}/tshirts/brand/tee/2/buy": "off-host",
        f"{shop.base}/assets/3-1.jpg": "off-host",
    }
    assert failures["message"].iloc[1].startswith("redirects to another host: http://127.0.0.1:9/elsewhere")
    assert "myntra:1" in set(tables(root)["products"]["product_id"])


def test_redirects_without_end_are_given_up(tmp_path: Path, shop: FaultyShop) -> None:
    shop.faults = {"/men-topwear": "always-to /men-topwear"}
    with pytest.raises(CrawlFailed, match="max redirections reached"):
        crawl_it(tmp_path / "ws", shop.listing)


def test_a_picture_of_too_many_pixels_or_bytes_is_refused(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.faults = {"/assets/1-1.jpg": "always-bomb"}
    crawl_it(root, shop.listing, max_failures=1.0)
    (failure,) = tables(root)["failures"].to_dict("records")
    assert failure["class"] == "too-large"
    assert "more than 50,000,000 pixels" in failure["message"]
    crawl_it(tmp_path / "other", shop.listing, max_failures=1.0, max_picture_bytes=200)
    assert set(tables(tmp_path / "other")["failures"]["class"]) == {"too-large"}


def test_a_page_of_too_many_bytes_is_refused(tmp_path: Path, shop: FaultyShop) -> None:
    with pytest.raises(CrawlFailed, match="/men-topwear: more bytes than the settings allow"):
        crawl_it(tmp_path / "ws", shop.listing, max_page_bytes=100)


def test_a_cell_does_not_become_a_formula(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.changes = {"name": "=HYPERLINK(1)", "baseColour": "@red", "brand": {"name": "-brand"}}
    crawl_it(root, shop.listing, max_products=1)
    with (root / "products.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["name"], row["colour"], row["brand"]) == ("'=HYPERLINK(1)", "'@red", "'-brand")
    assert Workspace(root).read("products")["name"].tolist() == ["=HYPERLINK(1)"]


def test_pictures_are_re_encoded_only_when_asked(tmp_path: Path, shop: FaultyShop) -> None:
    crawl_it(tmp_path / "ws", shop.listing, reencode="webp")
    images = tables(tmp_path / "ws")["images"]
    assert images["path"].str.endswith(".webp").all()
    assert len(images) >= PRODUCTS
    crawl_it(tmp_path / "plain", shop.listing)
    assert_whole(tmp_path / "plain", shop)
