"""Sitemaps: XML that names pages, or further sitemaps."""

import struct
import zlib
from typing import Any

import lxml.etree
from scrapy.utils.gz import gunzip
from scrapy.utils.sitemap import Sitemap

from fullshot.crawler.items import ListingFound
from fullshot.crawler.pages._values import text, web_address

_GZIP = b"\x1f\x8b\x08"
_STARTS = (b"<?xml", b"<urlset", b"<sitemapindex", b"\xff\xfe<", b"\xfe\xff\x00<")
_LARGEST = 50 * 1024 * 1024
"""Bytes of a sitemap, unpacked: the most that sitemaps.org allows. More is a bomb, or no sitemap."""


def sitemap(url: str, body: bytes) -> ListingFound | None:
    """The addresses that a sitemap names, as far as its XML can be read; None: the body is no sitemap.

    Args:
        url: the sitemap's own address.
        body: its bytes, gzip-compressed or not.
    """
    if body.startswith(_GZIP):
        try:
            body = gunzip(body, max_size=_LARGEST)
        except (OSError, EOFError, ValueError, struct.error, zlib.error):
            return None
    body = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not body.startswith(_STARTS):
        return None
    addresses: dict[str, None] = {}
    kind = None
    try:
        entries: Any = Sitemap(body)
        kind = entries.type
        if kind not in ("urlset", "sitemapindex"):
            return None
        for entry in entries:
            if (link := text(entry.get("loc"))) and (address := web_address(url, link)):
                addresses[address] = None
    except (lxml.etree.LxmlError, ValueError, StopIteration):
        if kind is None:
            return None
    if addresses and _is_cut_off(body):
        addresses.popitem()
    if kind == "sitemapindex":
        return ListingFound(urls=[], listings=list(addresses))
    return ListingFound(urls=list(addresses), total=len(addresses))


def _is_cut_off(body: bytes) -> bool:
    """Whether a sitemap ends inside an address, of which the recovered XML then holds a part."""
    end = body.rfind(b"loc>")
    return end >= 0 and not body.startswith(b"</", body.rfind(b"<", 0, end))
