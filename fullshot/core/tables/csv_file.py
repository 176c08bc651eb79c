"""A CSV that people may have changed: every cell of it, as text, and a line that says what is wrong with the file.

Faster readers than Python's lose cells without a word: DuckDB's drops what stands behind a quotation mark that is not
closed, Arrow's joins lines, and takes what follows a closed one for more of the cell. So Arrow's is believed where all
quotation marks stand round whole cells and it finds as many rows as the file has lines; Python reads any other file.
"""

import codecs
import contextlib
import csv
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from fullshot.core.errors import BadTable
from fullshot.core.tables import checking
from fullshot.core.tables.cells import DUCKDB_TYPES, from_parquet, quoted, read, reserved
from fullshot.core.tables.schemas import MAY_LACK, SCHEMAS

_ROWS_AT_ONCE = 20_000
_LARGEST_CELL = 1 << 27  # characters
_BLOCK = 1 << 24  # bytes
_TEXT = "\x1ftext of "
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}
_BESIDE_QUOTES = np.frombuffer(b'",\r\n', np.uint8)


@dataclass(frozen=True)
class CsvCells:
    """The cells of a CSV, copied into a Parquet as text.

    Attributes:
        name: of the table.
        path: the CSV.
        copy: the Parquet.
        header: the columns.
    """

    name: str
    path: Path
    copy: Path
    header: tuple[str, ...]

    @classmethod
    def copied(cls, name: str, path: Path, copy: Path) -> "CsvCells":
        """Copy the cells.

        Args:
            name: of the table.
            path: the CSV.
            copy: where to.

        Raises:
            BadTable: it is no CSV, a column is missing, or a row has more cells than there are columns.
        """
        try:
            with _large_cells(), path.open(newline="", encoding="utf-8-sig") as file:
                lines = csv.reader(file, strict=True)
                try:
                    header = tuple(next(lines, ()))
                    _check_header(name, path, header)
                    schema = pa.schema([(column, pa.string()) for column in header])
                    if not _copied_by_arrow(path, schema, copy):
                        _copy(path, lines, schema, copy)
                except csv.Error as error:
                    raise BadTable(f"{path}: not a CSV table: {error} (line {lines.line_num})") from None
        except UnicodeDecodeError:
            raise BadTable(f"{path} is not UTF-8{_first_other_byte(path)}: save it as CSV UTF-8") from None
        return cls(name, path, copy, header)

    def check(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Check the cells against the table's schema.

        Raises:
            BadTable: cells are not what it says.
        """
        schema = SCHEMAS[self.name]
        kinds = {column: rule.kind for column, rule in schema.columns.items() if column in self.header}
        raw = {column: _TEXT + column for column, kind in kinds.items() if kind != "text"}
        texts = ", ".join([*self._values(), *(f"{quoted(column)} AS {quoted(text)}" for column, text in raw.items())])
        numbered = self._filled(checking.numbered(f"FROM {from_parquet(self.copy)}"))
        rows = checking.Rows(
            f"SELECT {texts} FROM ({self._filled()})",
            f"SELECT {texts}, {quoted(checking.ROW)} FROM ({numbered})",
            raw,
        )
        checking.check(connection, schema, rows, str(self.path))

    def query(self) -> str:
        """The query for the values: the schema's columns in their order and kind, then further ones, as text."""
        return f"SELECT {', '.join(self._values())} FROM ({self._filled()})"

    def count(self) -> int:
        """How many rows were copied; :meth:`query` leaves out those of empty cells alone, which spreadsheets add."""
        return int(pq.read_metadata(self.copy).num_rows)

    def _filled(self, rows: str = "") -> str:
        """The rows, or those of a query, that have a cell that is not empty."""
        filled = " OR ".join(f"{quoted(column)} <> ''" for column in self.header)
        return f"SELECT * FROM ({rows or f'FROM {from_parquet(self.copy)}'}) WHERE {filled}"

    def _values(self) -> Iterator[str]:
        schema = SCHEMAS[self.name].columns
        for column, rule in schema.items():
            value = read(column, rule.kind) if column in self.header else f"NULL::{DUCKDB_TYPES[rule.kind]}"
            yield f"{value} AS {quoted(column)}"
        yield from (f"{read(column, 'text')} AS {quoted(column)}" for column in self.header if column not in schema)


@contextlib.contextmanager
def _large_cells() -> Iterator[None]:
    """Let Python read longer cells than it does by itself; the limit is one for the whole process."""
    before = csv.field_size_limit(_LARGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _first_other_byte(path: Path) -> str:
    """Where a file has the first byte that is no UTF-8, for a message."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return f" (byte 0x{line[error.start]:02x} in line {number})"
    return ""  # somebody saved it once more meanwhile


def _check_header(name: str, path: Path, header: Sequence[str]) -> None:
    if not any(header):
        raise BadTable(f"{path}: not a CSV table: it has no columns")
    if "" in header:
        raise BadTable(f"{path}: expected a name for each column, got none for column {header.index('') + 1}")
    first: dict[bytes, str] = {}
    for column in header:
        # SQL takes names that differ in capital letters alone for one: the second column would have the first's cells.
        same = first.setdefault(column.encode().lower(), column)
        if same != column or header.count(column) > 1:
            what = f"{column} twice" if same == column else f"{same} and {column}"
            raise BadTable(f"{path}: expected each column once, got {what}")
    if ours := reserved(header):
        raise BadTable(f"{path}: expected another name for the column {', '.join(ours)}: fullshot uses it itself")
    for sign, signs in _OTHER_SEPARATORS.items():
        if len(header) == 1 and sign in header[0]:
            raise BadTable(f"{path}: its cells are separated by {signs}: save it with commas between them")
    optional = MAY_LACK.get(name, frozenset())
    absent = [column for column in SCHEMAS[name].columns if column not in header and column not in optional]
    if absent:
        raise BadTable(f"{path}: expected a column {', '.join(absent)}, got {', '.join(header)}")


def _writer(copy: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(copy, schema, compression="lz4", use_dictionary=False, write_statistics=False)


def _copy(path: Path, lines: Iterator[list[str]], schema: pa.Schema, copy: Path) -> None:
    with _writer(copy, schema) as writer:
        for batch in _batches(path, lines, len(schema)):
            columns = [pa.array(cells, pa.string()) for cells in batch]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def _copied_by_arrow(path: Path, schema: pa.Schema, copy: Path) -> bool:
    """Copy the cells of a file in which a line is a row; False where it may be another one."""
    lines = _lines(path)
    if lines is None:
        return False
    read = arrow_csv.ReadOptions(block_size=_BLOCK)
    convert = arrow_csv.ConvertOptions(column_types={column: pa.string() for column in schema.names})
    rows = 0
    try:
        with arrow_csv.open_csv(path, read, convert_options=convert) as batches, _writer(copy, schema) as writer:
            for batch in batches:
                rows += len(batch)
                writer.write_batch(batch)
    except pa.ArrowInvalid:
        return False
    return rows + 1 == lines


def _lines(path: Path) -> int | None:
    """How many lines there are; None where a quotation mark is within a cell, or one is never closed."""
    count, quotes, before = 0, 0, b"\n"
    with path.open("rb") as file:
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        while block := file.read(_BLOCK):
            count += block.count(b"\n")
            # The last byte is looked at with the next block, which says what follows it.
            block = before + block
            found = _quotes(block, quotes % 2)
            if found is None:
                return None
            quotes, before = quotes + found, block[-2:]
    found = _quotes(before + b"\n", quotes % 2)
    if found is None or (quotes + found) % 2:
        return None
    return count + (before[-1:] != b"\n")


def _quotes(block: bytes, opened: int) -> int | None:
    """How many quotation marks a block has between its first and its last byte; None where one is within a cell.

    Every second one opens a cell and has one's beginning before it; the others have a cell's end behind them. Where one
    is doubled, for itself, the other is its neighbour.

    Args:
        block: of a file.
        opened: 1 where a cell was opened before it and not closed, else 0.
    """
    if b'"' not in block:
        return 0
    content = np.frombuffer(block, np.uint8)
    places = np.flatnonzero(content[1:-1] == ord('"')) + 1
    beside = np.concatenate([content[places[opened::2] - 1], content[places[1 - opened :: 2] + 1]])
    return len(places) if np.isin(beside, _BESIDE_QUOTES).all() else None


def _batches(path: Path, lines: Iterator[list[str]], width: int) -> Iterator[list[tuple[str, ...]]]:
    """Columns of rows, some at a time; a row that a spreadsheet cut short is filled up, an empty line is none."""
    number = 0
    filled = filter(None, lines)
    while rows := list(itertools.islice(filled, _ROWS_AT_ONCE)):
        for position, row in enumerate(rows):
            if len(row) != width:
                if any(row[width:]):
                    raise BadTable(f"{path}: row {number + position + 2}: expected {width} cells, got {len(row)}")
                rows[position] = [*row[:width], *[""] * (width - len(row))]
        number += len(rows)
        yield list(zip(*rows, strict=True))
