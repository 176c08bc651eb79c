"""Pages broken in every way that comes to mind: a page object answers, or says that the page is one for a browser.

``FUZZ=20000`` tries as many pages on each page object; the tests' own number is for every day.
"""

import gzip
import json
import os
import re
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web_poet import HttpResponse
from web_poet.exceptions import UseFallback

from fullshot.core.tables import frame
from fullshot.crawler.items import Found, ListingFound, NothingFound, ProductFound
from fullshot.crawler.pages import SHOPS, PageOptions

EXAMPLES = int(os.environ.get("FUZZ", "1000"))
SEEDS = {
    shop: [page.read_bytes() for page in sorted(Path(__file__).parent.glob(f"{shop}/*/page.*"))]
    for shop in SHOPS.names()
}
URLS = [
    "https://shop.test/p/striped-tee?a=1",
    "https://shop.test/",
    "http://127.0.0.1:8765/women-topwear?p=2",
    "http://[::1]/x",
]
JSON = re.compile(rb"(window\.__myx = |<script type=\"application/ld\+json\">)(.*?)(?=</script)", re.DOTALL)
ATTRIBUTE = re.compile(rb"=\"[^\"<>]*\"")

BAD_LINKS = [
    "http://[x/", "javascript:alert(1)", "//", "http://", "https://shop.test:0/", "http://a:99999/", "mailto:a@b.c",
    "data:image/gif;base64,R0", "http://\ud800.test/", "\x00", "#", "?", "http:///p", "ftp://a/b", "http:// a\n",
    "//[::1", "http://%zz/", "https://shop.test/p/\udfff?x=\ud800", "https://user:pass@shop.test/p", "HTTP://SHOP.TEST/",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, -0.5, 1e308, 10**30, -(10**400), 10**4000, float("nan"), float("inf"), float("-inf"),
    "", " ", "\ud800", "x\udfff\x00y", "\u2028", "9" * 5000, "1e999", "-5", "1.2.3,4", "NaN", "&#xD800;&amp;&lt;", "²",
    "Product", "https://schema.org/", "@id", [], {}, [[]], [None], {"@id": "#product"}, {"@value": None}, {"@list": {}},
    {"@graph": [[{}]]}, {"@type": 5}, {"@type": "Product", "hasVariant": [None, {}]}, "DEEP_LIST", "DEEP_OBJECT",
    "HUGE", *BAD_LINKS,
]  # fmt: skip
DEPTH = 5000
# What json.dumps cannot write: deeper than its recursion goes, with more digits than Python turns into an int.
RAW = {
    b'"DEEP_LIST"': b"[" * DEPTH + b"]" * DEPTH,
    b'"DEEP_OBJECT"': b'{"@graph": ' * DEPTH + b"{}" + b"}" * DEPTH,
    b'"HUGE"': b"1" * DEPTH,
}

Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def pages(draw: Draw, shop: str) -> bytes:
    """A saved page of a shop, changed up to four times; half of them in their JSON only, and so still readable."""
    body: bytes = any_of(draw, SEEDS[shop])
    if draw(st.booleans()):
        return node(draw, body)
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=4)):
        body = change(draw, body)
    return body


def any_of(draw: Draw, values: Sequence[Any]) -> Any:
    """One of them, by its number: hypothesis need not look at what they are."""
    return values[draw(st.integers(0, len(values) - 1))]


def flip(draw: Draw, body: bytes) -> bytes:
    changed = bytearray(body)
    for place in draw(st.lists(st.integers(0, max(0, len(body) - 1)), max_size=8)) if body else ():
        changed[place] = draw(st.integers(0, 255))
    return bytes(changed)


def cut(draw: Draw, body: bytes) -> bytes:
    ends = sorted(draw(st.tuples(*[st.integers(0, len(body))] * 2)))
    return body[: ends[0]] + (body[ends[1] :] if draw(st.booleans()) else b"")


