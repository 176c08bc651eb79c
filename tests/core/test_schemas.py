"""What each column of each table may hold: other programs read and write these files, so this is a contract."""

from collections.abc import Sequence
from typing import Any

import pytest

from fullshot.core import tables
from fullshot.core.errors import BadTable

SHA, OTHER_SHA = "ab" * 32, "cd" * 32
SHOTS, SPLITS = ("full", "half", "item", "unclear"), ("train", "val", "test")
WEARS = ("top", "bottom", "foot", "long", "other")
CORNERS = {"x_min": 1, "y_min": 2, "x_max": 3, "y_max": 4}
LABELLED = [f"{gender}_{wear}" for gender in ("men", "women") for wear in ("top", "bottom", "foot")]

MUST_BE_FILLED = {
    "products": "product_id gender",
    "images": "image_id product_id path width height bytes",
    "failures": "url kind class",
    "ledger": "host",
    "curated": "image_id split",
    "verdicts": "image_id",
    "annotations": "image_id revision verdict boxes",
    "boxes": "image_id label x_min y_min x_max y_max source",
    "dataset1": "image_path",
    "dataset2": "image_path label",
    "queue": "image_id image_path",
    "priorities": "image_id priority",
    "splits": "image_id split",
    "labels": "label product_id",
    **dict.fromkeys(LABELLED, "image_path label"),
}
"""Every table, and its columns in which no cell is empty."""

ONCE = {
    "products": "product_id",
    "ledger": "host",
    "labels": "product_id",
    **dict.fromkeys(("curated", "verdicts", "queue", "priorities", "splits"), "image_id"),
}
"""Columns in which no value stands twice."""

ONCE_TOGETHER = {"images": ("image_id", "product_id"), "annotations": ("image_id", "revision")}

AT_LEAST_0 = {
    "products": "price mrp rating",
    "ledger": "crawl_delay delay paused",
    "curated": "shot_score",
    "annotations": "seconds mean_iou",
    "boxes": "score",
    "queue": "shot_score",
    "priorities": "priority uncertainty diversity rarity",
}
ANY_NUMBER = {"boxes": "x_min y_min x_max y_max"}
COUNTS = {
    "products": "rating_count",
    "images": "position width height bytes",
    "ledger": "requests bytes retries status_429 status_503 blocked failures",
    "annotations": "revision boxes task annotation added deleted relabelled",
    "boxes": "revision",
    **dict.fromkeys(("dataset2", "labels", *LABELLED), "label"),
}
TIMES = {
    "products": "fetched_at first_seen last_seen gone_at",
    "images": "fetched_at",
    "failures": "failed_at",
    "ledger": "first_request_at last_request_at",
    "verdicts": "judged_at",
    "annotations": "updated_at",
    "boxes": "updated_at",
}
CURRENCIES = {"products": "currency"}
BOOLEANS = {"products": "in_stock", "curated": "full_shot keep", "verdicts": "keep", "dataset1": "full_shot"}
DIGESTS = {
    **dict.fromkeys(("images", "verdicts", "annotations", "boxes", "queue", "priorities", "splits"), "image_id"),
    "curated": "image_id duplicate_of",
}
WORDS: dict[tuple[str, str], Sequence[str]] = {
    ("products", "gender"): ("men", "women", "boys", "girls", "unisex", "unknown"),
    **dict.fromkeys((("products", "wear"), ("dataset1", "wear")), WEARS),
    **dict.fromkeys((("curated", "shot"), ("curated", "machine_shot")), SHOTS),
    **dict.fromkeys((("verdicts", "shot"), ("annotations", "shot")), SHOTS),
    **dict.fromkeys((("curated", "split"), ("splits", "split")), SPLITS),
    ("annotations", "verdict"): ("boxes", "not_full_shot", "skipped"),
    ("boxes", "label"): ("top", "bottom", "foot", "long"),
    ("boxes", "source"): ("human", "model", "shop", "import"),
}


def row(table: str) -> dict[str, Any]:
    """A row in which every cell is filled."""
    return {column: CORNERS.get(column, good(table, column)[0]) for column in tables.columns(table)}


def good(table: str, column: str) -> Sequence[Any]:
    """Values that a column takes."""
    if (table, column) in WORDS:
        return WORDS[table, column]
    kinds = [
        (DIGESTS, (SHA, "0123456789abcdef" * 4)),
        (BOOLEANS, ("true", "false", True, False)),
        (COUNTS, (0, 1, "12", 2**53)),
        (AT_LEAST_0, (0, 0.5, "12.25")),
        (ANY_NUMBER, (2.5,)),
        (TIMES, ("2026-11-02T09:30:00Z", "2026-11-02 09:30:00.123456+05:30", "2026-11-02", "2020")),
        (CURRENCIES, ("INR", "EUR")),
    ]
    return next((values for where, values in kinds if column in where.get(table, "").split()), ("a text", "-1", "Ω"))


