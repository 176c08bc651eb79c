"""What scrapy-poet does in a crawl: it makes the page object of a response, and hands it to the spider's callback."""

from collections.abc import Callable, Sequence
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy_poet.downloadermiddlewares import InjectionMiddleware
from scrapy_poet.page_input_providers import PageObjectInputProvider

from crawler.pages import PageOptions
from crawler.state import PICTURE


class OptionsProvider(PageObjectInputProvider):
    """Provides the crawl's :class:`PageOptions`."""

    provided_classes = {PageOptions}  # noqa: RUF012

    def __call__(self, to_provide: set[Callable[..., Any]], crawler: Crawler) -> Sequence[PageOptions]:
        return [crawler.settings["FULLSHOT_JOB"].options]


class PageInjection(InjectionMiddleware):
    """scrapy-poet's middleware, which leaves pictures alone: it would plan anew for each that it has nothing to do."""

    def process_request(self, request: Request, spider: Any = None) -> Any:
        return None if _is_picture(request) else super().process_request(request, spider)

    async def process_response(self, request: Request, response: Response, spider: Any = None) -> Response | Request:
        return response if _is_picture(request) else await super().process_response(request, response, spider)


def _is_picture(request: Request) -> bool:
    task = request.meta.get("task")
    return task is not None and task.rank == PICTURE
