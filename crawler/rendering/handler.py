"""The download handler that hands each request to what it asks for: plain HTTP, or a renderer."""

import time
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.core.downloader.handlers import DownloadHandlerProtocol
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError, NotSupported
from scrapy.http import HtmlResponse, Response
from scrapy.utils.misc import build_from_crawler, load_object

from fullshot.crawler.rendering import RENDERERS, Renderer
from fullshot.crawler.rendering.errors import RendererMissing
from fullshot.crawler.rendering.page import RenderedPage, RenderRequest
from fullshot.crawler.rendering.policy import RequestPolicy

_STARTED: "WeakKeyDictionary[Crawler, dict[str, Renderer]]" = WeakKeyDictionary()
"""The renderers of a crawl, which its handlers for http and https share."""


class RenderingHandler(BaseDownloadHandler):
    """Downloads with plain HTTP, or with the renderer that ``meta["renderer"]`` names.

    A rendered request may have ``meta["data_script"]``, a JavaScript function's body that returns whether the page's
    data is there. ``download_timeout`` and ``download_maxsize`` count as for plain HTTP. The response is the page's
    mark-up in UTF-8, with the status and the headers of the main document, and the renderer's name in its flags.
    """

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        base = crawler.settings.getdict("DOWNLOAD_HANDLERS_BASE")["https"]
        plain = load_object(crawler.settings.get("FULLSHOT_HTTP_HANDLER", base))
        self._plain: DownloadHandlerProtocol = build_from_crawler(plain, crawler)
        self._policy = RequestPolicy(crawler.settings)

    async def download_request(self, request: Request) -> Response:
        """Download a request.

        Raises:
            UserError: ``meta["renderer"]`` names none that is known.
            NotSupported: a renderer was asked for something else than GET.
            RendererMissing: the renderer cannot start on this machine.
            DownloadCancelledError: the page is larger than allowed.
        """
        name = request.meta.get("renderer") or "http"
        if name == "http":
            return await self._plain.download_request(request)
        if request.method != "GET":
            raise NotSupported(f"a browser renders what it gets with GET, not with {request.method}: {request.url}")
        self._policy.check_navigation(request.url, request.url)
        started = time.monotonic()
        rendered = await self._renderer(name).render(self._to_render(request))
        request.meta["download_latency"] = time.monotonic() - started
        return self._response(request, rendered, name)

    async def close(self) -> None:
        """Close all that was opened."""
        for renderer in _STARTED.pop(self.crawler, {}).values():
            await renderer.close()
        await self._plain.close()

    def _renderer(self, name: str) -> Renderer:
        there = _STARTED.setdefault(self.crawler, {})
        if name not in there:
            try:
                make = RENDERERS.get(name)
            except ModuleNotFoundError as error:
                raise RendererMissing(f"{name}: no module {error.name}: pip install 'fullshot[crawler]'") from None
            there[name] = make(self.crawler)
        return there[name]

    def _to_render(self, request: Request) -> RenderRequest:
        settings = self.crawler.settings
        return RenderRequest(
            url=request.url,
            data_script=request.meta.get("data_script") or "return false;",
            timeout=float(request.meta.get("download_timeout") or settings.getfloat("DOWNLOAD_TIMEOUT")),
        )

    def _response(self, request: Request, page: RenderedPage, name: str) -> Response:
        body = page.text.encode("utf-8", "replace")
        most = int(request.meta.get("download_maxsize", self.crawler.settings.getint("DOWNLOAD_MAXSIZE")))
        if most and len(body) > most:
            raise DownloadCancelledError(f"the page has {len(body)} bytes, more than the {most} allowed: {request.url}")
        headers = {**page.headers, "Content-Type": "text/html; charset=utf-8"}
        return HtmlResponse(page.url, status=page.status, headers=headers, body=body, encoding="utf-8", flags=[name])
