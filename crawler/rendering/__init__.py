"""Pages that a browser has to draw: a Scrapy download handler that hands them to a renderer.

What a caller needs: :func:`scrapy_settings` for the crawl, ``meta["renderer"]`` on a request, and the exceptions here.
"""

from typing import Any

from fullshot.core import interfaces
from fullshot.crawler.browser import HEADLESS_FLAGS, find_chromium
from fullshot.crawler.registries import RENDERERS
from fullshot.crawler.rendering.errors import BrowserDied, OffHost, RendererMissing
from fullshot.crawler.rendering.page import RenderedPage, RenderRequest

__all__ = [
    "CONTEXT_PAGES", "HANDLER", "RENDERERS", "BrowserDied", "OffHost", "RenderRequest", "RenderedPage", "Renderer",
    "RendererMissing", "scrapy_settings",
]  # fmt: skip

Renderer = interfaces.Renderer[RenderRequest, RenderedPage]


HANDLER = "fullshot.crawler.rendering.handler.RenderingHandler"
"""What ``DOWNLOAD_HANDLERS`` names for http and https."""

CONTEXT_PAGES = 50
"""A browser context, or Selenium's browser, is closed after so many pages.

One that stays open grows: scrapy-playwright's users report 5 GB that became 18 GB over 700 pages."""


def scrapy_settings(
    *, concurrency: int, browser: str = "", allow_private: bool = False, context_pages: int = CONTEXT_PAGES
) -> dict[str, Any]:
    """Scrapy's settings for a crawl that may render pages; ``DOWNLOAD_HANDLERS`` is the caller's to set.

    The crawl's ``USER_AGENT``, ``DOWNLOAD_TIMEOUT`` and ``DOWNLOAD_MAXSIZE`` count for rendered pages too, and so does
    ``FULLSHOT_HOSTS``, a set of ``host:port`` that a rendered page may be on: it is read at each request, from the
    crawler's settings, so it may grow. Without it a page must stay on the host that it was asked of.

    Args:
        concurrency: how many pages are drawn at once; Selenium draws at most four.
        browser: path or name of a Chromium; empty: whichever is found.
        allow_private: whether a page may load something from a private or loopback address.
        context_pages: pages after which cookies, caches and memory are given up.

    Raises:
        UserError: nothing that can be run lies at ``browser``.
    """
    chromium = find_chromium(browser)
    return {
        "FULLSHOT_CHROMIUM": str(chromium) if chromium else None,
        "FULLSHOT_BROWSER_FLAGS": list(HEADLESS_FLAGS),
        "FULLSHOT_BROWSER_PAGES": concurrency,
        "FULLSHOT_CONTEXT_PAGES": context_pages,
        "FULLSHOT_ALLOW_PRIVATE": allow_private,
        "PLAYWRIGHT_BROWSER_TYPE": "chromium",
        "PLAYWRIGHT_LAUNCH_OPTIONS": {
            "executable_path": str(chromium) if chromium else None,
            "args": list(HEADLESS_FLAGS),
            # Ctrl-C is the crawl's to answer: it closes its browsers itself.
            "handle_sigint": False,
            "handle_sigterm": False,
            "handle_sighup": False,
        },
        "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": concurrency,
        "PLAYWRIGHT_ABORT_REQUEST": "fullshot.crawler.rendering.playwright.unwanted",
        # The browser's own headers: the context has the User-Agent, for scripts as for the server.
        "PLAYWRIGHT_PROCESS_REQUEST_HEADERS": None,
    }
