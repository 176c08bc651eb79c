"""Which addresses belong to this machine and its network, and are none of the web's."""

import ipaddress
import socket
from typing import Any

from scrapy.resolver import CachingThreadedResolver
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

_refused: set[str] = set()


def is_private(address: str) -> bool:
    """Whether an IP address is not one of the public internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return not (mapped or ip).is_global or ip.is_multicast


def is_private_literal(host: str) -> bool:
    """Whether a host is written as such an address, or as ``localhost``."""
    name = host.strip("[]").rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost") or is_private(name) or is_private(_old_style(name))


def _old_style(name: str) -> str:
    """An IPv4 address in one of the ways that C libraries take, such as ``127.1`` or ``0x7f000001``."""
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except OSError:
        return ""


def is_private_host(host: str) -> bool:
    """Whether a host is, or has, an address of this machine or its network; False where its name is not known."""
    if is_private_literal(host):
        return True
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(is_private(str(entry[4][0])) for entry in found)


def was_refused(host: str) -> bool:
    """Whether a name was not used because its address is private."""
    return host in _refused


class GuardedResolver(CachingThreadedResolver):
    """Scrapy's resolver, which does not hand out a private address unless the crawl may ask those.

    The address that is looked at is the one that is connected to: a name cannot change its mind in between.
    """

    allow_private = False

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> "GuardedResolver":
        made: GuardedResolver = super().from_crawler(crawler, reactor)
        made.allow_private = crawler.settings["FULLSHOT_JOB"].allow_private
        return made

    def getHostByName(self, name: str, timeout: Any = ()) -> "Deferred[str]":  # noqa: N802
        found: Deferred[str] = super().getHostByName(name, timeout)
        return found if self.allow_private else found.addCallback(self._checked, name)

    def _checked(self, address: str, name: str) -> str:
        if is_private(address):
            _refused.add(name)
            raise DNSLookupError(f"{name} is {address}, an address of this machine or its network")
        return address
