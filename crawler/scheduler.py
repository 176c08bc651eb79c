"""Scrapy's scheduler: takes requests from the frontier, host by host, as politeness allows."""

import asyncio
from collections import Counter, deque
from typing import Any

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler

from fullshot.core.clock import now
from fullshot.crawler.context import CrawlContext
from fullshot.crawler.frontier import LISTING, PICTURE


class FrontierScheduler(BaseScheduler):
    """Hands out the requests of the frontier, each host's at its own pace.

    Redirects and retries, which Scrapy's middlewares make of a request in flight, wait in this process: after a kill
    the frontier's request is made again.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._context: CrawlContext = crawler.settings["FULLSHOT_CONTEXT"]
        self._retries: dict[str, deque[Request]] = {}
        self._wake: asyncio.TimerHandle | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "FrontierScheduler":
        """As Scrapy makes it."""
        return cls(crawler)

    def open(self, spider: Spider) -> None:
        self._context.state.frontier.recover()

    def close(self, reason: str) -> None:
        if self._wake:
            self._wake.cancel()

    def has_pending_requests(self) -> bool:
        most = self._furthest(done=True)
        queued = self._context.state.frontier.queued.items()
        return any(self._retries.values()) or any(count for (_, rank), count in queued if rank <= most)

    def enqueue_request(self, request: Request) -> bool:
        self._retries.setdefault(request.meta["download_slot"], deque()).append(request)
        return True

    def next_request(self) -> Request | None:
        """The next request to the host that is least busy among those that may be asked now."""
        engine = self._crawler.engine
        busy = Counter(request.meta.get("download_slot") for request in engine.downloader.active)
        hosts = {host for (host, _), count in self._context.state.frontier.queued.items() if count}
        hosts.update(host for host, requests in self._retries.items() if requests)
        soonest = 0.0
        for host in sorted(hosts, key=lambda one: busy[one]):
            if busy[host] >= self._at_once(host):
                continue
            if wait := self._context.politeness.wait(host):
                soonest = min(soonest or wait, wait)
            elif request := self._next_to(host):
                self._context.politeness.request_begins(host)
                return request
        if soonest:
            self._wake_in(soonest)
        return None

    def _at_once(self, host: str) -> int:
        # Until robots.txt has said how a host wants to be asked, one request waits for it, not several.
        waiting_for_robots = self._context.settings.obey_robots and not self._context.politeness[host].robots
        return 1 if waiting_for_robots else self._context.settings.concurrency

    def _next_to(self, host: str) -> Request | None:
        if self._retries.get(host):
            return self._retries[host].popleft()
        while task := self._context.state.frontier.take(host, self._furthest()):
            try:
                return self._context.request(task)
            except ValueError as error:
                self._context.state.failed(task, "bad-address", str(error), now())
        return None

    def _furthest(self, *, done: bool = False) -> int:
        """The last rank that is still asked for: no more product pages than may become products.

        Args:
            done: count only products that are done, not those whose pages are under way.
        """
        most = self._context.settings.max_products
        if not most:
            return LISTING
        found = self._context.found + self._context.skipped
        if found >= most:
            return PICTURE
        return LISTING if done or found + self._context.state.frontier.pages_in_flight < most else PICTURE

    def _wake_in(self, seconds: float) -> None:
        """Have the engine ask again then; by itself it does so every five seconds."""
        loop = asyncio.get_running_loop()
        if self._wake and not self._wake.cancelled() and loop.time() < self._wake.when() <= loop.time() + seconds:
            return
        if self._wake:
            self._wake.cancel()
        slot: Any = self._crawler.engine._slot  # Scrapy has no public way to be asked sooner
        self._wake = loop.call_later(seconds, slot.nextcall.schedule)
