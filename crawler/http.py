"""Plain HTTP: Scrapy's downloader on aiohttp, which takes half the processor time of the one on Twisted."""

import socket
from typing import Any

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler
from scrapy.crawler import Crawler

from fullshot.crawler import addresses
from fullshot.crawler.failures import Refused


class HttpHandler(AiohttpDownloadHandler):
    """Downloads with plain HTTP, and connects to no private address unless the crawl may ask those."""

    experimental = False  # it would say so in every log

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        if not crawler.settings["FULLSHOT_CONTEXT"].allow_private:
            connector: Any = self._session.connector
            if not hasattr(connector, "_resolver"):
                raise RuntimeError("this version of aiohttp keeps its resolver elsewhere: no crawl without the guard")
            connector._resolver = GuardedResolver()


class GuardedResolver(AbstractResolver):
    """Resolves names, and does not hand out a private address.

    The addresses that are looked at are those that are connected to: a name cannot change its mind in between.
    """

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        public = [one for one in found if not addresses.is_private(one["host"])]
        if not public:
            raise Refused("private-address", f"{host} is a name of this machine or its network")
        return public

    async def close(self) -> None:
        await self._resolver.close()
