"""Pages rendered by Selenium: a few Chromiums, each driven by one thread at a time."""

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor

from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadTimeoutError

from fullshot.crawler.browser import find_chromedriver
from fullshot.crawler.rendering.errors import RendererMissing
from fullshot.crawler.rendering.page import MARKUP_SECONDS, START_SECONDS, RenderedPage, RenderRequest
from fullshot.crawler.rendering.policy import RequestPolicy
from fullshot.crawler.rendering.selenium.chromium import Chromium

_MOST_BROWSERS = 4
"""Each one is a Chromium of its own, of some 300 MB."""

# It calls it an error when a browser is ended, which happens after every so many pages.
logging.getLogger("websocket").setLevel(logging.CRITICAL)


class SeleniumRenderer:
    """See :class:`fullshot.core.interfaces.Renderer`."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        driver = find_chromedriver()
        if not settings["FULLSHOT_CHROMIUM"]:
            raise RendererMissing("selenium: no Chromium: fullshot doctor --fix, or apt-get install chromium")
        if driver is None:
            raise RendererMissing(
                "selenium: no chromedriver: fullshot doctor --fix, or apt-get install chromium-driver"
            )
        self._driver = driver
        self._settings = settings
        self._policy = RequestPolicy(settings)
        count = max(1, min(settings.getint("FULLSHOT_BROWSER_PAGES"), _MOST_BROWSERS))
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="selenium")
        self._free = asyncio.Semaphore(count)
        self._idle: list[Chromium] = []
        self._busy: set[Chromium] = set()

    async def render(self, to_render: RenderRequest) -> RenderedPage:
        """See :class:`fullshot.core.interfaces.Renderer`."""
        async with self._free:
            browser = self._idle.pop() if self._idle else self._new()
            self._busy.add(browser)
            try:
                page = await self._in_time(browser, to_render)
            except BaseException:
                # Whatever state it is in: the next page gets another one.
                browser.kill()
                raise
            finally:
                self._busy.discard(browser)
            if browser.usable and browser.pages < self._settings.getint("FULLSHOT_CONTEXT_PAGES"):
                self._idle.append(browser)
            else:
                browser.kill()
            if isinstance(page, Exception):
                raise page
            return page

    async def close(self) -> None:
        """See :class:`fullshot.core.interfaces.Renderer`."""
        for browser in (*self._idle, *self._busy):
            browser.kill()
        self._idle.clear()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    def _new(self) -> Chromium:
        settings = self._settings
        return Chromium(
            settings["FULLSHOT_CHROMIUM"],
            self._driver,
            [*settings.getlist("FULLSHOT_BROWSER_FLAGS"), f"--user-agent={settings['USER_AGENT']}"],
            self._policy,
        )

    async def _in_time(self, browser: Chromium, to_render: RenderRequest) -> RenderedPage | Exception:
        """The page, or why there is none although the browser is well.

        A browser that answers nothing any more is killed: that ends the thread's wait.
        """
        work = asyncio.get_running_loop().run_in_executor(self._threads, browser.render, to_render)
        try:
            async with asyncio.timeout(START_SECONDS + to_render.timeout + to_render.data_wait + MARKUP_SECONDS):
                return await asyncio.shield(work)
        except TimeoutError:
            browser.kill()
            with contextlib.suppress(Exception):
                await work
            raise DownloadTimeoutError(f"the browser does not answer: {to_render.url}") from None
