"""Cells of a CSV file: what is written into one, and what it is read as.

A boolean is ``true`` or ``false``, an empty cell is "not known". A text that a spreadsheet would take for a formula has
an apostrophe in front, which :func:`plain` takes away again.
"""

import csv
import io
import re
from typing import Any

import pandas as pd

# The signs that OWASP names under "CSV injection". Apostrophes before one count as well: else a text that begins with
# them by itself could not be told from one that was given another.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_KEPT_FROM_FORMULA = re.compile(r"'+[=+\-@\t\r]")


def as_csv(frame: pd.DataFrame) -> str:
    """A table as the text of a file; every row ends in a line feed, and a text may hold line ends of any kind."""
    text = io.StringIO(newline="")

    class Rows:
        """Takes one row a call, as csv.writer writes them."""

        def write(self, row: str) -> None:
            text.write(row.removesuffix("\r\n") + "\n")

    # Python before 3.13 quotes a carriage return in a cell only where rows end in one.
    writer = csv.writer(Rows(), lineterminator="\r\n")
    writer.writerow(frame.columns)
    known = frame.astype(object).where(frame.notna(), "")
    writer.writerows(map(_cell, row) for row in known.itertuples(index=False, name=None))
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def plain(cell: Any) -> Any:
    """A cell of a column of text, as it was before it was kept from being a formula."""
    return cell[1:] if isinstance(cell, str) and _KEPT_FROM_FORMULA.match(cell) else cell


def plain_column(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """A column of text, each cell as :func:`plain` has it."""
    # Few columns have such a cell, and to look for the sign alone is ten times as fast.
    suspected = any(isinstance(cell, str) and cell.startswith("'") for cell in column)
    return column.map(plain) if suspected else column
