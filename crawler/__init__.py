"""A Scrapy project: a shop's pages in, ``products`` and ``images`` out."""

from crawler.run import crawl

__all__ = ["crawl"]
