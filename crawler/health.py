"""Whether a crawl is what is expected of one: declared, as shares, and judged when it ends."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fullshot.core.dataset import Dataset
from fullshot.core.settings import CrawlSettings
from fullshot.core.tables.cells import quoted
from fullshot.crawler.frontier import RequestState
from fullshot.crawler.state import CrawlState

LEAST = 20
"""A share of fewer cases than these says nothing, and is not looked at."""


@dataclass(frozen=True)
class Expectation:
    """A share that must not be above a setting.

    Attributes:
        figure: its name, and what it is a share of.
        at_most: the setting of section ``crawl``.
    """

    figure: str
    at_most: str


EXPECTATIONS = (
    Expectation("failed pages and pictures", at_most="max_failures"),
    Expectation("blocked requests", at_most="max_blocked"),
    Expectation("products of unknown type", at_most="max_unknown_types"),
)

COVERED = (
    "name", "brand", "gender", "product_type", "colour", "price", "mrp", "rating", "sizes", "in_stock", "pictures",
)  # fmt: skip
"""Columns of ``products`` whose filling is compared with the last good crawl of the same shop."""


@dataclass(frozen=True)
class Verdict:
    """An expectation beside the value."""

    figure: str
    expected: str
    value: float
    good: bool

    def __str__(self) -> str:
        return f"{self.figure}: expected {self.expected}, got {self.value:.1%}"

    def as_json(self) -> dict[str, Any]:
        """As the run's record and ``--json`` have it."""
        return {**asdict(self), "value": round(self.value, 4)}


def coverage(data: Dataset) -> tuple[dict[str, float], int]:
    """How often each column is filled, as a share of the products, and how many those are.

    Args:
        data: the tables as :func:`fullshot.crawler.merge.merge` left them, and ``crawled``: the products of a crawl.
    """
    filled = {column: f"{quoted(column)} IS NOT NULL" for column in COVERED}
    filled["gender"] = "coalesce(gender, 'unknown') <> 'unknown'"
    filled["pictures"] = "product_id IN (SELECT product_id FROM images)"
    shares = ", ".join(f"avg(({condition})::INT)" for condition in filled.values())
    ((count, *found),) = data.rows(f"SELECT count(*), {shares} FROM crawled")
    return ({column: round(share, 4) for column, share in zip(filled, found, strict=True)} if count else {}), count


def figures(state: CrawlState, data: Dataset) -> dict[str, tuple[int, int]]:
    """Each expectation's figure, as cases and how many there are in all; ``data`` as for :func:`coverage`."""
    # What robots.txt forbids is no failure of the crawl's.
    forbidden = sum(count for (count,) in state.rows("SELECT count(*) FROM failures WHERE class = 'robots'"))
    failed, done = max(0, state.requests(RequestState.FAILED) - forbidden), state.requests(RequestState.DONE)
    hosts = state.hosts().values()
    query = "SELECT count(*) FILTER (WHERE wear IS NULL), count(*) FROM crawled WHERE product_type IS NOT NULL"
    ((unknown, typed),) = data.rows(query)
    return {
        "failed pages and pictures": (failed, failed + done),
        "blocked requests": (sum(host["blocked"] for host in hosts), sum(host["requests"] for host in hosts)),
        "products of unknown type": (unknown, typed),
    }


def evaluate(
    found: Mapping[str, tuple[int, int]],
    covered: Mapping[str, float],
    products: int,
    settings: CrawlSettings,
    last_good: Mapping[str, float],
) -> list[Verdict]:
    """Hold a crawl against what is expected.

    Args:
        found: see :func:`figures`.
        covered: see :func:`coverage`.
        products: how many products ``covered`` is of.
        settings: hold the bounds.
        last_good: ``covered`` of the last good crawl of this shop; empty: there is none.

    Returns:
        A verdict for each expectation that there is enough to go by.
    """
    verdicts = []
    for expectation in EXPECTATIONS:
        cases, total = found[expectation.figure]
        bound = float(getattr(settings, expectation.at_most))
        if total >= LEAST:
            share = cases / total
            verdicts.append(Verdict(expectation.figure, f"at most {bound:.0%}", share, share <= bound))
    if products >= LEAST:
        for column, before in last_good.items():
            least = before - settings.max_coverage_drop
            share = covered.get(column, 0.0)
            if least > 0:
                verdicts.append(Verdict(f"products with {column}", f"at least {least:.0%}", share, share >= least))
    return verdicts


def last_good_coverage(runs: Path, shop: list[str]) -> dict[str, float]:
    """The coverage of the last crawl of a shop that was all that was expected of it; empty where there is none.

    Args:
        runs: the folder of the runs' records.
        shop: the hosts it was asked of.
    """
    for path in sorted(runs.glob("crawl-*.json"), reverse=True):
        try:
            stats = json.loads(path.read_text("utf-8"))["stats"]
            if stats["hosts"] == shop and stats["healthy"] and stats["products_fetched"] >= LEAST:
                return {str(column): float(share) for column, share in stats["coverage"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # the record of an older version, or one that was edited
    return {}
