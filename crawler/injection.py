"""What scrapy-poet does in a crawl: it makes the page object of a response, and hands it to the spider's callback."""

from collections.abc import Callable, Sequence
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy_poet.downloadermiddlewares import InjectionMiddleware
from scrapy_poet.page_input_providers import PageObjectInputProvider

from fullshot.crawler.frontier import PICTURE
from fullshot.crawler.pages import PageOptions


class OptionsProvider(PageObjectInputProvider):
    """Provides the crawl's :class:`PageOptions`."""

    provided_classes = {PageOptions}  # noqa: RUF012

    def __call__(self, to_provide: set[Callable[..., Any]], crawler: Crawler) -> Sequence[PageOptions]:
        return [crawler.settings["FULLSHOT_CONTEXT"].options]


class PageInjectionMiddleware(InjectionMiddleware):
    """scrapy-poet's middleware, which plans once for each page object, not for each response, and not for pictures."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._plan = self.injector.build_plan
        self._plans: dict[Any, Any] = {}
        self._context = crawler.settings["FULLSHOT_CONTEXT"]
        self.injector.build_plan = self._planned  # type: ignore[method-assign]

    def _planned(self, request: Request) -> Any:
        if "task" not in request.meta:
            return self._plan(request)  # robots.txt
        page = self._context.find_page(request.url)
        if page not in self._plans:
            self._plans[page] = self._plan(request)
        return self._plans[page]

    def process_request(self, request: Request, spider: Any = None) -> Any:
        return None if _is_picture(request) else super().process_request(request, spider)

    async def process_response(self, request: Request, response: Response, spider: Any = None) -> Response | Request:
        return response if _is_picture(request) else await super().process_response(request, response, spider)


def _is_picture(request: Request) -> bool:
    task = request.meta.get("task")
    return task is not None and task.rank == PICTURE
