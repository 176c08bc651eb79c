"""Memory of a crawl after 20,000 product pages against memory after 2,000.

Measured is the resident size of the crawl's own process while it runs: the median of what was
seen as the crawl came up to either number of pages. Of the whole tree of processes it is the peak.
"""

import statistics
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import _common
from benchmarks._common import Row, ShopProcess
from benchmarks._content import Plan

PLAN = Plan(products=20_000, page_bytes=50_000, pictures=1, picture_bytes=2000)
EARLY = 2000
MOST = 1.2
"""The crawl's process is expected to be at most so many times as large at the end as early on."""

_MODULE = "fullshot.crawler"
_INTERVAL = 0.25
_WINDOW = 0.1
"""What was seen over the last tenth of the pages before a number counts for that number."""


class Sample(NamedTuple):
    """How it stood at a moment: product pages asked for, MiB of the crawl's process and of all."""

    pages: int
    crawler: float
    tree: float


def watch(shop: ShopProcess, workspace: Path, folder: Path) -> list[Sample]:
    """Crawl the whole shop and look at its memory meanwhile.

    Raises:
        SystemExit: the crawl failed.
    """
    samples: list[Sample] = []
    command = _common.crawl_command(workspace, [shop.listing])
    with (folder / "stderr.txt").open("w+b") as errors, (folder / "stdout.txt").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        try:
            said = 0
            while process.poll() is None:
                pages = shop.progress()["products"]
                samples.append(Sample(pages, *_common.resident(process.pid, _MODULE)))
                if pages >= said + EARLY:
                    said = pages
                    _common.say(f"{pages} pages: {samples[-1].crawler:.0f} MiB, of all {samples[-1].tree:.0f} MiB")
                time.sleep(_INTERVAL)
        finally:
            process.kill()
            process.wait()
        errors.seek(0)
        told = errors.read().decode("utf-8", "replace")
    if process.returncode != 0:
        raise SystemExit(f"our crawl ended with code {process.returncode}:\n{told[-2000:]}")
    return samples


def size_at(samples: list[Sample], pages: int) -> float:
    """The size of the crawl's process when it came up to a number of pages, in MiB.

    Raises:
        SystemExit: it was not seen then.
    """
    sizes = [one.crawler for one in samples if pages * (1 - _WINDOW) <= one.pages <= pages and one.crawler]
    if not sizes:
        raise SystemExit(f"the crawl's process was not seen at {pages} pages: too small a shop?")
    return statistics.median(sizes)


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__, PLAN)
    parser.add_argument("--early", type=int, default=EARLY, help=f"pages of the first look; default: {EARLY}")
    given = parser.parse_args(arguments)
    plan = _common.plan_of(given)
    with _common.scratch(given.folder) as scratch, _common.serving(plan) as shop:
        started = time.monotonic()
        samples = watch(shop, scratch / "workspace", scratch)
        seconds = time.monotonic() - started
    late, early = size_at(samples, plan.products), size_at(samples, given.early)
    rows = [
        _common.at_most("crawl's process, MiB", late, early, MOST),
        Row("crawl's process, peak, MiB", max(one.crawler for one in samples)),
        Row("all processes, peak, MiB", max(one.tree for one in samples)),
        Row("seconds", seconds),
    ]
    title = f"Memory at {plan.products:,} pages"
    _common.show(title, rows, as_json=given.as_json, peer=f"at {given.early:,} pages")


if __name__ == "__main__":
    main()
