"""Why a request failed, in a word that a table can be sorted by."""

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from fullshot.crawler.rendering.errors import BrowserDied, OffHost, RendererMissing


class Refused(IgnoreRequest):
    """A request that this crawl does not make.

    Args:
        reason: the class of the failure, such as ``robots``, ``private-address``, ``off-host``.
        message: a line on it.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


BLOCKED = (403, 429)
"""Statuses of a host that does not want to be asked."""

DOWN = ("dns", "timeout", "refused", "connection", "cut", "browser")
"""Classes of failures of a host that does not answer as it should."""

GONE = (404, 410)
"""Statuses of a product page that is not there any more."""

# An error's class, its name, and a line on it; without one, the error's own words.
_KINDS: tuple[tuple[type[Exception], str, str | None], ...] = (
    (CannotResolveHostError, "dns", "the host's name is not known"),
    (DownloadTimeoutError, "timeout", "no answer in time"),
    (DownloadConnectionRefusedError, "refused", "connection refused"),
    (ResponseDataLossError, "cut", "the answer was cut off"),
    (DownloadCancelledError, "too-large", "more bytes than the settings allow"),
    (IgnoreRequest, "too-large", "more bytes, unpacked, than the settings allow"),
    (UnsupportedURLSchemeError, "scheme", "not an http or https address"),
    (OffHost, "off-host", None),
    (RendererMissing, "no-browser", None),
    (BrowserDied, "browser", None),
    (DownloadFailedError, "connection", "the connection broke"),
)


def classify(failure: Failure) -> tuple[str, str]:
    """The class of a failure (``dns``, ``timeout``, ``refused``, ``blocked``, ``http-503``, …) and a line on it."""
    error = failure.value
    if isinstance(error, HttpError):
        status = error.response.status
        return "blocked" if status in BLOCKED else f"http-{status}", f"answered {status}"
    if isinstance(error, Refused):
        return error.reason, str(error)
    for kind, name, message in _KINDS:
        if isinstance(error, kind):
            return name, message or str(error)
    return "other", " ".join(f"{type(error).__name__}: {error}".split())
