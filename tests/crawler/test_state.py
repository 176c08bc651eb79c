"""What a crawl writes down: what a step leaves behind when it is cut off, and the files of version 0.1."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from fullshot.core.errors import UserError
from fullshot.core.settings import CrawlSettings
from fullshot.core.workspace import Workspace
from fullshot.crawler import crawl
from fullshot.crawler.database import Database
from fullshot.crawler.frontier import FRONTIERS, LISTING, PAGE, RequestState
from fullshot.crawler.frontier.sqlite import SqliteFrontier
from fullshot.crawler.items import PictureLink, ProductFound
from fullshot.crawler.state import FILE, CrawlState, Validators

PAGE_URL, PICTURE_URL = "https://shop.test/7", "https://shop.test/7.jpg"
PRODUCT = ProductFound({"product_id": "shop:7"}, [PictureLink(PICTURE_URL, 1, "")])


class FrontierElsewhere(SqliteFrontier):
    """A frontier whose store is not the state's, as a server's would be.

    Attributes:
        cut_off: a process is killed ``before`` or ``after`` the changes of a step are there.
    """

    cut_off = ""

    @classmethod
    def from_settings(cls, settings: CrawlSettings, database: Database) -> Self:
        return cls(Database(database.path.with_name("elsewhere.db")))

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        with super().atomic():
            yield
            if self.cut_off == "before":
                raise KeyboardInterrupt
        if self.cut_off == "after":
            raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FRONTIERS._house, "elsewhere", f"{__name__}:FrontierElsewhere")


def open_state(folder: Path, frontier: str) -> CrawlState:
    state = CrawlState(folder / FILE, CrawlSettings(frontier=frontier))
    state.frontier.recover()
    return state


def find_product(state: CrawlState) -> None:
    task = state.frontier.take("shop.test:443", LISTING)
    assert task is not None
    state.found_product(task, PRODUCT, "2026-01-01T00:00:00Z", Validators('"a"'))


def assert_found(state: CrawlState) -> None:
    """The product is there once, its page needs no more, and its picture is still to be fetched."""
    assert [row[:2] for row in state.rows("SELECT * FROM products")] == [("shop:7", PAGE_URL)]
    assert [*state.rows("SELECT * FROM pages")] == [(PAGE_URL, "shop:7", '"a"', None)]
    assert [task.url for task in state.frontier.tasks(RequestState.DONE)] == [PAGE_URL]
    assert [task.url for task in state.frontier.tasks(RequestState.QUEUED)] == [PICTURE_URL]


@pytest.mark.parametrize("frontier", ["sqlite", "elsewhere"])
def test_a_product_is_written_its_request_ends_and_its_picture_is_queued(tmp_path: Path, frontier: str) -> None:
    with open_state(tmp_path, frontier) as state:
        state.frontier.add([PAGE_URL], PAGE)
        find_product(state)
        assert_found(state)


@pytest.mark.parametrize("frontier", ["sqlite", "elsewhere"])
def test_a_step_that_is_killed_in_the_middle_is_made_again(
    tmp_path: Path, frontier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with open_state(tmp_path, frontier) as state:
        state.frontier.add([PAGE_URL], PAGE)
        monkeypatch.setattr(state.frontier, "done", killed)
        with pytest.raises(KeyboardInterrupt):
            find_product(state)
    with open_state(tmp_path, frontier) as state:
        assert state.products_found() == 0
        find_product(state)
        assert_found(state)


def test_a_kill_before_a_frontier_elsewhere_has_changed_makes_the_request_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_state(tmp_path, "elsewhere") as state:
        state.frontier.add([PAGE_URL], PAGE)
        monkeypatch.setattr(FrontierElsewhere, "cut_off", "before")
        with pytest.raises(KeyboardInterrupt):
            find_product(state)
    monkeypatch.undo()
    monkeypatch.setitem(FRONTIERS._house, "elsewhere", f"{__name__}:FrontierElsewhere")
    with open_state(tmp_path, "elsewhere") as state:
        find_product(state)
        assert_found(state)


def test_a_kill_after_a_frontier_elsewhere_has_changed_has_lost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_state(tmp_path, "elsewhere") as state:
        state.frontier.add([PAGE_URL], PAGE)
        monkeypatch.setattr(FrontierElsewhere, "cut_off", "after")
        with pytest.raises(KeyboardInterrupt):
            find_product(state)
    with open_state(tmp_path, "elsewhere") as state:
        assert_found(state)


def test_a_crawl_that_version_0_1_left_is_gone_on_with(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as old:
        old.executescript(VERSION_0_1)
    with open_state(tmp_path, "sqlite") as state:
        assert state.meta("mode") == "crawl"
        assert state.requests(RequestState.SKIPPED) == 1
        find_product(state)
        assert_found(state)


VERSION_0_1 = f"""
CREATE TABLE requests (
    id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, host TEXT NOT NULL, rank INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued', start INTEGER NOT NULL DEFAULT 0, page TEXT, renderer TEXT,
    tries INTEGER NOT NULL DEFAULT 0);
