"""The files of a table as Arrow writes them: the bytes of a CSV, and tables that are written while rows are made."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from fullshot.core.errors import BadTable
from fullshot.core.tables.writing import TableRows
from fullshot.core.workspace import Workspace

AWKWARD = (
    "plain",
    "a,b",
    'say "cheese"',
    '"',
    "two\nlines",
    "a\rb",
    "# no comment",
    "nr. #1",
    " spaces ",
    "semi;colon",
    "tab\tinside",
    "'quoted'",
    "été 👗",
    "NULL",
    "nan",
    "",
    None,
)
"""Texts that a CSV writer may quote, and none that a spreadsheet takes for a formula."""


def labels(*numbers: int) -> pa.Table:
    names = pa.array([f"shop:{number}" for number in numbers], pa.string())
    return pa.table({"label": pa.array(numbers, pa.int64()), "product_id": names, "further": names})


def labelled(rows: pa.Table) -> pa.Table:
    texts = rows["product_id"]
    return pa.table({"image_path": texts, "label": rows["label"], "product_type": texts, "link": texts})


def append(rows: TableRows, *parts: pa.Table) -> None:
    for part in parts:
        rows.append(part)


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_written_as_by_duckdb(folder: Path, further: dict[str, pa.Array]) -> None:
    """Write a table with further columns, and compare its CSV with that of DuckDB's ``COPY``."""
    count = len(next(iter(further.values())))
    words = {name: pa.array(["word"] * count) for name in ("url", "kind", "class", "message", "failed_at", "page")}
    words["failed_at"] = pa.array(["2026-11-02T09:30:00Z"] * count)
    rows = pa.table(words | further)
    workspace = Workspace(folder / "workspace")
    workspace.root.mkdir()
    with workspace.open() as data:
        data.write("failures", rows)

    with duckdb.connect() as connection:
        connection.register("rows", rows)
        connection.execute(f"COPY (SELECT * FROM rows) TO '{folder / 'expected.csv'}' (HEADER)")
    assert workspace.table("failures").read_bytes() == (folder / "expected.csv").read_bytes()


# One that needs quotation marks would hide what another needs: each stands alone, and all together.
@pytest.mark.parametrize("texts", [*((text, "plain") for text in AWKWARD), AWKWARD])
def test_texts_are_quoted_as_by_duckdb(tmp_path: Path, texts: tuple[str | None, ...]) -> None:
    assert_written_as_by_duckdb(tmp_path, {"note": pa.array(texts, pa.string())})


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("further", pa.array([None, 3], pa.int32())),
        ("further", pa.array([-1.5, 1e-7, 1e20, 300.0, 1 / 3])),
        ("further", pa.array([True, None, False])),
        ("further", pa.array([[1, 2], []])),
        ("a,b", pa.array(["x"])),
        ('a "b"', pa.array(["x"])),
    ],
)
def test_further_columns_are_written_as_by_duckdb(tmp_path: Path, name: str, cells: pa.Array) -> None:
    assert_written_as_by_duckdb(tmp_path, {name: cells})


@pytest.mark.parametrize("numbers", [(), (1,), tuple(range(250_000))], ids=len)
def test_tables_written_together_are_as_if_written_alone(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    alone, together = Workspace(tmp_path / "alone"), Workspace(tmp_path / "together")
    rows, odd = labels(*numbers), labels(*(number for number in numbers if number % 2))
    parts = {"labels": rows, "men_top": odd}
    for workspace in (alone, together):
        workspace.root.mkdir()
    with alone.open() as data:
        data.write("labels", rows.drop(["further"]))
        data.write("men_top", labelled(odd))
    with together.open() as data, data.writing("labels") as first, data.writing("men_top") as second:
        for start in range(0, len(rows), 7_000):
            first.append(rows.slice(start, 7_000))
        for start in range(0, len(odd), 7_000):
            second.append(labelled(odd.slice(start, 7_000)))

    for name, expected in parts.items():
        assert together.table(name).read_bytes() == alone.table(name).read_bytes()
        with together.open() as data:
            assert data.rows(f"SELECT label FROM {name}") == [(number,) for number in expected["label"].to_pylist()]
            assert data.reads[name] == 1
        assert together.digests([name]) == alone.digests([name])


def test_a_bad_cell_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    with Workspace(tmp_path).open() as data:
        data.write("labels", labels(1, 2))
        before = files(tmp_path)
        writing = data.writing("labels")
        append(writing.__enter__(), labels(3, 4), labels(-1))
        with pytest.raises(BadTable, match=r"row 4 column label: expected a whole number of at least 0, got -1"):
            writing.__exit__(None, None, None)
    assert files(tmp_path) == before


def test_rows_that_are_not_all_made_are_none(tmp_path: Path) -> None:
    class Interrupted(Exception):
        pass

    def write_a_part() -> None:
        with Workspace(tmp_path).open() as data, data.writing("labels") as rows:
            append(rows, labels(1))
            raise Interrupted

    with pytest.raises(Interrupted):
        write_a_part()
    assert not files(tmp_path)


def test_queries_see_what_was_written_meanwhile(tmp_path: Path) -> None:
    with Workspace(tmp_path).open() as data:
        data.write("labels", labels(1))
        assert data.rows("SELECT label FROM labels") == [(1,)]
        with data.writing("labels") as rows:
            rows.append(labels(2))
        assert data.rows("SELECT label FROM labels") == [(2,)]


def test_a_table_of_numbers_is_not_written_so(tmp_path: Path) -> None:
    with Workspace(tmp_path).open() as data, pytest.raises(TypeError, match="got double"):
        data.writing("priorities").__enter__()
