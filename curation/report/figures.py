"""What a report counts, as data: each figure of the page is made here, from the joined tables."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fullshot.core import tables
from fullshot.core.taxonomy import Gender, Wear
from fullshot.curation.report.charts import Bars, Scatter, Stacks, bars, scatter, stacks
from fullshot.curation.report.dataset import KINDS, NOT_FULL, UNKNOWN, Dataset

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
    there = set(dataset.pictures["kind"])
    return tuple(kind for kind in KINDS if kind in tables.SHOTS or kind in there)


def totals(dataset: Dataset) -> dict[str, int]:
    """The summary's numbers: pictures of each kind, products, what was rejected, duplicates, clusters."""
    pictures = dataset.pictures
    counts = pictures["kind"].value_counts()
    return {
        "pictures": len(pictures),
        "products": len(dataset.products),
        **{kind.replace(" ", "_"): int(counts.get(kind, 0)) for kind in kinds(dataset)},
        "rejected": int(pictures["rejected"].sum()),
        "duplicates": int(pictures["duplicate_of"].notna().sum()),
        "clusters": int(pictures["cluster"].nunique()),
        **{split: int((pictures["split"] == split).sum()) for split in tables.SPLITS},
    }


def shots(dataset: Dataset) -> Bars:
    """How many pictures are of each kind."""
    counts = dataset.pictures["kind"].value_counts()
    return bars(counts, "Pictures by shot", "Shot", order=KINDS)


def splits(dataset: Dataset) -> Bars:
    """How many pictures are in each split."""
    counts = dataset.pictures["split"].fillna("none").value_counts()
    return bars(counts, "Pictures by split", "Split", order=SPLITS)


def by_product(dataset: Dataset, column: str, caption: str, of: str, order: Sequence[str] = ()) -> Bars:
    """Pictures by what their products say; one that two kinds of products show counts for both.

    Args:
        dataset: the tables.
        column: of ``dataset.shown``.
        caption: what is shown.
        of: what the rows are.
        order: see :func:`charts.bars`.
    """
    return bars(_pairs(dataset, column)[column].value_counts(), caption, of, order=order)


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
    pairs = _pairs(dataset, "product_type")
    full_or_not = pairs["kind"].map(_FULL_OR_NOT).fillna(_UNDECIDED)
    table = _crossed(pairs["product_type"], full_or_not, ("full", NOT_FULL, _UNDECIDED))
    wear = _pairs(dataset, "product_type", "wear").drop_duplicates("product_type").set_index("product_type")["wear"]
    caption = "Full shots against the others, by product type"
    return stacks(
        table, caption, "Product type", also=("Wear", {str(name): str(word) for name, word in wear.items()}), whole=True
    )


def kinds_by_type(dataset: Dataset) -> Stacks:
    """All kinds of shots by product type."""
    pairs = _pairs(dataset, "product_type")
    table = _crossed(pairs["product_type"], pairs["kind"], kinds(dataset))
    return stacks(table, "Kinds of shots by product type", "Product type", whole=True)


def split_by_wear_and_gender(dataset: Dataset) -> Stacks:
    """How each wear and gender is spread over the splits."""
    pairs = dataset.shown.fillna({"wear": UNKNOWN, "gender": UNKNOWN, "split": "none"})
    pairs = pairs.drop_duplicates(["image_id", "wear", "gender"])
    order = {f"{wear} · {gender}": None for wear in _WEARS for gender in _GENDERS}
    names = tuple(name for name in SPLITS if name != "none" or (pairs["split"] == "none").any())
    table = _crossed(pairs["wear"] + " · " + pairs["gender"], pairs["split"], names)
    table = table.loc[[name for name in order if name in table.index]]
    return stacks(table, "Splits by wear and gender", "Wear · gender", whole=True, in_order=True)


def sizes(dataset: Dataset) -> Sizes:
    """Widths, heights, aspect ratios and shorter sides."""
    pictures = dataset.pictures
    width, height = pictures["width"].astype("float64"), pictures["height"].astype("float64")
    known = (width > 0) & (height > 0)
    width, height = width[known], height[known]
    named = width.astype(int).astype(str) + " × " + height.astype(int).astype(str)
    aspects = _binned(width / height, _ASPECTS, _aspect_names())
    sides = _binned(pd.concat([width, height], axis=1).min(axis=1), _SIDES, _side_names())
    return Sizes(
        scatter(width, height),
        _range(width),
        _range(height),
        bars(named.value_counts(), "Most common sizes", "Width × height, pixels"),
        bars(aspects, "Pictures by aspect ratio", "Width ÷ height", order=_aspect_names()),
        bars(sides, "Pictures by their shorter side", "Pixels", order=_side_names()),
    )


