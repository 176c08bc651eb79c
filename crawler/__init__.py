"""A Scrapy project: a shop's pages in, ``products`` and ``images`` out."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.crawler.browser import HEADLESS_FLAGS, find_chromium, provide_chromium
    from fullshot.crawler.call import check_archived, check_call
    from fullshot.crawler.items import Found, ListingFound, NothingFound, PictureLink, ProductFound, ShopBox
    from fullshot.crawler.pages import PageOptions, ShopPage, parse
    from fullshot.crawler.process import CrawlerProcess
    from fullshot.crawler.registries import RENDERERS, SHOPS
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
    "check_archived",
    "check_call",
    "crawl",
    "find_chromium",
    "parse",
    "parse_archived",
    "provide_chromium",
]

__getattr__ = lazy_names(
    __name__,
    {
        ".items": ["Found", "ListingFound", "NothingFound", "PictureLink", "ProductFound", "ShopBox"],
        ".pages": ["PageOptions", "ShopPage", "parse"],
        ".process": ["CrawlerProcess"],
        ".registries": ["RENDERERS", "SHOPS"],
        ".browser": ["HEADLESS_FLAGS", "find_chromium", "provide_chromium"],
        ".call": ["check_archived", "check_call"],
        ".reparse": ["parse_archived"],
        ".run": ["CrawlFailed", "crawl"],
    },
)
