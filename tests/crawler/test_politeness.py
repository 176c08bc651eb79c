"""How a crawl behaves towards a shop: politeness, and what it does when it is not welcome."""

import datetime
import email.utils
from pathlib import Path
from typing import Any

import pytest

from fullshot.core.workspace import Workspace
from fullshot.crawler.politeness import BACKOFFS, BLOCK_WINDOW, PROBE_WINDOW, Politeness
from fullshot.crawler.run import CrawlFailed
from tests.crawler.conftest import FaultyShop
from tests.crawler.test_crawl import assert_whole, crawl_it, tables

Ledger = dict[str, Any]


def ledger(root: Path) -> Ledger:
    (row,) = Workspace(root).read("ledger").to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_a_robots_txt_that_answers_5xx_allows_nothing(tmp_path: Path, shop: FaultyShop) -> None:
    shop.robots_status = 503
    with pytest.raises(CrawlFailed, match=r"/men-topwear: its robots\.txt answers with an error"):
        crawl_it(tmp_path / "ws", shop.listing)
    assert set(shop.requests) == {"/robots.txt"}


def test_a_robots_txt_that_is_not_there_allows_everything(tmp_path: Path, shop: FaultyShop) -> None:
    shop.robots_status = 404
    crawl_it(tmp_path / "ws", shop.listing)
    assert_whole(tmp_path / "ws", shop)
    assert ledger(tmp_path / "ws")["robots"] == "none"


def test_crawl_delay_is_applied(tmp_path: Path, shop: FaultyShop) -> None:
    shop.robots = "User-agent: *\nCrawl-delay: 0.5\n"
    crawl_it(tmp_path / "ws", shop.listing, max_products=2)
    # The server may note a request late, so that the time between two says little; that of all of them says enough.
    when = [moment for moment, path in shop.times if path != "/robots.txt"]
    assert len(when) >= 8
    assert when[-1] - when[0] > (len(when) - 1) * 0.5 / 2
    assert ledger(tmp_path / "ws")["crawl_delay"] == 0.5


def test_the_next_request_waits_for_the_crawl_delay_of_its_host() -> None:
    made, clock = hosts()
    made["a:80"].crawl_delay = 7
    made.request_begins("a:80")
    assert (made.wait("a:80"), made.wait("b:80")) == (7, 0)
    clock.now += 6
    assert made.wait("a:80") == 1
    assert made.slowed() == []


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_for_the_whole_host(tmp_path: Path, shop: FaultyShop, status: int) -> None:
    shop.retry_after = "1"
    shop.faults = {"/tshirts/brand/tee/1/buy": f"once-{status}"}
    crawl_it(tmp_path / "ws", shop.listing, concurrency=1)
    assert_whole(tmp_path / "ws", shop)
    place = [path for _, path in shop.times].index("/tshirts/brand/tee/1/buy")
    assert shop.times[place + 1][0] - shop.times[place][0] > 0.95
    row = ledger(tmp_path / "ws")
    assert (row["retries"], row[f"status_{status}"]) == (1, 1)
    assert row["paused"] > 0.9


def test_retry_after_may_be_a_date(tmp_path: Path, shop: FaultyShop) -> None:
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=-5)
    shop.retry_after = email.utils.format_datetime(soon, usegmt=True)
    shop.faults = {"/tshirts/brand/tee/1/buy": "once-503"}
    crawl_it(tmp_path / "ws", shop.listing)
    assert_whole(tmp_path / "ws", shop)


def test_a_host_that_asks_for_a_day_is_not_waited_for(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.retry_after = "86400"
    shop.faults = {"/tshirts/brand/tee/5/buy": "once-429"}
    with pytest.raises(CrawlFailed, match="asks not to be asked for 86400 s; the same command goes on with the crawl"):
        crawl_it(root, shop.listing, concurrency=1)
    assert len(tables(root)["products"]) == 4
    crawl_it(root, shop.listing)
    assert_whole(root, shop)


def test_a_crawl_that_is_blocked_backs_off_and_then_stops_with_a_reason(tmp_path: Path, shop: FaultyShop) -> None:
    root = tmp_path / "ws"
    shop.products = 40
    pages = [f"/tshirts/brand/tee/{number}/buy" for number in range(2, 41)]
    shop.faults = dict.fromkeys(pages, "always-blocked")
    reason = r"127\.0\.0\.1:\d+ blocks this crawl: after 4 pauses, \d of \d pages did not come"
    with pytest.raises(CrawlFailed, match=reason):
        crawl_it(root, shop.listing, concurrency=1, backoff=0.01, renderer="http")
    row = ledger(root)
    assert row["blocked"] <= BLOCK_WINDOW + (BACKOFFS + 1) * PROBE_WINDOW
    assert row["paused"] > 0
    assert len(tables(root)["products"]) == 1
    shop.faults = {}
    crawl_it(root, shop.listing, max_blocked=1.0)
    assert len(tables(root)["products"]) == 40
    assert tables(root)["failures"].empty


def test_the_ledger_says_how_each_host_was_treated(tmp_path: Path, shop: FaultyShop) -> None:
    crawl_it(tmp_path / "ws", shop.listing, delay=0.01)
    row = ledger(tmp_path / "ws")
    assert row["host"] == shop.base.removeprefix("http://")
    assert row["requests"] == sum(shop.requests.values())
    assert (row["robots"], row["delay"], row["renderer"], row["failures"]) == ("some", 0.01, "http", 0)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def hosts(backoff: float = 30.0) -> tuple[Politeness, Clock]:
    clock = Clock()
    return Politeness(backoff, {}, lambda host: {}, clock), clock


def test_pauses_double_and_the_last_one_ends_the_crawl() -> None:
    made, clock = hosts()
    waits = []
    looked = 0
    while (reason := made.record_page("a:80", failed=True)) is None:
        looked += 1
        if wait := made.wait("a:80"):
            waits.append(wait)
            clock.now += wait
    assert len(waits) == BACKOFFS
    for number, wait in enumerate(waits):
        assert 30 * 2**number <= wait <= 30 * 2**number * 1.2
    assert looked + 1 == BLOCK_WINDOW + BACKOFFS * PROBE_WINDOW
    assert "a:80 blocks this crawl" in reason


def test_a_few_blocked_pages_among_good_ones_are_no_block() -> None:
    made, _ = hosts()
    for number in range(200):
        assert made.record_page("a:80", failed=number % 3 == 0) is None
    assert made.wait("a:80") == 0


def test_pauses_do_not_add_up_where_they_overlap() -> None:
    made, clock = hosts()
    made.pause("a:80", 10)
    clock.now += 4
    made.pause("a:80", 10)
    made.pause("a:80", 1)
    assert made.wait("a:80") == 10
    assert made["a:80"].paused == 14
    assert made.slowed() == ["a:80"]
