"""Scrapy's downloader middlewares, made to mind robots.txt to the letter, to wait when asked, to stay on the shop."""

import datetime
import email.utils
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import CannotResolveHostError, DownloadConnectionRefusedError, IgnoreRequest
from scrapy.http import Response
from scrapy.robotstxt import RobotParser

from fullshot.crawler import addresses
from fullshot.crawler.addresses import host_of, same_shop
from fullshot.crawler.context import CrawlContext
from fullshot.crawler.failures import Refused
from fullshot.crawler.frontier import PICTURE
from fullshot.crawler.politeness import LONGEST_PAUSE

PATIENT_RETRIES = 10
"""How often a request is made again that the host answers with "not now, but after so many seconds"."""


class _Unreachable(RobotParser):
    """The robots.txt of a host that answers with a server's error: nothing is allowed (RFC 9309, 2.3.1.4)."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, robotstxt_body: bytes) -> "_Unreachable":
        return cls()

    def allowed(self, url: str | bytes, user_agent: str | bytes) -> bool:
        return False


class RobotsMiddleware(RobotsTxtMiddleware):
    """Reads robots.txt, and applies its Crawl-delay; where it answers 5xx or not in time, nothing is allowed."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._context: CrawlContext = crawler.settings["FULLSHOT_CONTEXT"]

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        host = self._context.politeness[host_of(request.url)]
        if response.status >= 500 or response.status == 429:
            host.robots = "unreachable"
            self._allow_nothing(netloc)
            return
        await super()._parse_robots(response, netloc, request)
        parser: Any = self._parsers[netloc]
        host.robots = "some" if response.status == 200 and b"disallow" in response.body.lower() else "allowed"
        if response.status != 200:
            host.robots = "none"
        agent = self._robotstxt_useragent or self._default_useragent
        host.crawl_delay = max(0.0, parser.crawl_delay(agent) or 0.0)
        if host.crawl_delay:
            self._context.politeness.request_begins(host.name)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        # Of an unknown host or a refused connection, the pages themselves will fail with the reason.
        harmless = isinstance(exc, CannotResolveHostError | DownloadConnectionRefusedError | IgnoreRequest)
        for scheme in ("http", "https"):
            self._context.politeness[host_of(f"{scheme}://{netloc}")].robots = "none" if harmless else "unreachable"
        if harmless:
            super()._robots_error(exc, netloc)
        else:
            self._allow_nothing(netloc)

    def _allow_nothing(self, netloc: str) -> None:
        waiting: Any = self._parsers[netloc]
        self._parsers[netloc] = _Unreachable()
        waiting.callback(self._parsers[netloc])

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest:
            unreachable = isinstance(rp, _Unreachable)
            error = "its robots.txt answers with an error, so nothing is allowed"
            why = error if unreachable else "robots.txt does not allow it"
            raise Refused("robots", why) from None


class RetryLaterMiddleware(RetryMiddleware):
    """Makes a request again that may do better; a host that says when (``Retry-After``) is left alone until then."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self._context: CrawlContext = settings["FULLSHOT_CONTEXT"]

    def process_response(self, request: Request, response: Response, spider: Any = None) -> Request | Response:
        if response.status in (429, 503) and "task" not in request.meta:
            return response  # robots.txt: it is not asked for again and again
        if response.status in (429, 503):
            seconds = _retry_after(response)
            if seconds is None and response.status == 429:
                seconds = self._context.settings.backoff * 2 ** request.meta.get("retry_times", 0)
            if seconds is not None:
                if seconds > LONGEST_PAUSE:
                    self._context.stop(f"{host_of(request.url)} asks not to be asked for {seconds:.0f} s")
                    return response
                self._context.politeness.pause(host_of(request.url), seconds)
                request.meta["max_retry_times"] = PATIENT_RETRIES
        if response.status == 429:
            self._context.record_page(host_of(request.url), failed=True)
        return super().process_response(request, response)

    def _retry(self, request: Request, reason: Any) -> Request | None:
        again = super()._retry(request, reason)
        if again is not None:
            self._context.politeness[host_of(request.url)].retries += 1
        return again


def _retry_after(response: Response) -> float | None:
    """Seconds that an answer asks to wait (RFC 9110, 10.2.3: seconds or a date); None where it does not say."""
    value = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if value.isdecimal():
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=datetime.UTC)
    return max(0.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())


class ShopRedirectMiddleware(RedirectMiddleware):
    """Follows redirects on the shop's hosts; a picture's, also on its own host."""

    def _redirect(self, redirected: Request, request: Request, reason: Any) -> Request:
        context: CrawlContext = self.crawler.settings["FULLSHOT_CONTEXT"]
        host = host_of(redirected.url)
        task = request.meta.get("task")
        allowed = {same_shop(one) for one in context.allowed}
        if task is None or task.rank == PICTURE:
            allowed.add(same_shop(host_of(request.url)))
        if same_shop(host) not in allowed:
            raise Refused("off-host", f"redirects to another host: {redirected.url}")
        redirected.meta["download_slot"] = host
        try:
            return super()._redirect(redirected, request, reason)
        except IgnoreRequest as error:
            raise Refused("redirects", str(error)) from None


class PrivateAddressGuard:
    """Keeps a crawl of the web from asking this machine and its network."""

    def __init__(self, crawler: Crawler) -> None:
        self._context: CrawlContext = crawler.settings["FULLSHOT_CONTEXT"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "PrivateAddressGuard":
        """As Scrapy makes it."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        request.meta.setdefault("download_slot", host_of(request.url))
        if parts.scheme not in ("http", "https"):
            raise Refused("scheme", "not an http or https address")
        if not self._context.allow_private and addresses.is_private_literal(parts.hostname or ""):
            raise Refused("private-address", f"{parts.hostname} is an address of this machine or its network")


class HostStatsMiddleware:
    """Counts what is asked of each host and what it answers."""

    def __init__(self, crawler: Crawler) -> None:
        self._context: CrawlContext = crawler.settings["FULLSHOT_CONTEXT"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "HostStatsMiddleware":
        """As Scrapy makes it."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        host = self._context.politeness[host_of(request.url)]
        host.requests += 1
        if not self._context.settings.obey_robots:
            host.robots = "ignored"
        self._context.requests += 1

    def process_response(self, request: Request, response: Response) -> Response:
        host = self._context.politeness[host_of(request.url)]
        host.bytes += len(response.body)
        host.status_429 += response.status == 429
        host.status_503 += response.status == 503
        return response
