"""A crawl that is killed ten times (kill -9), each time gone on with by the same command: is all found, once, whole?

The moments are drawn by lot over the requests that the crawl takes, so that all fall inside it. Besides what was found,
the server's log says how many requests were made twice. A kill costs about as many as were under way (--concurrency),
whatever the size of the shop, so both are printed: how many a kill, and their share of this crawl's.
"""

import contextlib
import random
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import _check, _common
from benchmarks._common import CONCURRENCY, Row, ShopProcess
from benchmarks._content import LISTED, Plan

PLAN = Plan(products=3000, page_bytes=50_000, pictures=1, look_every=6)
KILLS = 10
MOST_TWICE = 0.05
"""At most so many requests are expected to be made twice, as a share of those made first."""

_INTERVAL = 0.005
_PATIENCE = 120.0
"""Seconds without a request after which a crawl is taken to be stuck."""


def moments(total: int, kills: int, seed: int) -> list[int]:
    """Numbers of requests at which to kill, in order, none twice, all inside the crawl."""
    return sorted(random.Random(seed).sample(range(1, total), kills))


def addresses(shop: ShopProcess, plan: Plan) -> int:
    """How many addresses a crawl of the whole shop asks for."""
    pictures = sum(len(product["image_urls"]) for product in shop.truth())
    return -(-plan.products // LISTED) + plan.products + pictures


def crawl_until(shop: ShopProcess, folder: Path, command: list[str], moment: int) -> bool:
    """Start the crawl, or go on with it, and kill it as soon as so many addresses were asked for.

    It is not killed before it has asked for anything itself, so that two moments close to each other are two kills of a
    crawl under way.

    Returns:
        Whether it was killed; it may have ended before.

    Raises:
        SystemExit: it asks for nothing more.
    """
    with (folder / "killed.txt").open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            before = last = shop.progress()["requests"]
            since = time.monotonic()
            while process.poll() is None:
                asked = shop.progress()
                if asked["requests"] != last:
                    last, since = asked["requests"], time.monotonic()
                if _first_requests(asked) >= moment and last > before:
                    break
                if time.monotonic() - since > _PATIENCE:
                    raise SystemExit(f"the crawl asked for nothing for {_PATIENCE:.0f} s: see {folder}")
                time.sleep(_INTERVAL)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            code = process.wait()
    return code < 0


def _first_requests(asked: dict[str, int]) -> int:
    return asked["listings"] + asked["products"] + asked["pictures"]


def asked_twice(log: dict[str, int]) -> float:
    """Requests beyond the first of an address, as a share of the first ones, robots.txt apart."""
    counts = [count for path, count in log.items() if path != "/robots.txt"]
    return sum(count - 1 for count in counts) / max(1, len(counts))


def measure(shop: ShopProcess, folder: Path, at: Sequence[int], concurrency: int) -> list[Row]:
    """Crawl with kills, then to the end, and compare what was found with the truth."""
    truth = _check.truth_of(shop.truth())
    command = _common.crawl_command(folder / "workspace", [shop.listing], concurrency)
    landed = 0
    started = time.monotonic()
    for moment in at:
        killed = crawl_until(shop, folder, command, moment)
        landed += killed
        asked = _first_requests(shop.progress())
        _common.say(f"{'killed' if killed else 'ended by itself'} at {asked} addresses (wanted: {moment})")
    done = _common.run(command, folder)
    seconds = time.monotonic() - started
    if done.code != 0:
        _common.say(done.errors)
    log = shop.log()
    share = asked_twice(log)
    again = sum(count - 1 for path, count in log.items() if path != "/robots.txt")
    return [
        Row("kills inside the crawl", landed, len(at), None, "all", landed == len(at)),
        Row("requests made twice, share", share, None, None, f"≤ {MOST_TWICE}", share <= MOST_TWICE),
        Row("requests made twice, a kill", again / max(1, landed)),
        Row("addresses asked for", len(log)),
        *_check.compare(folder / "workspace", truth),
        Row("exit code of the last run", done.code, 0, None, "0", done.code == 0),
        Row("seconds", seconds),
    ]


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__, PLAN)
    parser.add_argument("--kills", type=int, default=KILLS, help=f"default: {KILLS}")
    parser.add_argument("--dice", type=int, default=1, help="seed of the moments; default: 1")
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY, help=f"default: {CONCURRENCY}")
    given = parser.parse_args(arguments)
    plan = _common.plan_of(given)
    with _common.scratch(given.folder) as scratch, _common.serving(plan) as shop:
        drawn = moments(addresses(shop, plan), given.kills, given.dice)
        rows = measure(shop, scratch, drawn, given.concurrency)
    _common.show(f"A crawl killed {given.kills} times", rows, as_json=given.as_json, peer="there is")


if __name__ == "__main__":
    main()
