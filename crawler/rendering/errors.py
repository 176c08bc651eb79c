"""Why a page was not rendered, in Scrapy's own exceptions where it has one."""

import re

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)


class OffHost(Exception):
    """A page led to a host that is not one of the crawl's: do not ask again.

    Args:
        url: where it led.
    """

    def __init__(self, url: str) -> None:
        super().__init__(f"the page leads to another host: {url}")
        self.url = url


class BrowserDied(DownloadFailedError):
    """The browser crashed, or was killed: ask again, another one is started."""


class RendererMissing(Exception):
    """The renderer asked for cannot start on this machine: fix that, or crawl with another one."""


_KINDS: dict[str, type[Exception]] = {
    "ERR_NAME_NOT_RESOLVED": CannotResolveHostError,
    "ERR_CONNECTION_REFUSED": DownloadConnectionRefusedError,
    "ERR_CONNECTION_TIMED_OUT": DownloadTimeoutError,
    "ERR_TIMED_OUT": DownloadTimeoutError,
}


def of_chromium(message: str) -> Exception | None:
    """Scrapy's exception for an error of Chromium's network, such as ``net::ERR_CONNECTION_REFUSED``.

    Args:
        message: what a driver said.

    Returns:
        None where the message names no error of the network.
    """
    found = re.search(r"net::(ERR_\w+)", message)
    if found is None:
        return None
    return _KINDS.get(found[1], DownloadFailedError)(f"Chromium: {found[0]}")
