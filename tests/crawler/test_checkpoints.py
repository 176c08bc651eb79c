"""The tables of a crawl that runs: written beside it, and given up without harm when it ends."""

import threading
from pathlib import Path

import pytest

from fullshot.core.dataset import Dataset
from fullshot.core.errors import BadTable
from fullshot.core.settings import CrawlSettings
from fullshot.core.workspace import Workspace
from fullshot.crawler import checkpoints
from fullshot.crawler.checkpoints import Checkpoints
from fullshot.crawler.merge import merge
from fullshot.crawler.state import FILE, CrawlState
from tests.crawler.conftest import FaultyShop
from tests.crawler.test_crawl import assert_whole, crawl_it

_PATIENCE = 60.0
_ENDLESS = (
    "SELECT count(*) FROM range(10000000000) AS one, range(10000000000) AS other WHERE one.range = -other.range - 1"
)


@pytest.fixture
def there(tmp_path: Path, shop: FaultyShop, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A crawled workspace, for which a checkpoint is always due."""
    crawl_it(tmp_path / "ws", shop.listing)
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    return Workspace(tmp_path / "ws")


def test_who_begins_one_does_not_wait_for_it(there: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, released = threading.Semaphore(0), threading.Event()

    def slow(data: Dataset, state: CrawlState) -> dict[str, int]:
        begun.release()
        assert released.wait(_PATIENCE)
        return merge(data, state)

    monkeypatch.setattr(checkpoints, "merge", slow)
    beside = Checkpoints(there, CrawlSettings())
    beside.begin_if_due()
    assert begun.acquire(timeout=_PATIENCE)
    beside.begin_if_due()
    assert not begun.acquire(blocking=False), "two at once"
    released.set()
    beside.end()


def test_one_that_is_at_work_is_given_up(there: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = there.table("products").read_bytes()
    begun = threading.Event()

    def endless(data: Dataset, state: CrawlState) -> None:
        begun.set()
        data.write("products", f"SELECT * FROM products WHERE ({_ENDLESS}) > 0")

    monkeypatch.setattr(checkpoints, "merge", endless)
    beside = Checkpoints(there, CrawlSettings())
    beside.begin_if_due()
    assert begun.wait(_PATIENCE)
    beside.end()
    assert there.table("products").read_bytes() == before
    assert not list(there.root.glob("**/*.part"))
    with CrawlState(there / FILE) as state, there.open() as data:
        merge(data, state)
    assert there.table("products").read_bytes() == before


def test_what_went_wrong_in_one_ends_the_crawl(there: Workspace) -> None:
    there.table("images").write_text("nonsense\n", "utf-8")
    beside = Checkpoints(there, CrawlSettings())

    def begin_until_one_fails() -> None:
        while True:
            beside.begin_if_due()

    with pytest.raises(BadTable, match=r"images\.csv: expected a column"):
        begin_until_one_fails()


def test_a_crawl_with_checkpoints_is_whole(tmp_path: Path, shop: FaultyShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot end before there was one: a picture is held up until then."""
    seen = []

    def released_then(data: Dataset, state: CrawlState) -> dict[str, int]:
        counts = merge(data, state)
        seen.append(len(Workspace(tmp_path / "ws").read_if_there("products")))
        shop.released.set()
        return counts

    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "merge", released_then)
    shop.faults = {"/assets/4-2.jpg": "hang"}
    crawl_it(tmp_path / "ws", shop.listing, timeout=_PATIENCE)
    assert seen
    assert_whole(tmp_path / "ws", shop)
