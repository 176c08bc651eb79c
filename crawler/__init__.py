"""A Scrapy project: a shop's pages in, ``products`` and ``images`` out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullshot.crawler.items import Found, ListingFound, NothingFound, PictureLink, ProductFound, ShopBox
    from fullshot.crawler.pages import PageOptions, ShopPage, parse
    from fullshot.crawler.process import CrawlerProcess
    from fullshot.crawler.registries import RENDERERS, SHOPS
    from fullshot.crawler.rendering.browser import HEADLESS_FLAGS, find_chromium, provide_chromium
    from fullshot.crawler.reparse import parse_archived
    from fullshot.crawler.run import CrawlFailed, crawl

__all__ = [
    "HEADLESS_FLAGS",
    "RENDERERS",
    "SHOPS",
    "CrawlFailed",
    "CrawlerProcess",
    "Found",
    "ListingFound",
    "NothingFound",
    "PageOptions",
    "PictureLink",
    "ProductFound",
    "ShopBox",
    "ShopPage",
    "crawl",
    "find_chromium",
    "parse",
    "parse_archived",
    "provide_chromium",
]

# Loaded when asked for: the process that a crawl runs in needs none of these, nor the pandas that some of them load.
_MODULES = {
    "items": ("Found", "ListingFound", "NothingFound", "PictureLink", "ProductFound", "ShopBox"),
    "pages": ("PageOptions", "ShopPage", "parse"),
    "process": ("CrawlerProcess",),
    "registries": ("RENDERERS", "SHOPS"),
    "rendering.browser": ("HEADLESS_FLAGS", "find_chromium", "provide_chromium"),
    "reparse": ("parse_archived",),
    "run": ("CrawlFailed", "crawl"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(import_module(f"fullshot.crawler.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
