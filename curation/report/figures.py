"""What a report counts, as data: each figure of the page is made here, by queries of the joined tables."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core import tables
from fullshot.core.tables.cells import quoted
from fullshot.core.taxonomy import Gender, Wear
from fullshot.curation.report.charts import Bars, Scatter, Stacks, bars, scatter, stacks
from fullshot.curation.report.dataset import KINDS, NOT_FULL, UNKNOWN, Dataset
from fullshot.curation.report.samples import issue_counts

SPLITS = (*tables.SPLITS, "none")
_WEARS = (*(wear.value for wear in Wear), UNKNOWN)
_GENDERS = (*(gender.value for gender in Gender), UNKNOWN)
# Edges of the bins: a phone's photo is 3:4 or 9:16, a shop's 3:4, 2:3 or 1:1.
_ASPECTS = (0.0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.95, 1.05, 1.4, 2.0, 4.0, float("inf"))
_SIDES = (0, 48, 128, 256, 384, 512, 768, 1024, 2048, float("inf"))
_SCORES = 20
_MOST_SHOPS = 6
_FULL_OR_NOT = {"full": "full", "half": NOT_FULL, "item": NOT_FULL, NOT_FULL: NOT_FULL}
_UNDECIDED = "unclear or unread"


@dataclass(frozen=True)
class Filled:
    """How much of a column is filled: in all, and by shop; None where there is no row."""

    column: str
    share: float | None
    by_shop: tuple[float, ...]


@dataclass(frozen=True)
class Coverage:
    """Field coverage: the shops that have columns of their own, and the rows."""

    shops: tuple[str, ...]
    left_out: int
    rows: tuple[Filled, ...]


@dataclass(frozen=True)
class Overrides:
    """What people decided, in ``verdicts.csv``.

    Args:
        shots: how many rows name a shot.
        known: of how many of these the rule's own verdict is known.
        overridden: how many of these name another shot than the rule.
        kept: how many keep a picture that has an issue.
        rejected: how many reject a picture that has none.
    """

    shots: int
    known: int
    overridden: int
    kept: int
    rejected: int


@dataclass(frozen=True)
class Sizes:
    """Widths and heights of the pictures, in pixels; the range is (least, median, most), None without pictures."""

    scatter: Scatter | None
    width: tuple[float, float, float] | None
    height: tuple[float, float, float] | None
    common: Bars
    aspects: Bars
    sides: Bars


def kinds(dataset: Dataset) -> tuple[str, ...]:
    """The four shot kinds, and those of the others that there are."""
    return tuple(kind for kind in KINDS if kind in tables.SHOTS or kind in dataset.by_kind)


def totals(dataset: Dataset) -> dict[str, int]:
    """The summary's numbers: pictures of each kind, products, what was rejected, duplicates, clusters."""
    sums = ", ".join(f"count(*) FILTER (split = '{split}') AS {split}" for split in tables.SPLITS)
    [row] = dataset.tables.arrow(
        "SELECT count(*) FILTER (rejected) AS rejected, count(*) FILTER (is_copy) AS duplicates, "
        f"(SELECT count(*) FROM (SELECT DISTINCT cluster FROM reported WHERE cluster IS NOT NULL)) AS clusters, {sums} "
        "FROM reported"
    ).to_pylist()
    return {
        "pictures": sum(dataset.by_kind.values()),
        "products": dataset.products,
        **{kind.replace(" ", "_"): dataset.by_kind.get(kind, 0) for kind in kinds(dataset)},
        **row,
    }


def shots(dataset: Dataset) -> Bars:
    """How many pictures are of each kind."""
    return bars(dataset.by_kind, "Pictures by shot", "Shot", order=KINDS)


def splits(dataset: Dataset) -> Bars:
    """How many pictures are in each split."""
    query = "SELECT coalesce(split, 'none'), count(*) FROM reported GROUP BY ALL"
    return bars(_counts(dataset, query), "Pictures by split", "Split", order=SPLITS)


def by_product(dataset: Dataset, column: str, caption: str, of: str, order: Sequence[str] = ()) -> Bars:
    """Pictures by what their products say; one that two kinds of products show counts for both.

    Args:
        dataset: the tables.
        column: of ``shown``.
        caption: what is shown.
        of: what the rows are.
        order: see :func:`charts.bars`.
    """
    found = _counts(dataset, f"SELECT name, count(*) FROM ({_pairs(column)}) GROUP BY name", unknown=UNKNOWN)
    return bars(found, caption, of, order=order)


