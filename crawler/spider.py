"""The spider: listings to product pages to pictures, for any shop that has a page object."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import scrapy
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure
from web_poet.exceptions import UseFallback

from fullshot.core import image_store
from fullshot.core import pictures as storage
from fullshot.core.clock import now
from fullshot.core.pictures import NotAnImage, TooLarge
from fullshot.crawler.addresses import host_of, same_shop
from fullshot.crawler.archive import ArchivedPage
from fullshot.crawler.context import CrawlContext
from fullshot.crawler.failures import BLOCKED, DOWN, GONE, classify
from fullshot.crawler.frontier import LISTING, PICTURE, Task
from fullshot.crawler.items import ListingFound, ProductFound, with_listed
from fullshot.crawler.pages import ShopPage
from fullshot.crawler.state import Validators

EMPTY_RETRIES = 3
"""How often a page that came without its data is asked for again before it counts as a failure."""

_HINT = " (no shop is known by this address: --shop says whose page it is)"


class ShopSpider(scrapy.Spider):
    """Reads the answers to the frontier's requests: each is one step of the state."""

    name = "shop"
    context: CrawlContext

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "ShopSpider":
        """As Scrapy makes it."""
        spider: ShopSpider = super().from_crawler(crawler, *args, **kwargs)
        spider.context = crawler.settings["FULLSHOT_CONTEXT"]
        spider.context.spider = spider
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Nothing: the addresses to start from are in the frontier."""
        return
        yield

    async def parse(self, response: Response, page: ShopPage) -> None:
        """Read a page."""
        context, task = self.context, response.meta["task"]
        context.pages += 1
        if response.status == 304:
            context.state.found_unchanged(task, now())
            context.found += 1
            return
        try:
            found = await page.to_item()
        except UseFallback as error:
            self._without_data(task, response, page, str(error))
            return
        except Exception as error:  # a page object that a page breaks must not take the crawl along
            self.logger.exception("the page object failed on %s", response.url)
            self._missing(task, "bad-page", f"{type(error).__name__}: {error}")
            return
        moment = now()
        if not self._came(task, response, moment):
            return
        if isinstance(found, ListingFound):
            self._follow(task, found, response.url)
        elif isinstance(found, ProductFound):
            self._keep(task, found, response, moment)
        elif found.gone:
            context.state.found_gone(task, moment)
        else:
            self._no_product(task, found.reason)

    def _came(self, task: Task, response: Response, moment: str) -> bool:
        """A page came with its data; False where it was to be saved and could not be."""
        context, host = self.context, self.context.politeness[task.host]
        context.record_page(task.host, failed=False)
        renderer = response.meta["renderer"]
        if renderer == "http":
            host.good_http.add(task.rank)
        elif context.settings.renderer != "auto":
            host.renderers[task.rank] = renderer
        elif task.rank not in host.good_http and host.renderers.get(task.rank) != renderer:
            host.renderers[task.rank] = renderer
            context.state.remember_renderer(task.host, task.rank, renderer)
        if context.archive:
            kind = (response.headers.get(b"Content-Type") or b"text/html").decode("latin-1")
            try:
                context.archive.append(ArchivedPage(response.url, task.url, response.body, moment), kind)
            except OSError as error:
                self._no_place(task, error)
                return False
        return True

    def _without_data(self, task: Task, response: Response, page: ShopPage, reason: str) -> None:
        """A page came without its data: it is built by script, or the shop takes the crawl for a bot."""
        context, host = self.context, self.context.politeness[task.host]
        by_http = response.meta["renderer"] == "http"
        may_draw = by_http and context.settings.renderer == "auto" and context.browser is not None
        if may_draw and task.rank not in host.good_http:
            # No such page of this host has come with its data over plain HTTP: a browser may do better.
            context.state.frontier.put_back(task, context.browser)
            return
        if not page.always_has_data and (host.good_http or host.renderers):
            # Others came with their data, so that this one may be about something else; it is asked for once more.
            if task.tries == 1:
                context.state.frontier.put_back(task, task.renderer)
            else:
                self._no_product(task, reason)
            return
        context.record_page(task.host, failed=True)
        if task.tries <= EMPTY_RETRIES:
            host.retries += 1
            context.state.frontier.put_back(task, task.renderer)
        elif may_draw and task.tries == EMPTY_RETRIES + 1:
            context.state.frontier.put_back(task, context.browser)
        else:
            self._missing(task, "no-data", reason)

    def _follow(self, task: Task, listing: ListingFound, url: str) -> None:
        context = self.context
        context.totals.setdefault(url.partition("?")[0], listing.total)
        allowed = {same_shop(host) for host in context.allowed}
        links = [link for link in listing.urls if same_shop(host_of(link)) in allowed]
        further = [link for link in (listing.next, *listing.listings) if link and same_shop(host_of(link)) in allowed]
        if listing.urls and not links:
            other = host_of(listing.urls[0])
            self._missing(task, "off-host", f"all its products are on another host: {other}")
            return
        context.skipped += context.state.found_listing(task, links, listing.listed, further)

    def _keep(self, task: Task, found: ProductFound, response: Response, moment: str) -> None:
        allowed = {same_shop(host) for host in self.context.allowed}
        links = [link for link in found.links if same_shop(host_of(link)) in allowed]
        product = with_listed(found.product, self.context.state.listed(task.url))
        complete = ProductFound(product, found.images, found.boxes, links)
        self.context.found += self.context.state.found_product(task, complete, moment, _validators(response))

    def _no_product(self, task: Task, reason: str) -> None:
        if task.start:
            self._missing(task, "no-product", reason)
        else:
            self.context.state.found_no_product(task, reason)

    def _no_place(self, task: Task, error: OSError) -> None:
        """The disk is full, or is not to be written to: the crawl ends, and the request stays in the queue."""
        self.context.stop(f"{error.filename or self.context.root}: {error.strerror or error}")
        self.context.state.frontier.put_back(task, task.renderer)

    async def picture(self, response: Response) -> None:
        """Store a picture."""
        context, task = self.context, response.meta["task"]
        if response.status == 304:
            context.state.found_nothing_new(task)
            return
        try:
            body = response.body
            if kind := context.settings.reencode:
                body = await asyncio.to_thread(storage.reencoded, body, kind, context.settings.quality)
            stored = await asyncio.to_thread(image_store.put, context.blobs, body)
        except TooLarge as error:
            self._missing(task, "too-large", str(error))
        except NotAnImage as error:
            self._missing(task, "not-an-image", str(error))
        except OSError as error:
            self._no_place(task, error)
        else:
            context.state.found_picture(task, stored, now(), _validators(response))
            context.pictures += 1

    def failed(self, failure: Failure) -> None:
        """Write down why something is missing."""
        task: Task = failure.request.meta["task"]  # type: ignore[attr-defined]
        reason, message = classify(failure)
        status = failure.value.response.status if isinstance(failure.value, HttpError) else None
        if task.rank != PICTURE:
            if status in GONE and self.context.state.was_seen(task.url):
                self.context.state.found_gone(task, now())
                return
            if status in BLOCKED:
                if status != 429:  # each of those was counted as it came
                    self.context.record_page(task.host, failed=True)
            elif reason in DOWN or (status or 0) >= 500:
                self.context.record_page(task.host, failed=True, blocked=False)
        self._missing(task, reason, message)

    def _missing(self, task: Task, reason: str, message: str) -> None:
        if self.context.stopped:
            # The host refused the crawl, not this address: it stays in the queue.
            self.context.state.frontier.put_back(task, task.renderer)
            return
        self.logger.warning("%s: %s: %s", task.url, reason, message)
        if task.start:
            hint = "" if self.context.shops.get(task.host) or reason not in ("no-data", "no-product") else _HINT
            self.context.problems.append(f"{task.url}: {message}{hint}")
        elif task.rank == LISTING:
            self.context.problems.append(f"{task.url}: {message}: what it lists was not found")
        self.context.state.failed(task, reason, message, now())
        self.context.politeness[task.host].failures += 1


def _validators(response: Response) -> Validators:
    etag, modified = (response.headers.get(name) for name in ("ETag", "Last-Modified"))
    return Validators(etag.decode("latin-1") if etag else None, modified.decode("latin-1") if modified else None)
