"""Which pictures a report shows: grids of samples, drawn by a lot that is always the same."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fullshot.core.taxonomy import Wear
from fullshot.curation.overrides import BY_A_PERSON
from fullshot.curation.quality.checks import quality_checks
from fullshot.curation.report.dataset import UNKNOWN, UNREADABLE, Dataset
from fullshot.curation.report.truth import Confusion

MOST = 24
"""Pictures in a grid."""
MOST_ISSUES = 12
"""Grids of issues: an issue that is further down the list is only counted."""

# An address that a browser opens as a page. A shop's data may hold any text in its place, `javascript:` among it.
_PAGE = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_DIGITS = 16  # of an image_id, for a lot: 64 bits


@dataclass(frozen=True)
class Sample:
    """A picture with what is written below it.

    Args:
        path: of the picture, relative to the workspace.
        name: the product's, or what stands for it.
        link: the product's page; empty where there is none that may be opened.
        score: of the full-shot rule; None where it was not asked.
        notes: what else there is to say, a line each.
        image_id: of the picture.
    """

    path: str
    name: str
    link: str
    score: float | None
    notes: tuple[str, ...]
    image_id: str


@dataclass(frozen=True)
class Grid:
    """Samples of one kind: ``count`` pictures are of it, of which ``samples`` are shown."""

    anchor: str
    title: str
    count: int
    samples: tuple[Sample, ...]
    note: str = ""


def page_link(address: object) -> str:
    """An address, if it is of a page on the web; else nothing.

    Example:
        >>> page_link("https://shop.example/1"), page_link("javascript:alert(1)")
        ('https://shop.example/1', '')
    """
    return address if isinstance(address, str) and _PAGE.fullmatch(address) else ""


def by_shot(dataset: Dataset, kinds: Iterable[str]) -> list[Grid]:
    """A grid for each kind of shot, without duplicates and rejected pictures."""
    kept = dataset.pictures[~dataset.pictures["left_out"]]
    grids = []
    for kind in kinds:
        if kind == UNREADABLE:
            continue  # there is nothing to show; the section of rejected pictures counts them
        pictures = kept[kept["kind"] == kind]
        grids.append(_grid("shot", kind, kind.capitalize(), pictures, 0))
    return grids


def by_wear(dataset: Dataset) -> list[Grid]:
    """A grid for each wear that there is, likewise."""
    kept = dataset.pictures[~dataset.pictures["left_out"]]
    worn = dataset.shown[["image_id", "wear", "product_type"]].drop_duplicates(["image_id", "wear"])
    kept = kept.merge(worn, on="image_id")
    grids = [_grid("wear", wear.value, wear.value.capitalize(), kept[kept["wear"] == wear.value], 1) for wear in Wear]
    return [grid for grid in grids if grid.count]


def by_issue(dataset: Dataset) -> list[Grid]:
    """A grid for each issue, the commonest first, and one for what people rejected."""
    pictures = dataset.pictures
    words = {check.name: check.words for check in quality_checks()}
    issues = pictures["issues"].str.split().explode().dropna()
    grids = []
    for issue in issues.value_counts().sort_index().sort_values(ascending=False, kind="stable").index[:MOST_ISSUES]:
        with_issue = pictures.loc[issues.index[issues == issue].unique()]
        title = f"{issue}: {words[issue]}" if issue in words else str(issue)
        grids.append(_grid("issue", str(issue), title, with_issue, 2))
    rejected = pictures[pictures["rejected"] & pictures["keep"].notna()]
    if len(rejected):
        grids.append(_grid("issue", "person", "rejected by a person", rejected, 2))
    return grids


def overridden(dataset: Dataset) -> Grid | None:
    """Pictures on which a person decided otherwise than the rule; None where there is none."""
    pictures = dataset.pictures
    known = pictures["person_shot"].notna() & (pictures["machine"] != UNKNOWN)
    other = pictures[known & (pictures["person_shot"] != pictures["machine"])]
    return _grid("verdict", "overridden", "Where people overrode the rule", other, 3) if len(other) else None


def mistakes(number: int, confusion: Confusion) -> list[Grid]:
    """What the rule got wrong, one way and the other; the surest mistakes first."""
    grids = []
    ways = (
        ("called-full", "Called full, but is not", confusion.wrongly_full, False),
        ("missed", "Full, but not called so", confusion.missed, True),
    )
    for name, title, pictures, ascending in ways:
        ordered = pictures.sort_values(["shot_score", "image_id"], ascending=[ascending, True], kind="stable")
        samples = tuple(_samples(ordered.head(MOST), "against"))
        grids.append(Grid(f"truth-{number}-{name}", title, len(pictures), samples))
    return grids


def one_sample(row: Mapping[Any, Any], *notes: str) -> Sample:
    """A row of ``dataset.pictures`` as a sample, with these notes below it."""
    identity, path = str(row["image_id"]), str(row["path"])
    named = row["name"] if isinstance(row["name"], str) else row["product"]
    score = row["shot_score"] if _words(row["shot_reason"]) != BY_A_PERSON else None
    known = None if pd.isna(score) else float(score)
    return Sample(path, str(named), page_link(row["link"]), known, tuple(note for note in notes if note), identity)


def _grid(kind: str, name: str, title: str, pictures: pd.DataFrame, lot: int) -> Grid:
    anchor = f"{kind}-" + re.sub(r"[^a-z0-9]+", "-", name.lower())
    return Grid(anchor, title, len(pictures), tuple(_samples(_drawn(pictures, lot), kind)))


def _drawn(pictures: pd.DataFrame, lot: int) -> pd.DataFrame:
    """As many as a grid holds, by a lot that a picture's digest draws: the same again, few others when rows come.

    Each ``lot`` is another stretch of the digest, so that two grids do not show the same pictures.
    """
    drawn = pictures["image_id"].str[lot * _DIGITS : (lot + 1) * _DIGITS]
    return pictures.loc[drawn.sort_values(kind="stable").index[:MOST]]


def _samples(pictures: pd.DataFrame, kind: str) -> Iterator[Sample]:
    for row in pictures.to_dict("records"):
        reason = _words(row["shot_reason"])
        rules = "" if reason == BY_A_PERSON else f": {reason}" if reason else ""
        called = f"called {row['machine']}"
        note = _words(row["note"])
        lines = {
            "shot": (reason,),
            "wear": (_words(row.get("product_type")), f"{row['kind']}: {reason}" if reason else str(row["kind"])),
            "issue": (_words(row["issues"]), f"{row['width']} × {row['height']}", note),
            "verdict": (f"a person: {_words(row['person_shot'])}; {called}{rules}", note),
            "against": (f"{called}{rules}", note),
        }
        yield one_sample(row, *lines[kind])


def _words(cell: object) -> str:
    return cell if isinstance(cell, str) else ""
