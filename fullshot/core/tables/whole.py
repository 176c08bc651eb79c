"""One table read or written as a whole, as a DataFrame."""

from pathlib import Path

import pandas as pd

from fullshot.core.tables.connection import connect
from fullshot.core.tables.frames import from_arrow, to_arrow, typed_columns
from fullshot.core.tables.schemas import EXPORTS
from fullshot.core.tables.stored import TableFiles


def read(name: str, path: Path) -> pd.DataFrame:
    """Read a table.

    Raises:
        MissingInput: there is no such file; says which command makes it.
        BadTable: a column is missing or a cell is not what the schema says.
    """
    with connect() as connection:
        return from_arrow(connection.sql(_files(name, path).relation(connection)).to_arrow_table())


def write(name: str, data: pd.DataFrame, path: Path) -> None:
    """Check a table and write it in one step: a reader sees the old files or the new ones, never a part.

    Raises:
        BadTable: a cell is not what the schema says; the files stay as they were.
    """
    rows = to_arrow(name, typed_columns(name, data, str(path)))
    with connect() as connection:
        connection.register("rows", rows)
        _files(name, path).write(connection, "SELECT * FROM rows")


def _files(name: str, path: Path) -> TableFiles:
    root = path.parent.parent if path.parent.name == EXPORTS else path.parent
    return TableFiles.of(root, name, path)