def splice(draw: Draw, body: bytes) -> bytes:
    other: bytes = any_of(draw, [page for pages in SEEDS.values() for page in pages])
    return body[: draw(st.integers(0, len(body)))] + other[draw(st.integers(0, len(other))) :]


def link(draw: Draw, body: bytes) -> bytes:
    """Another value for an attribute, most of which are links."""
    places = list(ATTRIBUTE.finditer(body))
    if not places:
        return body
    place: re.Match[bytes] = any_of(draw, places)
    value: bytes = draw(st.sampled_from(BAD_LINKS)).encode("utf-8", "surrogatepass")
    return body[: place.start()] + b'="' + value + b'"' + body[place.end() :]


def node(draw: Draw, body: bytes) -> bytes:
    """Another value for nodes of a script's JSON."""
    places = list(JSON.finditer(body))
    if not places:
        return body
    place: re.Match[bytes] = any_of(draw, places)
    try:
        data = [json.loads(place[2], strict=False)]
    except (ValueError, RecursionError):
        return body
    for _ in range(draw(st.integers(1, 3))):
        inside = list(containers(data))
        where = any_of(draw, inside)
        key = draw(st.sampled_from(list(where) if isinstance(where, dict) else range(len(where))))
        # Among the values are the page's own: an object that stands where it does not belong.
        where[key] = json.loads(json.dumps(any_of(draw, VALUES + inside)))
    written = json.dumps(data[0]).encode()
    for word, raw in RAW.items():
        written = written.replace(word, raw)
    return body[: place.start(2)] + written + body[place.end(2) :]


def containers(data: Any) -> Any:
    """The lists and objects in it that are not empty."""
    waiting = [data]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list) and one:
            yield one
            waiting += one.values() if isinstance(one, dict) else one


def nest(draw: Draw, body: bytes) -> bytes:
    """Elements inside elements, deeper than anything reads."""
    place: int = draw(st.integers(0, len(body)))
    tag: bytes = b'<div itemscope itemprop="mainEntity offers" itemtype="http://schema.org/Product">'
    times: int = draw(st.sampled_from([1, 100, 300, DEPTH]))
    return body[:place] + tag * times + body[place:]


def repack(draw: Draw, body: bytes) -> bytes:
    return gzip.compress(body, 1, mtime=0) if body[:2] != b"\x1f\x8b" else gunzipped(body)


def gunzipped(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return b""


CHANGES = [node, node, link, flip, cut, splice, nest, repack]


def is_web_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def check(found: Found) -> None:
    """What holds of whatever a page yields."""
    assert isinstance(found, ProductFound | ListingFound | NothingFound)
    json.dumps(found.as_json(), ensure_ascii=False).encode()
    if isinstance(found, ProductFound):
        frame("products", [found.product])
        links = [found.product["url"], *found.links, *(picture.url for picture in found.images)]
        links += [box.url for box in found.boxes]
    elif isinstance(found, ListingFound):
        assert len(set(found.urls)) == len(found.urls)
        assert set(found.listed) <= set(found.urls)
        assert found.total >= 0
        json.dumps([*found.listed.values(), found.listings], ensure_ascii=False).encode()
        links = [*found.urls, *found.listings, *([found.next] if found.next else [])]
    else:
        links = []
    assert [url for url in links if not is_web_address(url)] == []


@pytest.mark.parametrize("shop", SHOPS.names())
def test_a_broken_page_is_answered(shop: str) -> None:
    @settings(
        derandomize=True, deadline=None, max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(
        body=pages(shop), url=st.sampled_from(URLS), options=st.sampled_from([{}, {"colours": True, "image_size": 480}])
    )
    def answered(body: bytes, url: str, options: dict[str, Any]) -> None:
        with suppress(UseFallback):
            check(SHOPS.get(shop)(HttpResponse(url, body=body), PageOptions(**options)).find())

    answered()