CREATE INDEX queue ON requests (host, rank, id) WHERE state = 'queued';
CREATE TABLE products (product_id TEXT PRIMARY KEY, page TEXT NOT NULL, found TEXT NOT NULL, seen_at TEXT NOT NULL);
CREATE TABLE seen (page TEXT PRIMARY KEY, gone INTEGER NOT NULL, seen_at TEXT NOT NULL);
CREATE TABLE failures (
    url TEXT NOT NULL, page TEXT NOT NULL, kind TEXT NOT NULL, class TEXT NOT NULL, message TEXT, failed_at TEXT,
    PRIMARY KEY (url, page));
CREATE TABLE others (url TEXT PRIMARY KEY, reason TEXT NOT NULL);
CREATE TABLE hosts (host TEXT PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE known (url TEXT PRIMARY KEY);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE pictures (
    url TEXT PRIMARY KEY, image_id TEXT NOT NULL, path TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    bytes INTEGER NOT NULL, fetched_at TEXT NOT NULL, etag TEXT, last_modified TEXT);
CREATE TABLE pages (url TEXT PRIMARY KEY, product_id TEXT NOT NULL, etag TEXT, last_modified TEXT);
CREATE INDEX pages_of ON pages (product_id);
CREATE TABLE incomplete (page TEXT PRIMARY KEY);
CREATE TABLE excluded (url TEXT PRIMARY KEY);
CREATE TABLE listed (url TEXT PRIMARY KEY, says TEXT NOT NULL);
CREATE TABLE origins (host TEXT PRIMARY KEY, shop TEXT NOT NULL);
CREATE TABLE renderers (host TEXT NOT NULL, rank INTEGER NOT NULL, renderer TEXT NOT NULL, PRIMARY KEY (host, rank));
PRAGMA user_version = 2;
INSERT INTO meta VALUES ('mode', 'crawl');
INSERT INTO requests (url, host, rank, state, tries) VALUES ('{PAGE_URL}', 'shop.test:443', 1, 'flying', 2);
INSERT INTO requests (url, host, rank, state) VALUES ('https://shop.test/1', 'shop.test:443', 1, 'skipped');
"""


def test_a_crawl_goes_on_with_the_frontier_that_holds_its_requests(tmp_path: Path) -> None:
    with open_state(tmp_path, "sqlite") as state:
        state.note("mode", "crawl")
    workspace = Workspace(tmp_path)
    settings = workspace.settings(crawl={"frontier": "elsewhere"})
    with pytest.raises(UserError, match="the requests of the crawl that was stopped are in sqlite: expected"):
        crawl(workspace, settings, [])


def test_a_crawl_with_a_frontier_that_there_is_not_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    settings = workspace.settings(crawl={"frontier": "paper"})
    with pytest.raises(UserError, match="expected the frontier to be one of sqlite"):
        crawl(workspace, settings, ["http://127.0.0.1:9/"])
    assert not workspace.root.exists()
