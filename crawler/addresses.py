"""Hosts of web addresses: how they are written, which are of one shop, and which are of this network."""

import ipaddress
import socket
from urllib.parse import urlsplit

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def host_of(url: str) -> str:
    """Host and port of an address, whichever way they are written."""
    parts = urlsplit(url)
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{name}:{parts.port or {'http': 80, 'https': 443}.get(parts.scheme)}"


def same_shop(host: str) -> str:
    """A host without what differs between the addresses of one shop: ``www.`` in front, and http or https."""
    name, _, port = host.rpartition(":")
    return name.removeprefix("www.") + ("" if port in ("80", "443") else f":{port}")


def is_private(address: str) -> bool:
    """Whether an IP address is not one of the public internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv4 address in one of the ways that IPv6 writes it: mapped, 6to4, or for a translator (RFC 6052).
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return not inner.is_global
    return not ip.is_global or ip.is_multicast


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
    """Whether a host is of this machine or its network, with all its addresses; False where its name is not known."""
    if is_private_literal(host):
        return True
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(is_private(str(entry[4][0])) for entry in found)
