"""Cells of a CSV file, in SQL: what is written into one, and what it is read as.

A boolean is ``true`` or ``false``, an empty cell is "not known". A text that a spreadsheet would take for a formula has
an apostrophe in front, which is taken away again when it is read.
"""

import re
from pathlib import Path

from fullshot.core.tables.schemas import Kind

DUCKDB_TYPES: dict[Kind, str] = {"text": "VARCHAR", "whole": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}

EXPECTED: dict[Kind, str] = {
    "text": "text",
    "whole": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
"""What a cell that cannot be read was expected to be."""

# The signs that OWASP names under "CSV injection". Apostrophes before one count as well: else a text that begins with
# them by itself could not be told from one that was given another.
_FORMULA = r"^''*[=+\-@\t\r]"
_KEPT_FROM_FORMULA = r"^''+[=+\-@\t\r]"
# Few cells begin with one of these, and to compare one character is ten times as fast as to match the expression. Not
# as a list after IN: of more than a few constants DuckDB makes a join, and rows come out in another order.
_SUSPECTED = "'=+-@\t\r'''"

_WHOLE = r"^[+-]?\d{1,19}$"
_BEYOND_BIGINT = "9223372036854775808.0"


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def known_number(value: str) -> str:
    """The expression for a number; NULL where it is "not a number", which would count as greater than all others."""
    return f"nullif({value}, 'nan'::DOUBLE)"


def from_parquet(path: Path) -> str:
    """The rows of one Parquet file, as SQL has them after FROM.

    Its path is no pattern that other files match, and a folder on it that is called ``name=value`` is no column.

    Args:
        path: the file.
    """
    itself = re.sub(r"[*?\[]", lambda sign: f"[{sign[0]}]", str(path))
    return f"read_parquet({literal(itself)}, hive_partitioning = false)"


def written(column: str, kind: Kind) -> str:
    """The expression for a column's cells in the file."""
    name = quoted(column)
    if kind != "text":
        return name
    guarded = f"CASE WHEN regexp_matches({name}, '{_FORMULA}') THEN '''' || {name} ELSE {name} END"
    return f"CASE WHEN contains({_SUSPECTED}, left({name}, 1)) THEN {guarded} ELSE {name} END AS {name}"


def read(column: str, kind: Kind) -> str:
    """The expression for the values of a column whose cells are text; NULL where a cell is empty, or is no such value.

    Args:
        column: its name.
        kind: of its values.
    """
    cell = f"nullif({quoted(column)}, '')"
    if kind == "text":
        plain = f"CASE WHEN regexp_matches({cell}, '{_KEPT_FROM_FORMULA}') THEN substr({cell}, 2) ELSE {cell} END"
        return f"CASE WHEN left({cell}, 1) = '''' THEN {plain} ELSE {cell} END"
    if kind == "boolean":
        return f"CASE lower({cell}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    number = known_number(f"TRY_CAST({cell} AS DOUBLE)")
    if kind == "number":
        return number
    by_number = (
        f"CASE WHEN {number} = trunc({number}) AND abs({number}) < {_BEYOND_BIGINT} THEN CAST({number} AS BIGINT) END"
    )
    return f"CASE WHEN regexp_matches({cell}, '{_WHOLE}') THEN TRY_CAST({cell} AS BIGINT) ELSE {by_number} END"