def bad(table: str, column: str) -> Sequence[tuple[Any, str]]:
    """Values that a column does not take, and what is expected instead."""
    if (table, column) in WORDS:
        words = WORDS[table, column]
        return [(value, f"one of {', '.join(words)}, got") for value in ("none of them", words[0].upper())]
    if column in DIGESTS.get(table, "").split():
        digests = (SHA[:-1], SHA + "a", SHA.upper(), f"x{SHA}")
        return [(value, "a sha256 in 64 hexadecimal digits, got") for value in digests]
    if column in BOOLEANS.get(table, "").split():
        return [("yes", "true or false, got 'yes'"), (1, "true or false, got 1")]
    if column in COUNTS.get(table, "").split():
        return [
            (-1, "a whole number of at least 0, got -1"),
            (0.5, "a whole number, got 0.5"),
            ("x", "a whole number, got 'x'"),
        ]
    if column in AT_LEAST_0.get(table, "").split():
        return [(-0.5, "a number of at least 0, got -0.5"), ("x", "a number, got 'x'")]
    if column in TIMES.get(table, "").split():
        times = ("yesterday", "02/11/2026", "2026-13-01", "2026-11-32", "2026-11-02T9:30", "1762075800")
        return [(value, "a time as ISO 8601 writes it, such as 2026-11-02T09:30:00Z, got") for value in times]
    if column in CURRENCIES.get(table, "").split():
        return [(value, "three capital letters as ISO 4217 has them, such as EUR, got") for value in ("Rs.", "eur")]
    return [("x", "a number, got 'x'")] if column in ANY_NUMBER.get(table, "").split() else []


def refusal(table: str, *rows: dict[str, Any]) -> str:
    with pytest.raises(BadTable) as caught:
        tables.frame(table, rows)
    return str(caught.value)


def test_every_table_is_in_the_contract() -> None:
    assert set(MUST_BE_FILLED) == set(tables.SCHEMAS)


@pytest.mark.parametrize("table", MUST_BE_FILLED)
def test_which_cells_may_be_empty(table: str) -> None:
    filled = MUST_BE_FILLED[table].split()
    tables.frame(table, [row(table)])
    tables.frame(table, [{column: row(table)[column] for column in filled}])
    for column in filled:
        expected = f"{table}: row 2 column {column}: expected a cell that is not empty, got "
        assert refusal(table, {**row(table), column: ""}).startswith(expected)


@pytest.mark.parametrize("table", MUST_BE_FILLED)
def test_what_a_cell_may_hold(table: str) -> None:
    values = {column: good(table, column) for column in tables.columns(table) if column not in CORNERS}
    for number in range(max(map(len, values.values()))):
        cells = {column: each[number % len(each)] for column, each in values.items()}
        tables.frame(table, [{**CORNERS, **cells} if table == "boxes" else cells])
    for column in tables.columns(table):
        for value, expected in bad(table, column):
            message = refusal(table, {**row(table), column: value})
            assert message.startswith(f"{table}: row 2 column {column}: expected {expected}")


@pytest.mark.parametrize("table", MUST_BE_FILLED)
def test_what_stands_in_a_table_once(table: str) -> None:
    once, together = ONCE.get(table), ONCE_TOGETHER.get(table)
    if once:
        assert refusal(table, row(table), row(table)).startswith(f"{table}: row 2 column {once}: expected ")
        tables.frame(table, [row(table), {**row(table), once: good(table, once)[1]}])
    elif together:
        expected = f"expected {' and '.join(together)} together once in the table"
        assert refusal(table, row(table), row(table)) == f"{table}: row 2: {expected}; row 3: {expected}"
        for column in together:
            tables.frame(table, [row(table), {**row(table), column: good(table, column)[1]}])
    else:
        tables.frame(table, [row(table), row(table)])


@pytest.mark.parametrize("change", [{"x_max": 1}, {"x_max": 0.5}, {"y_max": 2}, {"y_max": 1.5}])
def test_a_box_has_an_area(change: dict[str, float]) -> None:
    assert refusal("boxes", {**row("boxes"), **change}) == "boxes: row 2: expected x_min < x_max and y_min < y_max"


def test_a_table_may_have_further_columns() -> None:
    assert tables.frame("queue", [{**row("queue"), "fabric": 3}])["fabric"].tolist() == [3]
