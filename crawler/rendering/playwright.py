"""Pages rendered by Playwright, through scrapy-playwright's download handler.

That handler starts the browser, starts another one if it dies, and counts. Added here: the policy for every request
and every hop of a redirect, contexts that are closed after some pages, the wait for a page's data, and an end to each
page whatever comes.
"""

import asyncio
import contextlib
import itertools
import logging
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import CDPSession, Page, Route
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Request as PlaywrightRequest
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadTimeoutError
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from fullshot.crawler.rendering.errors import BrowserDied, RendererMissing, of_chromium
from fullshot.crawler.rendering.page import (
    IDLE_WAIT,
    MARKUP_SECONDS,
    POLL,
    START_SECONDS,
    RenderedPage,
    RenderRequest,
    page_headers,
)
from fullshot.crawler.rendering.policy import BEFORE_SCRIPTS, RequestPolicy, is_unwanted

_CLOSING_SECONDS = 5.0

logger = logging.getLogger(__name__)


def unwanted(request: PlaywrightRequest) -> bool:
    """Whether to abort a request, for ``PLAYWRIGHT_ABORT_REQUEST``."""
    if request.is_navigation_request():
        return request.frame.parent_frame is not None
    return is_unwanted(request.url, request.resource_type)


class PlaywrightRenderer:
    """See :class:`fullshot.core.interfaces.Renderer`."""

    def __init__(self, crawler: Crawler) -> None:
        if not crawler.settings["PLAYWRIGHT_LAUNCH_OPTIONS"]["executable_path"]:
            raise RendererMissing("playwright: no Chromium: fullshot doctor --fix, or apt-get install chromium")
        self._settings = crawler.settings
        self._policy = RequestPolicy(crawler.settings)
        self._handler = ScrapyPlaywrightDownloadHandler.from_crawler(crawler)
        self._starting: asyncio.Task[None] | None = None
        self._names = (f"context-{number}" for number in itertools.count(1))
        self._context = next(self._names)
        self._free = asyncio.Semaphore(max(1, crawler.settings.getint("FULLSHOT_BROWSER_PAGES")))
        self._served: Counter[str] = Counter()
        self._open: Counter[str] = Counter()

    async def render(self, to_render: RenderRequest) -> RenderedPage:
        """See :class:`fullshot.core.interfaces.Renderer`."""
        if self._starting is None:
            # The handler starts with the engine, by a signal; made later, it has missed that one.
            self._starting = asyncio.ensure_future(self._handler._maybe_launch_in_thread())
        await asyncio.shield(self._starting)
        visit = _Visit(to_render, self._policy)
        async with self._free, self._use_context() as name:
            try:
                async with asyncio.timeout(START_SECONDS) as visit.deadline:
                    return await self._visit(visit, name)
            except TimeoutError:
                # A page that was still being opened is lost to us: its context is closed instead.
                self._retire(name)
                raise visit.refused or DownloadTimeoutError(
                    f"no page in {to_render.timeout:g} s: {to_render.url}"
                ) from None
            except PlaywrightError as error:
                raise visit.refused or of_chromium(error.message) or BrowserDied(error.message) from None
            finally:
                await visit.close()

    async def close(self) -> None:
        """See :class:`fullshot.core.interfaces.Renderer`."""
        await self._handler.close()

    async def _visit(self, visit: "_Visit", context: str) -> RenderedPage:
        request = Request(
            visit.to_render.url,
            meta={
                "playwright": True,
                "playwright_context": context,
                "playwright_context_kwargs": {
                    "user_agent": self._settings["USER_AGENT"],
                    "service_workers": "block",
                    "accept_downloads": False,
                },
                # The page is closed here, so that one that times out is closed too.
                "playwright_include_page": True,
                "playwright_page_init_callback": visit.open,
                "playwright_page_goto_kwargs": {"wait_until": "domcontentloaded", "timeout": 0},
            },
        )
        response = await self._handler.download_request(request)
        page: Page = request.meta["playwright_page"]
        visit.extend(visit.to_render.data_wait + MARKUP_SECONDS)
        await _wait_for_data(page, visit.to_render)
        text = await _content(page)
        if visit.refused:  # the page led elsewhere by script
            raise visit.refused
        headers = page_headers(response.headers.to_unicode_dict().items())
        return RenderedPage(page.url, response.status, text, headers)

    @contextlib.asynccontextmanager
    async def _use_context(self) -> AsyncIterator[str]:
        """The name of a context for one page; the context is closed when it has served enough of them."""
        name = self._context
        self._served[name] += 1
        self._open[name] += 1
        if self._served[name] >= self._settings.getint("FULLSHOT_CONTEXT_PAGES"):
            self._retire(name)
        try:
            yield name
        finally:
            self._open[name] -= 1
            if name != self._context and not self._open[name]:
                await self._close_context(name)

    def _retire(self, name: str) -> None:
        if name == self._context:
            self._context = next(self._names)

    async def _close_context(self, name: str) -> None:
        del self._open[name], self._served[name]
        if there := self._handler.context_wrappers.get(name):
            with contextlib.suppress(PlaywrightError, TimeoutError):
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await there.context.close()


