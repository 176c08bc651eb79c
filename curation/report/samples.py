"""Which pictures a report shows: grids of samples, drawn by a lot that is always the same."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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
    """A picture with what is written below it; what it is called and where it lies are its :class:`Label`.

    Args:
        image_id: of the picture.
        score: of the full-shot rule; None where it was not asked.
        notes: what else there is to say, a line each.
    """

    image_id: str
    score: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Label:
    """What the first product that shows a picture says of it.

    Args:
        path: of the picture, relative to the workspace.
        name: the product's, or what stands for it.
        link: the product's page; empty where there is none that may be opened.
    """

    path: str
    name: str
    link: str


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


def labels(dataset: Dataset, samples: Iterable[Sample]) -> dict[str, Label]:
    """The labels of samples by their image_id: of all of them at once, since the tables are long."""
    data = dataset.tables
    data.create_rows("sampled", {"image_id": "VARCHAR"}, [(name,) for name in {one.image_id for one in samples}])
    data.create("sampled_images", "SELECT image_id, product_id, path FROM images SEMI JOIN sampled USING (image_id)")
    first = data.rows("SELECT image_id, min(product_id), arg_min(path, product_id) FROM sampled_images GROUP BY ALL")
    products = "SELECT product_id, name, url FROM products SEMI JOIN sampled_images USING (product_id)"
    known = {product: (name, url) for product, name, url in data.rows(products)}
    found = {}
    for image_id, product, path in first:
        name, url = known.get(product, (None, None))
        found[image_id] = Label(path, name or product, page_link(url))
    return found


def by_shot(dataset: Dataset, kinds: Iterable[str]) -> list[Grid]:
    """A grid for each kind of shot, without duplicates and rejected pictures."""
    # There is nothing to show of what cannot be read; the section of rejected pictures counts it.
    shown = [kind for kind in kinds if kind != UNREADABLE]
    return [
        _grid(
            dataset,
            "shot",
            kind,
            kind.capitalize(),
            "FROM reported WHERE NOT left_out AND kind = $value",
            0,
            value=kind,
        )
        for kind in shown
    ]


def by_wear(dataset: Dataset) -> list[Grid]:
    """A grid for each wear that there is, likewise."""
    first = "arg_min_null(product_type, place) AS product_type"
    worn = f"SELECT number, {first} FROM shown WHERE wear = $value GROUP BY number"
    wears = [wear.value for wear in Wear]
    query = f"FROM reported JOIN ({worn}) USING (number) WHERE NOT left_out"
    grids = [_grid(dataset, "wear", wear, wear.capitalize(), query, 1, value=wear) for wear in wears]
    return [grid for grid in grids if grid.count]


def by_issue(dataset: Dataset) -> list[Grid]:
    """A grid for each issue, the commonest first, and one for what people rejected."""
    words = {check.name: check.words for check in quality_checks()}
    grids = []
    for issue, _ in sorted(issue_counts(dataset).items(), key=lambda row: (-row[1], row[0]))[:MOST_ISSUES]:
        title = f"{issue}: {words[issue]}" if issue in words else issue
        query = "FROM reported WHERE list_contains(string_split_regex(issues, '\\s+'), $value)"
        grids.append(_grid(dataset, "issue", issue, title, query, 2, value=issue))
    query = "FROM reported WHERE rejected AND keep IS NOT NULL"
    by_a_person = _grid(dataset, "issue", "person", "rejected by a person", query, 2)
    return [*grids, by_a_person] if by_a_person.count else grids


def issue_counts(dataset: Dataset) -> dict[str, int]:
    """How many pictures have each issue; one with two issues counts for both."""
    counts: Counter[str] = Counter()
    query = "SELECT issues, count(*) FROM reported WHERE issues IS NOT NULL GROUP BY issues"
    for named, count in dataset.tables.stream(query):
        for issue in named.split():
            counts[issue] += count
    return counts


def overridden(dataset: Dataset) -> Grid | None:
    """Pictures on which a person decided otherwise than the rule; None where there is none."""
    query = "FROM reported WHERE person_shot <> machine AND machine <> $unknown"
    title = "Where people overrode the rule"
    grid = _grid(dataset, "verdict", "overridden", title, query, 3, unknown=UNKNOWN)
    return grid if grid.count else None


def mistakes(dataset: Dataset, number: int, confusion: Confusion) -> list[Grid]:
    """What the rule got wrong, one way and the other; the surest mistakes first."""
    ways = (
        ("called-full", "Called full, but is not", confusion.wrongly_full, "= 'full' AND NOT truly_full", "DESC"),
        ("missed", "Full, but not called so", confusion.missed, "<> 'full' AND truly_full", "ASC"),
    )
    grids = []
    for name, title, count, condition, order in ways:
        query = (
            f"SELECT * FROM {confusion.labelled} WHERE machine <> $unknown AND machine {condition} "
            f"ORDER BY shot_score {order} NULLS LAST, image_id LIMIT {MOST}"
        )
        rows = dataset.tables.arrow(query, unknown=UNKNOWN).to_pylist()
        grids.append(Grid(f"truth-{number}-{name}", title, count, tuple(_samples(rows, "against"))))
    return grids


def one_sample(row: Mapping[str, Any], *notes: str) -> Sample:
    """A row of ``reported`` as a sample, with these notes below it."""
    score = None if row["shot_reason"] == BY_A_PERSON else row["shot_score"]
    return Sample(row["image_id"], score, tuple(note for note in notes if note))


def _grid(dataset: Dataset, kind: str, name: str, title: str, pictures: str, lot: int, **parameters: str) -> Grid:
    """As many pictures as a grid holds, by a lot that a digest draws: the same again, few others when rows come.

    Each ``lot`` is another stretch of the digest, so that two grids do not show the same pictures.
    """
    count = dataset.number(f"SELECT count(*) {pictures}", **parameters)
    drawn = f"SELECT * {pictures} ORDER BY image_id[{lot * _DIGITS + 1}:{(lot + 1) * _DIGITS}], image_id LIMIT {MOST}"
    rows = dataset.tables.arrow(drawn, **parameters).to_pylist() if count else []
    anchor = f"{kind}-" + re.sub(r"[^a-z0-9]+", "-", name.lower())
    return Grid(anchor, title, count, tuple(_samples(rows, kind)))


def _samples(rows: Iterable[Mapping[str, Any]], kind: str) -> Iterator[Sample]:
    for row in rows:
        reason = row["shot_reason"] or ""
        rules = "" if reason == BY_A_PERSON else f": {reason}" if reason else ""
        called = f"called {row['machine']}"
        note = row["note"] or ""
        lines = {
            "shot": (reason,),
            "wear": (row.get("product_type") or "", f"{row['kind']}: {reason}" if reason else row["kind"]),
            "issue": (row["issues"] or "", f"{row['width']} × {row['height']}", note),
            "verdict": (f"a person: {row['person_shot']}; {called}{rules}", note),
            "against": (f"{called}{rules}", note),
        }
        yield one_sample(row, *lines[kind])
