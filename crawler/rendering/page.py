"""What a renderer is asked for, and what it gives."""

from collections.abc import Iterable
from dataclasses import dataclass, field

DATA_WAIT = 10.0
"""Seconds that a page's scripts have at most, from its mark-up on, to bring its data."""
IDLE_WAIT = 1.5
"""Seconds after which a page that loads nothing more is taken to have no data to come."""
POLL = 0.1
"""Seconds between two looks for the data."""
START_SECONDS = 60.0
"""Seconds that a browser may take to start, or to open a page."""
MARKUP_SECONDS = 10.0
"""Seconds that a browser may take to hand a page's mark-up over."""

# They describe the bytes that the browser received, not the mark-up that it wrote.
_OF_THE_TRANSFER = frozenset({"content-encoding", "content-length", "content-type", "transfer-encoding", "set-cookie"})


@dataclass(frozen=True)
class RenderRequest:
    """A page to render.

    Attributes:
        url: its address.
        data_script: JavaScript, a function's body: returns whether the page's data is there.
        timeout: seconds until its mark-up must have come.
    """

    url: str
    data_script: str
    timeout: float

    @property
    def data_wait(self) -> float:
        """Seconds that its data may take."""
        return min(self.timeout, DATA_WAIT)


@dataclass(frozen=True)
class RenderedPage:
    """A page as its scripts left it.

    Attributes:
        url: its address, after redirects.
        status: HTTP status of its main document.
        text: its mark-up.
        headers: those of its main document.
    """

    url: str
    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)


def page_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers that still say something about a rendered page, such as Retry-After."""
    # A browser may join several headers of one name with line breaks, which no header may hold.
    return {name: value.replace("\n", ", ") for name, value in headers if name.lower() not in _OF_THE_TRANSFER}