class _Visit:
    """One request's page, or pages: scrapy-playwright opens another one when a browser died."""

    def __init__(self, to_render: RenderRequest, policy: RequestPolicy) -> None:
        self.to_render = to_render
        self.deadline: asyncio.Timeout
        self.refused: Exception | None = None
        self._policy = policy
        self._pages: list[Page] = []

    async def open(self, page: Page, request: Request) -> None:
        """Guard a page before it is navigated; it is closed where it cannot be guarded."""
        self._pages.append(page)
        self.extend(self.to_render.timeout)
        try:
            # Playwright's own routes do not see where a redirect leads.
            session = await page.context.new_cdp_session(page)
            tree = await session.send("Page.getFrameTree")
            main = tree["frameTree"]["frame"]["id"]
            session.on("Fetch.requestPaused", lambda event: self._decide(session, event, main))
            await session.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})
            await page.add_init_script(BEFORE_SCRIPTS)
            await page.context.route("**", _abort)  # for windows that the page opens: the page has routes of its own
            page.on("popup", _close)
        except BaseException:
            await _close(page)
            raise

    def extend(self, seconds: float) -> None:
        """Give the page so many seconds from now."""
        self.deadline.reschedule(asyncio.get_running_loop().time() + seconds)

    async def close(self) -> None:
        """Close what was opened."""
        for page in self._pages:
            await _close(page)

    async def _decide(self, session: CDPSession, event: dict[str, Any], main: str) -> None:
        identity = {"requestId": event["requestId"]}
        with contextlib.suppress(PlaywrightError):  # the page is closed
            if await self._allows(event["request"]["url"], event["resourceType"], event["frameId"] == main):
                await session.send("Fetch.continueRequest", identity)
            else:
                await session.send("Fetch.failRequest", {**identity, "errorReason": "BlockedByClient"})

    async def _allows(self, url: str, kind: str, in_main_frame: bool) -> bool:
        if kind == "Document" and in_main_frame:
            try:
                self._policy.check_navigation(url, self.to_render.url)
            except Exception as error:
                self.refused = error
                return False
            return True
        if is_unwanted(url, kind.lower()):
            return False
        known = self._policy.known_verdict(url)
        return await asyncio.to_thread(self._policy.allows, url) if known is None else known


async def _wait_for_data(page: Page, to_render: RenderRequest) -> None:
    """Return when the page's data is there, when it loads nothing more, or when it had time enough."""
    loop = asyncio.get_running_loop()
    end = loop.time() + to_render.data_wait
    idle = asyncio.ensure_future(page.wait_for_load_state("networkidle", timeout=to_render.data_wait * 1000))
    idle.add_done_callback(lambda done: done.cancelled() or done.exception())
    idle_since: float | None = None
    try:
        async with asyncio.timeout_at(end):
            while idle_since is None or loop.time() < idle_since + IDLE_WAIT:
                if page.is_closed():
                    raise BrowserDied(f"the page was closed: {to_render.url}")
                with contextlib.suppress(PlaywrightError):  # the page navigates, or the script does not run there
                    if await page.evaluate(f"() => {{{to_render.data_script}\n}}"):
                        return
                if idle_since is None and idle.done():
                    idle_since = loop.time()
                await asyncio.sleep(POLL)
    except TimeoutError:
        pass
    finally:
        idle.cancel()


async def _content(page: Page) -> str:
    """A page's mark-up; a page that navigates just then is asked again, until the visit's time is over."""
    while True:
        try:
            return await page.content()
        except PlaywrightError as error:
            if "navigating" not in error.message:
                raise
            await asyncio.sleep(POLL)


async def _abort(route: Route) -> None:
    await route.abort()


async def _close(page: Page) -> None:
    with contextlib.suppress(PlaywrightError, TimeoutError):
        async with asyncio.timeout(_CLOSING_SECONDS):
            await page.close()