def counts(dataset: Dataset) -> tuple[Bars, ...]:
    """The section of counts."""
    return (
        by_product(dataset, "product_type", "Pictures by product type", "Product type"),
        by_product(dataset, "wear", "Pictures by wear", "Wear", _WEARS),
        by_product(dataset, "gender", "Pictures by gender", "Gender", _GENDERS),
        shots(dataset),
        splits(dataset),
        by_product(dataset, "shop", "Pictures by shop", "Shop"),
    )


def full_by_type(dataset: Dataset) -> Stacks:
    """Full shots against the others, by product type: the tables of the case study."""
    rows = [(name, _FULL_OR_NOT.get(kind, _UNDECIDED), count) for name, kind, count in _kinds_by_type(dataset)]
    wear = dataset.tables.rows(
        "SELECT coalesce(product_type, $unknown) AS name, arg_min(coalesce(wear, $unknown), place) "
        "FROM shown GROUP BY name",
        unknown=UNKNOWN,
    )
    caption = "Full shots against the others, by product type"
    parts = ("full", NOT_FULL, _UNDECIDED)
    return stacks(_crossed(rows, parts), caption, "Product type", also=("Wear", dict(wear)), whole=True)


def kinds_by_type(dataset: Dataset) -> Stacks:
    """All kinds of shots by product type."""
    table = _crossed(_kinds_by_type(dataset), kinds(dataset))
    return stacks(table, "Kinds of shots by product type", "Product type", whole=True)


def split_by_wear_and_gender(dataset: Dataset) -> Stacks:
    """How each wear and gender is spread over the splits."""
    rows = dataset.tables.rows(
        "SELECT wear || ' · ' || gender, split, count(*) FROM ("
        "SELECT DISTINCT number, coalesce(wear, $unknown) AS wear, coalesce(gender, $unknown) AS gender, "
        "coalesce(split, 'none') AS split FROM shown) GROUP BY ALL",
        unknown=UNKNOWN,
    )
    there = {split for _, split, _ in rows}
    table = _crossed(rows, [name for name in SPLITS if name != "none" or name in there])
    order = [f"{wear} · {gender}" for wear in _WEARS for gender in _GENDERS]
    table = table.loc[[name for name in order if name in table.index]]
    return stacks(table, "Splits by wear and gender", "Wear · gender", whole=True, in_order=True)


def sizes(dataset: Dataset) -> Sizes:
    """Widths, heights, aspect ratios and shorter sides."""
    known = "FROM reported WHERE width > 0 AND height > 0"
    sides = dataset.tables.arrow(f"SELECT width::DOUBLE AS width, height::DOUBLE AS height {known}")
    width, height = (sides.column(name).to_numpy() for name in ("width", "height"))
    named = _counts(dataset, f"SELECT width || ' × ' || height, count(*) {known} GROUP BY width, height")
    return Sizes(
        scatter(width, height),
        _range(width),
        _range(height),
        bars(named, "Most common sizes", "Width × height, pixels"),
        bars(
            _binned(width / height, _ASPECTS, _aspect_names()),
            "Pictures by aspect ratio",
            "Width ÷ height",
            order=_aspect_names(),
        ),
        bars(
            _binned(np.minimum(width, height), _SIDES, _side_names()),
            "Pictures by their shorter side",
            "Pixels",
            order=_side_names(),
        ),
    )


def colours(dataset: Dataset) -> Bars:
    """Products by colour."""
    query = "SELECT coalesce(colour, $unknown) AS name, count(*) FROM products GROUP BY ALL"
    return bars(_counts(dataset, query, unknown=UNKNOWN), "Products by colour", "Colour", "products")


def reasons(dataset: Dataset) -> Stacks:
    """The verdicts' reasons, by the kind of shot that they led to."""
    query = "SELECT shot_reason, kind, count(*) FROM reported WHERE shot_reason IS NOT NULL GROUP BY ALL"
    return stacks(_crossed(dataset.tables.rows(query), kinds(dataset)), "Verdicts by reason", "Reason")


def scores(dataset: Dataset) -> Stacks:
    """A histogram of the scores, by kind."""
    rows = dataset.tables.rows(
        f"SELECT least(trunc(shot_score * {_SCORES}), {_SCORES - 1})::INTEGER AS bin, kind, count(*) "
        "FROM reported WHERE shot_score IS NOT NULL AND machine <> $unknown GROUP BY ALL",
        unknown=UNKNOWN,
    )
    names = [f"{low / _SCORES:.2f} to {(low + 1) / _SCORES:.2f}" for low in range(_SCORES)]
    table = _crossed([(names[bin_], kind, count) for bin_, kind, count in rows], kinds(dataset))
    table = table.reindex(names if rows else [], fill_value=0)
    return stacks(table, "Scores of the full-shot rule", "Score", in_order=True, by_root=True)


