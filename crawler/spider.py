"""The spider: listings to product pages to items, for any shop that has a page object."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import scrapy
import web_poet
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.failures import classify
from crawler.items import ListingFound, NothingFound, ProductFound
from crawler.job import Job
from fullshot.workspace import now


class ShopSpider(scrapy.Spider):
    """Follows listings, and hands on the products it finds."""

    name = "shop"

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "ShopSpider":
        """As Scrapy makes it."""
        spider: ShopSpider = super().from_crawler(crawler, *args, **kwargs)
        spider.job = crawler.settings["FULLSHOT_JOB"]
        spider.hosts = {_host(url) for url in spider.job.urls}
        spider.asked = set()
        return spider

    job: Job
    hosts: set[str]
    asked: set[str]

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """The addresses that the user gave."""
        for url in self.job.urls:
            yield self._request(url, start=True)

    def _request(self, url: str, *, start: bool = False) -> scrapy.Request:
        return scrapy.Request(url, self.parse, errback=self.failed, cb_kwargs={"start": start})

    async def parse(self, response: Response, start: bool = False) -> AsyncIterator[Any]:
        """What the page yields: requests for more, or a product."""
        page = self.job.page(
            web_poet.HttpResponse(response.url, body=response.body, headers=_headers(response)),
            self.job.taxonomy,
            self.job.settings.image_size,
        )
        try:
            found = await page.to_item()
        except Exception as error:  # a page object that a page breaks must not take the crawl along
            self.logger.exception("the page object failed on %s", response.url)
            self._missing(response.url, "bad-page", f"{type(error).__name__}: {error}", start=start)
            return
        if start:
            # The user named this address: where it leads is where the shop is.
            self.hosts.add(_host(response.url))
        if not isinstance(found, NothingFound):
            self.job.journal.page(response.request.url if response.request else response.url)
        if isinstance(found, ListingFound):
            for request in self._follow(found, response.url, start=start):
                yield request
        elif isinstance(found, ProductFound):
            found.product["fetched_at"] = now()
            yield found
        elif again := self._again(response, found):
            yield again
        else:
            self._missing(response.url, "no-data", found.reason, start=start)

    def _again(self, response: Response, found: NothingFound) -> scrapy.Request | None:
        """A shop may show a page without data to a visitor it takes for a bot: the page is worth another try."""
        if found.reason.startswith("delisted") or response.request is None:
            return None
        return get_retry_request(response.request, spider=self, reason="no data in the page")

    def _follow(self, listing: ListingFound, url: str, *, start: bool) -> Iterator[scrapy.Request]:
        self.job.totals.setdefault(url.split("?")[0], listing.total)
        links = [link for link in listing.urls if _host(link) in self.hosts]
        if listing.urls and not links:
            self._missing(
                url, "off-host", f"all its products are on another host: {_host(listing.urls[0])}", start=start
            )
        for link in links:
            if self._enough():
                break
            if link in self.asked:
                continue
            self.asked.add(link)
            if link in self.job.products:
                self._count("skipped")
            else:
                yield self._request(link)
        self.job.say_progress(self.crawler)
        if listing.next and _host(listing.next) in self.hosts and not self._enough():
            yield self._request(listing.next)

    def _enough(self) -> bool:
        return 0 < self.job.settings.max_products <= len(self.asked)

    def failed(self, failure: Failure) -> None:
        """Write down why a page is missing."""
        request = failure.request  # type: ignore[attr-defined]
        reason, message = classify(failure)
        self._missing(request.url, reason, message, start=request.cb_kwargs.get("start", False))

    def _missing(self, url: str, reason: str, message: str, *, start: bool) -> None:
        if start:
            self.job.problems.append(f"{url}: {message}")
        self.job.journal.failure(url, "page", (reason, message), now())
        self._count("failures")

    def _count(self, what: str) -> None:
        self.crawler.stats.inc_value(f"fullshot/{what}")


def _headers(response: Response) -> dict[str, str]:
    """Only what says how to decode the body: the rest is not a page object's business."""
    kind = response.headers.get(b"Content-Type")
    return {"Content-Type": kind.decode("latin-1")} if kind else {}


def _host(url: str) -> str:
    """Host and port, whichever way they are written."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or {'http': 80, 'https': 443}.get(parts.scheme)}"
