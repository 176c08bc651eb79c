"""A whole crawl against a bare Scrapy spider with Scrapy's own ImagesPipeline, on the same server.

Both start as a process, ask with the same concurrency and no politeness, store every picture and write their tables.
They take turns, and the medians count. With --url a shop that is served elsewhere is crawled instead of the synthetic
one.
"""

import csv
import shutil
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks import _common
from benchmarks._common import CONCURRENCY, Row
from benchmarks._content import Plan

PLAN = Plan(products=1000, page_bytes=450_000, pictures=1, picture_bytes=15_000, look_every=6, look_bytes=60_000)


class Result(NamedTuple):
    """One crawl: how long it took, and what it left on disk."""

    seconds: float
    processor_seconds: float
    products: int
    pictures: int


def crawl(folder: Path, urls: Sequence[str]) -> Result:
    """Our crawl."""
    workspace = folder / "workspace"
    done = _common.must_succeed(_common.run(_common.crawl_command(workspace, urls), folder), "our crawl")
    # Pictures of the same bytes are one file in a workspace, and as many as their addresses to the peer.
    pictures = {row["url"] for row in _rows(workspace / "images.csv") if (workspace / row["path"]).is_file()}
    return Result(done.seconds, done.processor_seconds, len(_rows(workspace / "products.csv")), len(pictures))


def crawl_as_the_peer_does(folder: Path, urls: Sequence[str]) -> Result:
    """The peer's crawl."""
    settings = {
        "CONCURRENT_REQUESTS": CONCURRENCY,
        "CONCURRENT_REQUESTS_PER_DOMAIN": CONCURRENCY,
        "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "INFO",
        "ITEM_PIPELINES": '{"scrapy.pipelines.images.ImagesPipeline": 1}',
        "IMAGES_STORE": folder / "store",
    }
    command = [sys.executable, "-P", "-m", "scrapy", "runspider", str(Path(__file__).with_name("peer_spider.py"))]
    command += ["-a", f"urls={' '.join(urls)}", "-o", "products.csv"]
    for name, value in settings.items():
        command += ["-s", f"{name}={value}"]
    done = _common.must_succeed(_common.run(command, folder), "the peer's crawl")
    pictures = sum(path.is_file() for path in (folder / "store").rglob("*.*"))
    return Result(done.seconds, done.processor_seconds, len(_rows(folder / "products.csv")), pictures)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def measure(urls: Sequence[str], rounds: int, scratch: Path) -> list[Row]:
    """Let the two crawl in turns."""
    ours: list[Result] = []
    peers: list[Result] = []
    for number in range(rounds):
        turns = [(ours, crawl, "ours"), (peers, crawl_as_the_peer_does, "peer")]
        for results, one, name in turns if number % 2 == 0 else reversed(turns):
            folder = scratch / f"{name}-{number}"
            folder.mkdir()
            results.append(one(folder, urls))
            shutil.rmtree(folder)
            _common.say(f"round {number + 1}, {name}: {results[-1]}")

    def rate(results: list[Result], what: str) -> float:
        return _median(getattr(one, what) / one.seconds for one in results)

    def medians(what: str) -> tuple[float, float]:
        return _median(getattr(one, what) for one in ours), _median(getattr(one, what) for one in peers)

    return [
        _common.at_least("product pages/s", rate(ours, "products"), rate(peers, "products")),
        _common.at_least("pictures/s", rate(ours, "pictures"), rate(peers, "pictures")),
        _common.at_least("products", *medians("products")),
        _common.at_least("pictures", *medians("pictures")),
        Row("seconds", *medians("seconds")),
        Row("processor seconds", *medians("processor_seconds")),
    ]


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(values))


@contextmanager
def shop(plan: Plan, urls: Sequence[str] | None) -> Iterator[Sequence[str]]:
    """The listings to start from: of a shop that is served elsewhere, or else of a synthetic one."""
    if urls:
        yield urls
        return
    with _common.serving(plan) as served:
        yield [served.listing]


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__, PLAN)
    parser.add_argument("--url", nargs="+", metavar="URL", help="listings of a shop that is served elsewhere")
    parser.add_argument("--rounds", type=int, default=_common.ROUNDS, help=f"default: {_common.ROUNDS}")
    given = parser.parse_args(arguments)
    with _common.scratch(given.folder) as scratch, shop(_common.plan_of(given), given.url) as urls:
        rows = measure(urls, given.rounds, scratch)
    _common.show("A whole crawl, medians", rows, as_json=given.as_json, peer="bare Scrapy")


if __name__ == "__main__":
    main()
