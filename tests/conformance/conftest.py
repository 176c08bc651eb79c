"""What the suites borrow from the tests of the rooms."""

from tests.crawler.rendering.conftest import crawl, site

__all__ = ["crawl", "site"]
