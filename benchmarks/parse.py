"""How long a product page takes to be parsed, against json.loads of its window.__myx alone.

The page is one of the synthetic shop's, or with --page a saved one. The two take turns, so that what else the machine
does falls on both.
"""

import json
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import _common
from benchmarks._common import Row
from benchmarks._content import Content, Plan
from fullshot.crawler import PageOptions, ProductFound, parse

REPEATS = 2000
MOST = 2.0
"""Parsing is expected to take at most so many times as long as the JSON decoder alone."""

_BASE = "http://127.0.0.1:8000"
_DATA = re.compile(rb"window\.__myx\s*=\s*(?=\{)")
_WARM_UP = 20


def data_of(page: bytes) -> str:
    """What is assigned to ``window.__myx``, and nothing after it.

    Raises:
        SystemExit: it is not in the page.
    """
    start = _DATA.search(page)
    if start is None:
        raise SystemExit("expected a page with window.__myx, got one without")
    rest = page[start.end() :].decode("utf-8", "replace")
    _, length = json.JSONDecoder().raw_decode(rest)
    return rest[:length]


def measure(page: bytes, url: str, repeats: int) -> list[Row]:
    """Time the two in turns.

    Raises:
        SystemExit: there is no product on the page.
    """
    data = data_of(page)
    options = PageOptions()
    if not isinstance(parse(url, page, options, "myntra"), ProductFound):
        raise SystemExit("expected a product's page, got one without a product")
    ours: list[float] = []
    peers: list[float] = []
    for repeat in range(repeats + _WARM_UP):
        seconds = _seconds(lambda: parse(url, page, options, "myntra")), _seconds(lambda: json.loads(data))
        if repeat >= _WARM_UP:
            ours.append(seconds[0])
            peers.append(seconds[1])
    return [
        _common.at_most("milliseconds a page, median", _median(ours), _median(peers), MOST),
        _common.at_most("milliseconds a page, least", min(ours) * 1000, min(peers) * 1000, MOST),
        Row("bytes", len(page), len(data.encode())),
    ]


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _median(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--page", type=Path, metavar="FILE", help="a saved product page; default: a synthetic one")
    parser.add_argument("--repeats", type=int, default=REPEATS, help=f"default: {REPEATS}")
    given = parser.parse_args(arguments)
    page = given.page.read_bytes() if given.page else Content(Plan(pictures=7), _BASE).product_page(0)
    rows = measure(page, f"{_BASE}/a/product/1/buy", given.repeats)
    _common.show("A product page", rows, as_json=given.as_json, peer="json.loads")


if __name__ == "__main__":
    main()
