"""A Scrapy project: a shop's pages in, ``products`` and ``images`` out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullshot.crawler.process import Child
    from fullshot.crawler.reparse import parse_kept
    from fullshot.crawler.run import CrawlFailed, crawl

__all__ = ["Child", "CrawlFailed", "crawl", "parse_kept"]

_PLACES = {"Child": "process", "CrawlFailed": "run", "crawl": "run", "parse_kept": "reparse"}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the process that a crawl runs in needs none of these, nor the pandas that they load.
    if name in _PLACES:
        return getattr(import_module(f"fullshot.crawler.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
