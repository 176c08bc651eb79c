"""How a crawl behaves towards each host: when it may ask again, and what it counts for the table ``ledger``."""

import logging
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fullshot.core.clock import now

_log = logging.getLogger(__name__)

BLOCK_WINDOW = 20
"""So many pages are looked at before a host is taken to block this crawl."""
PROBE_WINDOW = 5
"""The same after a back-off: a host that still blocks is not asked for more than these."""
BLOCK_SHARE = 0.5
"""A host blocks when at least this share of the pages looked at were refused, or came without their data."""
BACKOFFS = 4
"""A host that still blocks after so many back-offs, each twice as long as the one before, ends the crawl."""
LONGEST_PAUSE = 3600.0
"""Seconds. A host that asks for a longer one is not waited for: the crawl ends and says so."""


@dataclass
class HostStats:
    """What is known and counted of one host.

    Attributes:
        name: host and port.
        robots: what its robots.txt says: ``allowed`` (everything is), ``some`` (some paths are not), ``none`` (there is
            none), ``unreachable`` (it answers with an error, so nothing is allowed), ``ignored`` (it was not asked).
        crawl_delay: seconds between two requests, as its robots.txt asks.
        delay: seconds between two requests, as it was at last.
        paused: seconds that it was not asked because it asked for that, or because it blocked.
        good_http: the ranks of which a page came with its data over plain HTTP.
        renderers: the browser that pages of a rank are asked for with.
    """

    name: str
    robots: str = ""
    crawl_delay: float = 0.0
    delay: float = 0.0
    requests: int = 0
    bytes: int = 0
    retries: int = 0
    status_429: int = 0
    status_503: int = 0
    blocked: int = 0
    failures: int = 0
    paused: float = 0.0
    first_request_at: str | None = None
    last_request_at: str | None = None

    good_http: set[int] = field(default_factory=set)
    renderers: dict[int, str] = field(default_factory=dict)
    backoffs: int = 0
    free_at: float = 0.0
    recent: "deque[bool]" = field(default_factory=lambda: deque(maxlen=BLOCK_WINDOW))

    @property
    def renderer(self) -> str:
        """The browser that some of its pages need; ``http`` where none do."""
        return next(iter(self.renderers.values()), "http")

    def row(self) -> dict[str, Any]:
        """Its row of ``ledger``."""
        return {"host": self.name, **{name: getattr(self, name) for name in STATS_COLUMNS}}


STATS_COLUMNS = (
    "robots", "crawl_delay", "delay", "requests", "bytes", "retries", "status_429", "status_503", "blocked", "failures",
    "paused", "renderer", "first_request_at", "last_request_at",
)  # fmt: skip
"""The columns of ``ledger`` after ``host``."""


class Politeness:
    """When each host may be asked, and when a crawl must end because a host gives nothing.

    Args:
        backoff: seconds of the first back-off from a host that blocks.
        saved: what an earlier process of the same crawl wrote down.
        remembered: the browsers that a host's pages were found to need, by their rank.
        clock: seconds, for tests.
    """

    def __init__(
        self,
        backoff: float,
        saved: dict[str, dict[str, Any]],
        remembered: Callable[[str], dict[int, str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backoff = backoff
        self._remembered = remembered
        self._clock = clock
        self._hosts: dict[str, HostStats] = {}
        for name, record in saved.items():
            counts = {key: record[key] for key in STATS_COLUMNS if key != "renderer"}
            self._hosts[name] = HostStats(name, renderers=remembered(name), **counts)

    def __getitem__(self, name: str) -> HostStats:
        if name not in self._hosts:
            self._hosts[name] = HostStats(name, renderers=self._remembered(name))
        return self._hosts[name]

    def hosts(self) -> list[HostStats]:
        """Every host met so far."""
        return list(self._hosts.values())

    def wait(self, name: str) -> float:
        """Seconds until the host may be asked."""
        return max(0.0, self[name].free_at - self._clock())

    def request_begins(self, name: str) -> None:
        """A request to the host begins: the next one waits for its Crawl-delay."""
        host = self[name]
        host.free_at = max(host.free_at, self._clock() + host.crawl_delay)
        host.first_request_at = host.first_request_at or now()
        host.last_request_at = now()

    def pause(self, name: str, seconds: float) -> None:
        """Ask the host for nothing for so many seconds."""
        host = self[name]
        until = self._clock() + seconds
        if until > host.free_at:
            host.paused = round(host.paused + until - max(host.free_at, self._clock()), 3)
            host.free_at = until
            _log.warning("%s is not asked for %.1f s", name, seconds)

    def slowed(self) -> list[str]:
        """The hosts that are not asked just now although there is no Crawl-delay to wait for."""
        return [host.name for host in self._hosts.values() if self.wait(host.name) > host.crawl_delay]

    def record_page(self, name: str, *, failed: bool, blocked: bool = True) -> str | None:
        """A page of the host came, or did not.

        Args:
            name: the host.
            failed: whether it was refused (403, 429), came without its data, or did not come at all.
            blocked: whether a failed one counts as blocked, and not as the host's own trouble.

        Returns:
            Why the crawl must end: the host gives nothing, and waiting did not help.
        """
        host = self[name]
        host.recent.append(failed)
        host.blocked += failed and blocked
        window = PROBE_WINDOW if host.backoffs else BLOCK_WINDOW
        share = sum(host.recent) / len(host.recent)
        if len(host.recent) == BLOCK_WINDOW and share < BLOCK_SHARE:
            host.backoffs = 0
        if len(host.recent) < window or share < BLOCK_SHARE or not failed:
            return None
        if host.backoffs == BACKOFFS:
            what = "blocks this crawl" if host.blocked else "does not answer"
            return (
                f"{name} {what}: after {BACKOFFS} pauses, {sum(host.recent)} of {len(host.recent)} pages did not come"
            )
        # A little by chance, so that several crawls of one shop do not come back at once.
        seconds = self._backoff * 2**host.backoffs * random.uniform(1.0, 1.2)
        _log.warning("%s: %d of the last %d pages did not come", name, sum(host.recent), len(host.recent))
        self.pause(name, seconds)
        host.backoffs += 1
        host.recent.clear()
        return None
