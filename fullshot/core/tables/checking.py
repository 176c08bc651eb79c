"""Checks of a table against its schema, in one pass over its rows; what is wrong is named cell by cell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from fullshot.core.errors import BadTable
from fullshot.core.tables.cells import EXPECTED, literal, quoted
from fullshot.core.tables.schemas import Schema

MOST_NAMED = 10
"""Cells that an error names; the others are counted."""

ROW = "\x1frow"
"""The column of a relation that says where its rows stand, from 0 on; nobody calls one of their own so."""

_LONGEST_SHOWN = 80  # characters

_FIRST_LINE = 2  # of the rows, in a CSV with its header


@dataclass(frozen=True)
class Rows:
    """Rows to be checked.

    Attributes:
        relation: a query without its brackets; its columns are the schema's, each of its kind.
        raw: columns that were converted from text, and the name of the relation's column with that text.
        numbered: the same query with a column :data:`ROW`; asked only when something is wrong.
    """

    relation: str
    numbered: str
    raw: dict[str, str]


@dataclass(frozen=True)
class _Rule:
    """A condition that no row may meet; ``column`` is empty where it is of whole rows, ``got`` names what is shown."""

    failed: str
    expected: str
    column: str = ""
    got: str = ""


def check(connection: duckdb.DuckDBPyConnection, schema: Schema, rows: Rows, where: str) -> None:
    """Check the rows of a table.

    Args:
        connection: that knows what the rows name.
        schema: the table's.
        rows: what to check.
        where: the file or the table, for the message.

    Raises:
        BadTable: cells are not what the schema says; the first :data:`MOST_NAMED` are named, the others counted.
    """
    rules = [*_conversions(schema, rows), *_rules(schema, rows.raw)]
    failures = _failures(connection, rows.relation, rules)
    count = sum(failures)
    named = [
        part
        for rule, failed in zip(rules, failures, strict=True)
        if failed
        for part in _named(connection, rows.numbered, rule, MOST_NAMED)
    ]
    for columns in _once(schema):
        more, parts = _repeated(connection, columns, rows, alone=len(columns) == 1 and columns != schema.unique)
        count += more
        named += parts
    if named:
        texts = [text for _, text in sorted(named)][:MOST_NAMED]
        rest = f"; and {count - len(texts)} more" if count > len(texts) else ""
        raise BadTable(f"{where}: {'; '.join(texts)}{rest}")


def numbered(relation: str) -> str:
    """A query with the column :data:`ROW`. Parquet's own numbers clash with a column that is called as they are."""
    return f"SELECT *, row_number() OVER () - 1 AS {quoted(ROW)} FROM ({relation})"


def shown(value: object) -> str:
    """A cell in a message: of one that is as long as a page, its beginning."""
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        return f"{value[:_LONGEST_SHOWN]!r}… ({len(value)} characters)"
    return "an empty cell" if value is None else repr(value)


def conditions(schema: Schema) -> list[str]:
    """The conditions, in SQL, that no row of a table may meet."""
    return [rule.failed for rule in _rules(schema)]


def _conversions(schema: Schema, rows: Rows) -> Iterator[_Rule]:
    for column, raw in rows.raw.items():
        expected = EXPECTED[schema.columns[column].kind]
        yield _Rule(f"nullif({quoted(raw)}, '') IS NOT NULL AND {quoted(column)} IS NULL", expected, column, raw)


def _rules(schema: Schema, raw: Mapping[str, str] | None = None) -> Iterator[_Rule]:
    """What is expected of values; ``raw`` names the text of those that may be null because they could not be read."""
    raw = raw or {}
    for name, column in schema.columns.items():
        cell = quoted(name)
        if not column.empty:
            empty = f"nullif({quoted(raw[name])}, '')" if name in raw else cell
            yield _Rule(f"{empty} IS NULL", "a cell that is not empty", name, name)
        if column.one_of:
            yield _Rule(f"{cell} NOT IN ({', '.join(map(literal, column.one_of))})", column.words, name, name)
        if column.pattern:
            yield _Rule(f"NOT regexp_full_match({cell}, {literal(column.pattern)})", column.words, name, name)
        if column.kind == "number":
            yield _Rule(f"isinf({cell})", EXPECTED["number"], name, name)
        if column.least is not None:
            yield _Rule(f"{cell} < {column.least:g}", column.words, name, name)
    for condition in schema.holds:
        yield _Rule(f"NOT ({condition})", condition)


def _failures(connection: duckdb.DuckDBPyConnection, relation: str, rules: Sequence[_Rule]) -> list[int]:
    """How many rows fail each rule."""
    if not rules:
        return []
    counts = ", ".join(f"count(*) FILTER (WHERE {rule.failed})" for rule in rules)
    row = connection.execute(f"SELECT {counts} FROM ({relation})").fetchone()
    return list(row or [])


def _named(connection: duckdb.DuckDBPyConnection, numbered: str, rule: _Rule, most: int) -> list[tuple[int, str]]:
    got = quoted(rule.got) if rule.got else "NULL"
    rows = connection.execute(
        f"SELECT {quoted(ROW)}, {got} FROM ({numbered}) WHERE {rule.failed} ORDER BY 1 LIMIT {most}"
    ).fetchall()
    column = f" column {rule.column}" if rule.column else ""
    values = [f", got {shown(value)}" if rule.got else "" for _, value in rows]
    return [
        (int(row), f"row {row + _FIRST_LINE}{column}: expected {rule.expected}{what}")
        for (row, _), what in zip(rows, values, strict=True)
    ]


def _once(schema: Schema) -> Iterator[tuple[str, ...]]:
    yield from ((name,) for name, column in schema.columns.items() if column.unique)
    if schema.unique:
        yield schema.unique


def _repeated(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[str], rows: Rows, *, alone: bool
) -> tuple[int, list[tuple[int, str]]]:
    """How many rows have values that other rows have too, and what is said of the first of them."""
    names = ", ".join(map(quoted, columns))
    known = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
    # Hashes first: of millions of rows they take a fraction of the memory that the values do.
    hashes = f"SELECT hash({names}) AS digest FROM ({rows.relation}) WHERE {known}"
    if not connection.execute(f"SELECT 1 FROM ({hashes}) GROUP BY digest HAVING count(*) > 1 LIMIT 1").fetchall():
        return 0, []
    several = (
        f"SELECT {quoted(ROW)} AS row, {quoted(columns[0])} AS got, count(*) OVER (PARTITION BY {names}) AS times "
        f"FROM ({rows.numbered}) WHERE {known}"
    )
    failed = connection.execute(
        f"SELECT row, got, count(*) OVER () FROM ({several}) WHERE times > 1 ORDER BY row LIMIT {MOST_NAMED}"
    ).fetchall()
    if not failed:
        return 0, []
    if alone:
        named = [
            (row, f"row {row + _FIRST_LINE} column {columns[0]}: expected each value in one row only, got {shown(got)}")
            for row, got, _ in failed
        ]
    else:
        once = f"{' and '.join(columns)} together once in the table"
        named = [(row, f"row {row + _FIRST_LINE}: expected {once}") for row, *_ in failed]
    return failed[0][-1], named