def colours(dataset: Dataset) -> Bars:
    """Products by colour."""
    named = dataset.products["colour"].fillna(UNKNOWN).value_counts()
    return bars(named, "Products by colour", "Colour", "products")


def reasons(dataset: Dataset) -> Stacks:
    """The verdicts' reasons, by the kind of shot that they led to."""
    known = dataset.pictures[dataset.pictures["shot_reason"].notna()]
    return stacks(_crossed(known["shot_reason"], known["kind"], kinds(dataset)), "Verdicts by reason", "Reason")


def scores(dataset: Dataset) -> Stacks:
    """A histogram of the scores, by kind."""
    known = dataset.pictures[dataset.pictures["shot_score"].notna() & (dataset.pictures["machine"] != UNKNOWN)]
    number = (known["shot_score"].astype("float64") * _SCORES).clip(0, _SCORES - 1).astype(int)
    names = [f"{low / _SCORES:.2f} to {(low + 1) / _SCORES:.2f}" for low in range(_SCORES)]
    table = _crossed(number.map(dict(enumerate(names))), known["kind"], kinds(dataset))
    table = table.reindex(names if len(known) else [], fill_value=0)
    return stacks(table, "Scores of the full-shot rule", "Score", in_order=True, by_root=True)


def issues(dataset: Dataset) -> Bars:
    """What is wrong with pictures; one with two issues counts for both."""
    named = dataset.pictures["issues"].dropna().str.split().explode().dropna()
    return bars(named.value_counts(), "Pictures by issue", "Issue")


def failures(dataset: Dataset) -> Bars:
    """What could not be fetched or read, by class."""
    named = dataset.failures["class"] + " (" + dataset.failures["kind"] + ")"
    return bars(named.value_counts(), "Failures by class", "Class", "failures")


def overrides(dataset: Dataset) -> Overrides:
    """How often people decided, and how often against the rule and the checks."""
    pictures = dataset.pictures
    named, known = pictures["person_shot"].notna(), pictures["machine"] != UNKNOWN
    other = named & known & (pictures["person_shot"] != pictures["machine"]).fillna(False).astype(bool)
    keep, good = pictures["keep"], pictures["issues"].isna()
    kept, rejected = keep.fillna(False).astype(bool) & ~good, ~keep.fillna(True).astype(bool) & good
    return Overrides(*(int(one.sum()) for one in (named, named & known, other, kept, rejected)))


def coverage(dataset: Dataset) -> Coverage:
    """The share of cells that are filled in each column of ``products``, in all and for the largest shops."""
    products = dataset.products
    shops = [str(name) for name in products["shop"].value_counts().index]
    shown = shops[:_MOST_SHOPS] if len(shops) > 1 else []
    filled = products[tables.columns("products")].notna()
    by_shop = filled.groupby(products["shop"]).mean() if len(products) else filled
    rows = []
    for column in tables.columns("products"):
        share = float(filled[column].mean()) if len(products) else None
        rows.append(Filled(column, share, tuple(float(by_shop[column][shop]) for shop in shown)))
    return Coverage(tuple(shown), len(shops) - len(shown) if shown else 0, tuple(rows))


def _pairs(dataset: Dataset, *columns: str) -> pd.DataFrame:
    """Each picture once for each value of a column that its products have."""
    filled = dataset.shown.fillna(dict.fromkeys(columns, UNKNOWN))
    return filled.drop_duplicates(["image_id", columns[0]])


def _crossed(rows: "pd.Series[str]", parts: "pd.Series[str]", order: Sequence[str]) -> pd.DataFrame:
    """Counts, a row a name and a column a part, all parts in their order."""
    if not len(rows):
        return pd.DataFrame(columns=list(order), dtype="int64")
    return pd.crosstab(rows.to_numpy(), parts.to_numpy()).reindex(columns=list(order), fill_value=0)


def _binned(values: "pd.Series[float]", edges: Sequence[float], names: Sequence[str]) -> "pd.Series[int]":
    return pd.Series(pd.cut(values, list(edges), right=False, labels=list(names))).value_counts()


def _aspect_names() -> tuple[str, ...]:
    return _names([f"{edge:g}" for edge in _ASPECTS[:-1]])


def _side_names() -> tuple[str, ...]:
    return _names([f"{edge:,.0f}" for edge in _SIDES[:-1]])


def _names(edges: Sequence[str]) -> tuple[str, ...]:
    """What bins are called, the last of which has no end."""
    between = [f"{low} to {high}" for low, high in itertools.pairwise(edges[1:])]
    return (f"below {edges[1]}", *between, f"{edges[-1]} and more")


def _range(values: "pd.Series[Any]") -> tuple[float, float, float] | None:
    if not len(values):
        return None
    return float(values.min()), float(values.median()), float(values.max())
