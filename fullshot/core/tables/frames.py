"""Tables as DataFrames: each column with its dtype, and from and to Arrow."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from fullshot.core.errors import BadTable
from fullshot.core.tables import checking
from fullshot.core.tables.cells import EXPECTED
from fullshot.core.tables.connection import connect
from fullshot.core.tables.schemas import SCHEMAS, Kind, columns
from fullshot.core.tables.writing import ARROW_TYPES

_DTYPES: dict[Kind, str] = {"text": "string", "whole": "Int64", "number": "Float64", "boolean": "boolean"}

_PANDAS: dict[pa.DataType, Any] = {
    pa.string(): pd.StringDtype(),
    pa.large_string(): pd.StringDtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}

_BEYOND_INT64 = 2**63


def frame(name: str, rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Rows as a table's DataFrame: its columns, in order, each with its dtype.

    Raises:
        BadTable: a cell is not what the schema says.
    """
    data = pd.DataFrame(list(rows), dtype=object)
    extra = [column for column in data.columns if column not in SCHEMAS[name].columns]
    typed = typed_columns(name, data.reindex(columns=columns(name) + extra), name)
    known = typed[columns(name)]
    with connect() as connection:
        connection.register("rows", to_arrow(name, known))
        rows_ = "SELECT * FROM rows"
        checking.check(connection, SCHEMAS[name], checking.Rows(rows_, checking.numbered(rows_), {}), name)
    return typed


def from_arrow(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as a DataFrame with the dtypes that a table's have."""
    result: pd.DataFrame = table.to_pandas(types_mapper=_PANDAS.get)
    return result


def to_arrow(name: str, data: pd.DataFrame) -> pa.Table:
    """A DataFrame with a table's dtypes as Arrow; a further column keeps its type, or is text where it has several.

    Args:
        name: of the table; empty: of none, and all columns are further ones.
        data: its rows.
    """
    arrays = []
    rules = SCHEMAS[name].columns if name else {}
    for column in data.columns:
        rule = rules.get(str(column))
        values = data[column]
        if rule is not None:
            arrays.append(pa.array(values, ARROW_TYPES[rule.kind], from_pandas=True))
            continue
        known = values.where(values.notna(), None)
        try:
            arrays.append(pa.array(known, from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            arrays.append(pa.array(known.map(str, na_action="ignore"), pa.string(), from_pandas=True))
    return pa.table(arrays, names=[str(column) for column in data.columns])


def typed_columns(name: str, data: pd.DataFrame, where: str) -> pd.DataFrame:
    """A table's DataFrame with each column in its dtype; an empty cell becomes "not known".

    Args:
        name: of the table.
        data: its rows.
        where: the file or the table, for the message.

    Raises:
        BadTable: a column is missing, or a cell is not of its column's kind.
    """
    typed = data.copy(deep=False)
    for column, rule in SCHEMAS[name].columns.items():
        if column not in typed.columns:
            raise BadTable(f"{where}: expected a column {column}")
        typed[column] = _typed(typed[column], rule.kind, where, column)
    return typed


def _typed(series: "pd.Series[Any]", kind: Kind, where: str, column: str) -> "pd.Series[Any]":
    if str(series.dtype) == _DTYPES[kind]:
        return series.mask(series == "") if kind == "text" else series
    known = series.where(~series.isin(["", None]), None)
    if kind == "text":
        try:
            return known.map(str, na_action="ignore").astype("string")
        except UnicodeEncodeError as error:
            raise BadTable(f"{where}: column {column}: expected text, got {checking.shown(error.object)}") from None
    converters: dict[Kind, Callable[[Any], Any]] = {"boolean": _boolean_cell, "whole": _whole_cell, "number": float}
    convert = converters[kind]
    values: list[Any] = []
    for row, (cell, is_missing) in enumerate(zip(known, known.isna(), strict=True)):
        try:
            values.append(None if is_missing else convert(cell))
        except (ValueError, KeyError, OverflowError):
            expected = EXPECTED[kind]
            raise BadTable(
                f"{where}: row {row + 2} column {column}: expected {expected}, got {checking.shown(cell)}"
            ) from None
    return pd.Series(values, index=series.index, dtype=_DTYPES[kind])


def _boolean_cell(cell: Any) -> bool:
    return {"true": True, "false": False}[str(cell).lower()]


def _whole_cell(cell: Any) -> int:
    try:
        whole = int(cell) if isinstance(cell, str) else operator.index(cell)
    except (ValueError, TypeError):
        number = float(cell)
        whole = int(number)
        if number != whole:
            raise ValueError(cell) from None
    if abs(whole) >= _BEYOND_INT64:
        raise ValueError(cell)
    return whole
