"""What scrapy-poet hands to the page objects beside the page."""

from collections.abc import Callable, Sequence
from typing import Any

from scrapy.crawler import Crawler
from scrapy_poet.page_input_providers import PageObjectInputProvider

from crawler.pages import PageOptions


class OptionsProvider(PageObjectInputProvider):
    """Provides the crawl's :class:`PageOptions`."""

    provided_classes = {PageOptions}  # noqa: RUF012

    def __call__(self, to_provide: set[Callable[..., Any]], crawler: Crawler) -> Sequence[PageOptions]:
        return [crawler.settings["FULLSHOT_JOB"].options]
