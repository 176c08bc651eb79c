"""What a rendered page may load, and where it may lead."""

import threading
import time
from urllib.parse import urlsplit

from scrapy.settings import BaseSettings

from fullshot.crawler.addresses import host_of, is_private_host, is_private_literal, same_shop
from fullshot.crawler.rendering.errors import OffHost

UNWANTED_KINDS = frozenset({"cspviolationreport", "font", "image", "media", "ping", "texttrack"})
"""Kinds of resource, in the small letters of Playwright, that a page's data does not need."""

TRACKERS = frozenset(
    {
        "adsrvr.org",
        "amazon-adsystem.com",
        "analytics.tiktok.com",
        "bat.bing.com",
        "clarity.ms",
        "connect.facebook.net",
        "criteo.com",
        "criteo.net",
        "doubleclick.net",
        "google-analytics.com",
        "googleadservices.com",
        "googlesyndication.com",
        "googletagmanager.com",
        "hotjar.com",
        "nr-data.net",
        "scorecardresearch.com",
    }
)
"""Hosts, with all below them, that count visits or show advertisements."""

_WITHOUT_NETWORK = ("about", "blob", "data")
_REMEMBERED_SECONDS = 60.0
_MOST_REMEMBERED = 4096


def is_unwanted(url: str, kind: str) -> bool:
    """Whether a request is for nothing that a page's data can depend on.

    Args:
        url: what is asked for.
        kind: its kind, as in :data:`UNWANTED_KINDS`.
    """
    if kind in UNWANTED_KINDS:
        return True
    labels = (urlsplit(url).hostname or "").split(".")
    return any(".".join(labels[start:]) in TRACKERS for start in range(len(labels)))


class RequestPolicy:
    """Decides which requests a browser may make, each hop of a redirect for itself.

    Addresses are looked up here and then once more by the browser: a name server that answers the two differently is
    not guarded against. WebSocket, WebTransport and WebRTC connections are not seen here, nor are a page's icon and the
    connections that a browser opens ahead of need; :data:`BEFORE_SCRIPTS` takes them from pages, though not from a
    page's workers.

    Args:
        settings: the crawl's; ``FULLSHOT_HOSTS`` and ``FULLSHOT_ALLOW_PRIVATE`` are read at each request.
    """

    def __init__(self, settings: BaseSettings) -> None:
        self._settings = settings
        self._private: dict[str, tuple[float, bool]] = {}
        self._lock = threading.Lock()

    def check_navigation(self, url: str, asked: str) -> None:
        """See that a page may lead to an address.

        Args:
            url: where it leads.
            asked: the address that the crawl asked for.

        Raises:
            OffHost: that is no host of the crawl, or no web address.
        """
        hosts = self._settings.get("FULLSHOT_HOSTS")
        try:
            allowed = {same_shop(host) for host in ([host_of(asked)] if hosts is None else hosts)}
            good = urlsplit(url).scheme in ("http", "https") and same_shop(host_of(url)) in allowed
        except ValueError:
            good = False
        if not good:
            raise OffHost(url)

    def known_verdict(self, url: str) -> bool | None:
        """:meth:`allows`, where that can be said without asking a name server; else None."""
        parts = urlsplit(url)
        if parts.scheme in _WITHOUT_NETWORK:
            return True
        if parts.scheme not in ("http", "https"):
            return False
        if self._settings.getbool("FULLSHOT_ALLOW_PRIVATE"):
            return True
        host = parts.hostname or ""
        if is_private_literal(host):
            return False
        with self._lock:
            until, private = self._private.get(host, (0.0, False))
        return not private if time.monotonic() < until else None

    def allows(self, url: str) -> bool:
        """Whether a page may load something; may wait for a name server.

        A name that is not known here is allowed: the browser does not know it either, or asks a proxy.
        """
        verdict = self.known_verdict(url)
        if verdict is not None:
            return verdict
        host = urlsplit(url).hostname or ""
        try:
            private = is_private_host(host)
        except UnicodeError:  # no name that could be asked for
            private = True
        with self._lock:
            if len(self._private) >= _MOST_REMEMBERED:
                self._private.clear()
            self._private[host] = (time.monotonic() + _REMEMBERED_SECONDS, private)
        return not private


BEFORE_SCRIPTS = """
    for (const name of ['WebSocket', 'WebSocketStream', 'WebTransport', 'RTCPeerConnection', 'webkitRTCPeerConnection'])
        delete globalThis[name];
    globalThis.open = () => null;
    new MutationObserver(changes => {
        for (const change of changes)
            for (const node of change.addedNodes)
                if (node.nodeName === 'LINK' && /icon|pre(fetch|connect|render)/i.test(node.rel)) node.remove();
    }).observe(document, {childList: true, subtree: true});
"""
"""Script for a page before its own: what the policy does not see is taken away, and so are further windows."""
