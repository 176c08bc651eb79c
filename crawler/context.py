"""What the parts of one crawl share: its settings, its state, and how far it is."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from scrapy import Request

from fullshot.core.interfaces import BlobStore
from fullshot.core.settings import CrawlSettings
from fullshot.crawler.archive import PageArchive
from fullshot.crawler.frontier import PICTURE, Task
from fullshot.crawler.pages import PageOptions, ShopPage, page_finder
from fullshot.crawler.politeness import Politeness
from fullshot.crawler.state import CrawlState


@dataclass
class CrawlContext:
    """What the spider, the scheduler and the middlewares share.

    Attributes:
        shops: hosts that the user started at, and whose page object reads them; empty: it goes by the address.
        allowed: hosts that pages are asked of: those of the addresses that the user gave.
        allow_private: whether addresses of private networks may be asked.
        archive: where pages are saved; None: they are not.
        browser: the renderer for pages that need one; None: there is none.
        found: how many products this crawl has fetched.
        skipped: how many products the listings showed that an earlier crawl has fetched.
        requests: how many requests this process made.
        pictures: how many pictures it stored.
        pages: how many pages it read.
        stopped: why the crawl ended before its time.
        problems: why a start address yielded nothing, a line each.
    """

    root: Path
    blobs: BlobStore
    shops: dict[str, str]
    settings: CrawlSettings
    options: PageOptions
    state: CrawlState
    politeness: Politeness
    allowed: set[str]
    allow_private: bool
    archive: PageArchive | None = None
    browser: str | None = None
    found: int = 0
    skipped: int = 0
    requests: int = 0
    pictures: int = 0
    pages: int = 0
    stopped: str = ""
    spider: Any = None
    _ending: Any = None
    totals: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __deepcopy__(self, memo: dict[int, Any]) -> "CrawlContext":
        """Itself: Scrapy copies its settings, and all copies mean the same crawl."""
        return self

    def request(self, task: Task) -> Request:
        """The request of a task, for the spider's callbacks."""
        spider = self.spider
        if spider is None:
            raise RuntimeError("no spider is open")
        meta: dict[str, Any] = {"task": task, "download_slot": task.host}
        headers = self.state.validators(task).headers if self.updates else {}
        if task.rank == PICTURE:
            meta["download_maxsize"] = self.settings.max_picture_bytes
            return Request(task.url, spider.picture, errback=spider.failed, meta=meta, headers=headers)
        meta["download_maxsize"] = self.settings.max_page_bytes
        meta["renderer"] = self._renderer(task)
        if meta["renderer"] != "http":
            meta["data_script"] = self.find_page(task.url).data_script
        return Request(task.url, spider.parse, errback=spider.failed, meta=meta, headers=headers)

    def _renderer(self, task: Task) -> str:
        """The renderer that a page is asked with."""
        if self.settings.renderer != "auto":
            return self.settings.renderer
        if not self.browser:
            return "http"
        remembered = self.politeness[task.host].renderers.get(task.rank, "http")
        return task.renderer or (remembered if remembered == "http" else self.browser)

    def record_page(self, host: str, *, failed: bool, blocked: bool = True) -> None:
        """A page of the host came, or did not: the crawl backs off from a host that blocks, and ends if need be."""
        if reason := self.politeness.record_page(host, failed=failed, blocked=blocked):
            self.stop(reason)

    def stop(self, reason: str) -> None:
        """End the crawl; what is queued stays so."""
        if not self.stopped and self.spider is not None:
            self.stopped = reason
            self._ending = asyncio.ensure_future(self.spider.crawler.engine.close_spider_async(reason="stopped"))

    @cached_property
    def updates(self) -> bool:
        """Whether known products are visited again."""
        return self.state.meta("mode") == "update"

    @cached_property
    def find_page(self) -> Callable[[str], type[ShopPage]]:
        """From an address to its page object."""
        return page_finder(shops=self.shops)

    @property
    def total(self) -> int:
        """How many products there are, as far as the listings say; 0: not known."""
        total = sum(self.totals.values())
        most = self.settings.max_products
        return min(total, most) if most and total else total or most


def send_to_parent(message: dict[str, Any]) -> None:
    """Write a line of JSON to standard output, which the parent process reads."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
