"""Why a request failed, in a word that a table can be sorted by."""

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

_KINDS: tuple[tuple[type[Exception], str, str], ...] = (
    (CannotResolveHostError, "dns", "the host's name is not known"),
    (DownloadTimeoutError, "timeout", "no answer in time"),
    (DownloadConnectionRefusedError, "refused", "connection refused"),
    (ResponseDataLossError, "cut", "the answer was cut off"),
    (UnsupportedURLSchemeError, "scheme", "not an http or https address"),
    (IgnoreRequest, "robots", "robots.txt does not allow it"),
)


def classify(failure: Failure) -> tuple[str, str]:
    """The class of a failure (``dns``, ``timeout``, ``refused``, ``http-503``, …) and a line on it."""
    error = failure.value
    if isinstance(error, HttpError):
        return f"http-{error.response.status}", f"answered {error.response.status}"
    for kind, name, message in _KINDS:
        if isinstance(error, kind):
            return name, message
    return "other", " ".join(f"{type(error).__name__}: {error}".split())
