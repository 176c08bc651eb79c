"""Cells of a CSV file: what is written into one, and, in SQL, what it is read as.

A boolean is ``true`` or ``false``, an empty cell is "not known". A text that a spreadsheet would take for a formula has
an apostrophe in front, which is taken away again when it is read.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from fullshot.core.tables.schemas import Kind

DUCKDB_TYPES: dict[Kind, str] = {"text": "VARCHAR", "whole": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}

_WRITTEN_AS_IS = ("VARCHAR", "BIGINT", "BOOLEAN")

EXPECTED: dict[Kind, str] = {
    "text": "text",
    "whole": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
"""What a cell that cannot be read was expected to be."""

RESERVED = "_fs_"
"""What the names begin with that queries give to columns of their own: no table has such a column."""

FORMULA = r"^'*[=+\-@\t\r]"
"""Texts that a spreadsheet takes for a formula: the signs that OWASP names under "CSV injection". Apostrophes before
one count as well: else a text that begins with them by itself could not be told from one that was given another."""

_KEPT_FROM_FORMULA = r"^''+[=+\-@\t\r]"

_WHOLE = r"^[+-]?\d{1,19}$"
_BEYOND_BIGINT = "9223372036854775808.0"


def reserved(names: Iterable[str]) -> list[str]:
    """Those of some columns' names that no column of a table may have."""
    return [name for name in names if name.lower().startswith(RESERVED)]


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


def written(column: str, duckdb_type: str) -> str:
    """The expression for a column's cells in the file, where Arrow would write them otherwise than DuckDB does."""
    name = quoted(column)
    return name if duckdb_type in _WRITTEN_AS_IS else f"CAST({name} AS VARCHAR) AS {name}"


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
    # DuckDB takes more for a number than people do: 1_000, inf and nan.
    finite = known_number(f"TRY_CAST(CASE WHEN NOT contains({cell}, '_') THEN {cell} END AS DOUBLE)")
    number = f"nullif(nullif({finite}, 'inf'::DOUBLE), '-inf'::DOUBLE)"
    if kind == "number":
        return number
    by_number = (
        f"CASE WHEN {number} = trunc({number}) AND abs({number}) < {_BEYOND_BIGINT} THEN CAST({number} AS BIGINT) END"
    )
    return f"CASE WHEN regexp_matches({cell}, '{_WHOLE}') THEN TRY_CAST({cell} AS BIGINT) ELSE {by_number} END"
