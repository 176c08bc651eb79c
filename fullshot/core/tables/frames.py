"""The tables that stages hand on: a schema each, atomic write, and errors that name the cell.

A boolean is ``true`` or ``false`` in the file, an empty cell is "not known".
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandera.errors import SchemaErrors

from fullshot.core import files
from fullshot.core.errors import BadTable, MissingInput
from fullshot.core.tables import cells
from fullshot.core.tables.schemas import MADE_BY, MAY_LACK, SCHEMAS

_BEYOND_INT64 = 2.0**63


def columns(name: str) -> list[str]:
    """The columns of a table, in order."""
    return list(SCHEMAS[name].columns)


def frame(name: str, rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Rows as a table's DataFrame: its columns, in order, each with its dtype.

    Raises:
        BadTable: a cell is not what the schema says.
    """
    data = pd.DataFrame(list(rows), dtype=object)
    extra = [column for column in data.columns if column not in SCHEMAS[name].columns]
    return _validated(name, data.reindex(columns=columns(name) + extra), name)


def read(name: str, path: Path) -> pd.DataFrame:
    """Read a table.

    Raises:
        MissingInput: there is no such file; says which command makes it.
        BadTable: a column is missing or a cell is not what the schema says.
    """
    if not path.is_file():
        command = MADE_BY.get(path.stem)
        hint = f": run `fullshot {command} {path.parent}` first" if command else ""
        raise MissingInput(f"no {path.name} in {path.parent}{hint}")
    try:
        data = pd.read_csv(path, dtype=object, keep_default_na=False, encoding="utf-8")
    except (ValueError, UnicodeDecodeError) as error:
        raise BadTable(f"{path}: not a CSV table: {str(error).strip()}") from None
    added = MAY_LACK.get(name, frozenset())
    missing = [column for column in columns(name) if column not in data.columns and column not in added]
    if missing:
        raise BadTable(f"{path}: expected a column {', '.join(missing)}, got {', '.join(map(str, data.columns))}")
    if not added.issubset(data.columns):
        extra = [column for column in data.columns if column not in SCHEMAS[name].columns]
        data = data.reindex(columns=columns(name) + extra, fill_value="")
    for column in data.columns:
        if _is_text(name, column):
            data[column] = cells.plain_column(data[column])
    return _validated(name, data, str(path))


def write(name: str, data: pd.DataFrame, path: Path) -> None:
    """Check a table and write it in one step: a reader sees the old file or the new one, never a part.

    Raises:
        BadTable: a cell is not what the schema says; the file stays as it was.
    """
    checked = _validated(name, data, str(path))
    files.write_text(path, cells.as_csv(checked))


def _is_text(name: str, column: str) -> bool:
    """Whether a table's column holds text; one that the schema does not name may."""
    rule = SCHEMAS[name].columns.get(column)
    return rule is None or str(rule.dtype).startswith("string")


def _validated(name: str, data: pd.DataFrame, where: str) -> pd.DataFrame:
    schema = SCHEMAS[name]
    typed = data.copy()
    for column, rule in schema.columns.items():
        if column not in typed.columns:
            raise BadTable(f"{where}: expected a column {column}")
        typed[column] = _typed(typed[column], str(rule.dtype), f"{where}: ", column)
    try:
        return schema.validate(typed, lazy=True)
    except SchemaErrors as errors:
        first = errors.failure_cases.iloc[0]
        if first["schema_context"] == "DataFrameSchema":
            # A check of whole rows: no one cell of the row is what is wrong.
            once = f"{' and '.join(schema.unique or [])} together once in the table"
            expected = once if first["check"] == "multiple_fields_uniqueness" else first["check"]
            raise BadTable(f"{where}: row {int(first['index']) + 2}: expected {expected}") from None
        row, column, got = first["index"], first["column"], first["failure_case"]
        expected = "a cell that is not empty" if first["check"] == "not_nullable" else first["check"]
        got = got.item() if isinstance(got, np.generic) else got
        at = "" if pd.isna(row) else f" row {int(row) + 2}"
        raise BadTable(f"{where}:{at} column {column}: expected {expected}, got {got!r}") from None


def _typed(series: "pd.Series[Any]", dtype: str, where: str, column: str) -> "pd.Series[Any]":
    """A column in its dtype; an empty cell becomes "not known"."""
    known = series.where(~series.isin(["", None]), None)
    if dtype.startswith("string"):
        try:
            return known.map(str, na_action="ignore").astype("string")
        except UnicodeEncodeError as error:
            raise BadTable(f"{where}column {column}: expected text, got {error.object!r}") from None
    kinds: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "boolean": ("true or false", _boolean_cell),
        "Int64": ("a whole number", _whole_cell),
        "Float64": ("a number", float),
    }
    kind, convert = kinds[dtype]
    values: list[Any] = []
    for row, (cell, is_missing) in enumerate(zip(known, known.isna(), strict=True)):
        try:
            values.append(None if is_missing else convert(cell))
        except (ValueError, KeyError, OverflowError):
            raise BadTable(f"{where}row {row + 2} column {column}: expected {kind}, got {cell!r}") from None
    return pd.Series(values, index=series.index, dtype=dtype)


def _boolean_cell(cell: Any) -> bool:
    return {"true": True, "false": False}[str(cell).lower()]


def _whole_cell(cell: Any) -> int:
    number = float(cell)
    if number != int(number) or abs(number) >= _BEYOND_INT64:
        raise ValueError(cell)
    return int(number)