def issues(dataset: Dataset) -> Bars:
    """What is wrong with pictures; one with two issues counts for both."""
    return bars(issue_counts(dataset), "Pictures by issue", "Issue")


def failures(dataset: Dataset) -> Bars:
    """What could not be fetched or read, by class."""
    query = """SELECT "class" || ' (' || kind || ')' AS name, count(*) FROM failures GROUP BY ALL"""
    return bars(_counts(dataset, query), "Failures by class", "Class", "failures")


def overrides(dataset: Dataset) -> Overrides:
    """How often people decided, and how often against the rule and the checks."""
    conditions = (
        "person_shot IS NOT NULL",
        "person_shot IS NOT NULL AND machine <> $unknown",
        "person_shot <> machine AND machine <> $unknown",
        "keep AND issues IS NOT NULL",
        "NOT keep AND issues IS NULL",
    )
    sums = ", ".join(f"count(*) FILTER ({condition})" for condition in conditions)
    [row] = dataset.tables.rows(f"SELECT {sums} FROM reported", unknown=UNKNOWN)
    return Overrides(*row)


def coverage(dataset: Dataset) -> Coverage:
    """The share of cells that are filled in each column of ``products``, in all and for the largest shops."""
    columns = tables.columns("products")
    filled = ", ".join(f"count({quoted(column)})" for column in columns)
    by_shop = dataset.tables.rows(
        f"SELECT shop, count(*), {filled} "
        "FROM (SELECT *, row_number() OVER () AS place FROM described) GROUP BY shop ORDER BY count(*) DESC, min(place)"
    )
    several = by_shop[:_MOST_SHOPS] if len(by_shop) > 1 else []
    rows = []
    for number, column in enumerate(columns, 2):
        count = sum(row[number] for row in by_shop)
        share = count / dataset.products if dataset.products else None
        rows.append(Filled(column, share, tuple(row[number] / row[1] for row in several)))
    return Coverage(tuple(row[0] for row in several), len(by_shop) - len(several) if several else 0, tuple(rows))


def _counts(dataset: Dataset, query: str, **parameters: str) -> dict[str, int]:
    """What a query of names and numbers gives."""
    return dict(dataset.tables.rows(query, **parameters))


def _pairs(column: str) -> str:
    """A query: each picture once for each value of a column that its products have."""
    return f"SELECT DISTINCT number, kind, coalesce({column}, $unknown) AS name FROM shown"


def _kinds_by_type(dataset: Dataset) -> list[tuple[str, str, int]]:
    query = f"SELECT name, kind, count(*) FROM ({_pairs('product_type')}) GROUP BY ALL"
    return dataset.tables.rows(query, unknown=UNKNOWN)


def _crossed(rows: Iterable[tuple[str, str, int]], order: Sequence[str]) -> pd.DataFrame:
    """Counts of (name, part), a row a name and a column a part, all parts in their order."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, part, count in rows:
        counts[name][part] += count
    names = sorted(counts)
    cells = np.array([[counts[name][part] for part in order] for name in names], np.int64)
    return pd.DataFrame(cells.reshape(len(names), len(order)), names, list(order))


def _binned(values: NDArray[np.float64], edges: Sequence[float], names: Sequence[str]) -> dict[str, int]:
    """How many values are in each bin, of which the upper edge is the next one's."""
    found = np.bincount(np.searchsorted(edges, values, side="right") - 1, minlength=len(names))
    return {name: int(count) for name, count in zip(names, found, strict=True)}


def _aspect_names() -> tuple[str, ...]:
    return _names([f"{edge:g}" for edge in _ASPECTS[:-1]])


def _side_names() -> tuple[str, ...]:
    return _names([f"{edge:,.0f}" for edge in _SIDES[:-1]])


def _names(edges: Sequence[str]) -> tuple[str, ...]:
    """What bins are called, the last of which has no end."""
    between = [f"{low} to {high}" for low, high in itertools.pairwise(edges[1:])]
    return (f"below {edges[1]}", *between, f"{edges[-1]} and more")


def _range(values: NDArray[np.float64]) -> tuple[float, float, float] | None:
    if not len(values):
        return None
    return float(values.min()), float(np.median(values)), float(values.max())
