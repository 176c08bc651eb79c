"""A Scrapy project: a shop's pages in, ``products`` and ``images`` out."""

from crawler.reparse import parse_kept
from crawler.run import CrawlFailed, crawl

__all__ = ["CrawlFailed", "crawl", "parse_kept"]
