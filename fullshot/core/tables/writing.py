"""The two files of a table, written some rows at a time by Arrow: several times as fast as DuckDB's own writers.

A CSV has the bytes that DuckDB's ``COPY`` would give it.
"""

import hashlib
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from fullshot.core.tables.cells import FORMULA
from fullshot.core.tables.schemas import SCHEMAS, Kind

ARROW_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}

ROWS_AT_ONCE = 20_000
"""So few that Arrow's allocator mostly has the memory for their cells already: pages that are new take time as well."""

_ROW_GROUP = 100_000
"""Rows; a query leaves out a group that cannot hold what it looks for."""

_SUSPECTED = pa.array([sign.encode() for sign in "=+-@\t\r'"])
"""What a text that :data:`fullshot.core.tables.cells.FORMULA` matches begins with: to look at that alone is quicker."""

_COMMENT = b"#"
_QUOTED = f'[",\r\n{_COMMENT.decode()}]'
"""What a text has that stands between quotation marks; so does an empty one, which is not the same as none."""

_WRITTEN = frozenset({pa.string(), pa.int64(), pa.bool_()})
_PLAIN = arrow_csv.WriteOptions(include_header=False, quoting_style="none")


class TableRows:
    """Both files of a table, written while its rows are made; a context manager.

    Args:
        parquet: where to.
        csv: where to.
        name: of the table, in which no column is of numbers: its schema's columns are written.

    Attributes:
        digest: the sha256 of the CSV, in hexadecimal; known at the end.
    """

    def __init__(self, parquet: Path, csv: Path, name: str) -> None:
        kinds = {column: rule.kind for column, rule in SCHEMAS[name].columns.items()}
        self.digest = ""
        self._schema = pa.schema([(column, ARROW_TYPES[kind]) for column, kind in kinds.items()])
        self._waiting: list[pa.Table] = []
        self._stack = ExitStack()
        self._parquet = self._stack.enter_context(pq.ParquetWriter(parquet, self._schema, compression="zstd"))
        texts = [column for column, kind in kinds.items() if kind == "text"]
        self._csv = self._stack.enter_context(CsvRows(csv, self._schema, texts))
        self._threads = self._stack.enter_context(ThreadPoolExecutor(2))
        self._writing: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if kind is None:
                self._write()
                self._wait()
        self.digest = self._csv.digest

    def append(self, rows: pa.Table) -> None:
        """Add rows.

        Args:
            rows: the schema's columns, each of its kind, and others, which are left out; an empty text is null.
        """
        self._waiting.append(rows.select(self._schema.names).cast(self._schema))
        if sum(map(len, self._waiting)) >= _ROW_GROUP:
            self._write()

    def _write(self) -> None:
        rows = pa.concat_tables([self._schema.empty_table(), *self._waiting])
        self._waiting.clear()
        self._wait()
        self._writing = [self._threads.submit(self._write_parquet, rows), self._threads.submit(self._write_csv, rows)]

    def _write_parquet(self, rows: pa.Table) -> None:
        if len(rows):
            self._parquet.write_table(rows, len(rows))

    def _write_csv(self, rows: pa.Table) -> None:
        for batch in rows.to_batches():
            self._csv.append(batch)

    def _wait(self) -> None:
        """Until what was given before is written: rows stay in their order, and do not pile up."""
        for writing in self._writing:
            writing.result()
        self._writing.clear()


class CsvRows:
    """A CSV, written some rows at a time; a context manager.

    Args:
        path: where to.
        schema: its columns: of texts, 64-bit whole numbers and booleans, which alone Arrow writes as DuckDB does.
        texts: columns in which a cell may look like a formula.

    Raises:
        TypeError: a column is of another type.
    """

    def __init__(self, path: Path, schema: pa.Schema, texts: Collection[str]) -> None:
        if other := set(schema.types) - _WRITTEN:
            raise TypeError(f"expected columns of {', '.join(map(str, _WRITTEN))}, got {', '.join(map(str, other))}")
        self._texts = texts
        self._digest = hashlib.sha256()
        self._file = path.open("wb")
        self._put(_quoted_lines([pa.array([name]) for name in schema.names]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def digest(self) -> str:
        """The sha256 of what was written, in hexadecimal."""
        return self._digest.hexdigest()

    def append(self, rows: pa.RecordBatch) -> None:
        """Add rows."""
        columns = zip(rows.schema.names, rows.columns, strict=True)
        self._put(_lines([_guarded(cells) if name in self._texts else cells for name, cells in columns]))

    def _put(self, lines: pa.Buffer) -> None:
        self._digest.update(lines)
        self._file.write(lines)


def _guarded(cells: pa.Array) -> pa.Array:
    """Texts; those that a spreadsheet would take for a formula have an apostrophe in front."""
    first = pc.binary_slice(cells.cast(pa.binary()), 0, 1)
    if not pc.any(pc.is_in(first, _SUSPECTED)).as_py():
        return cells
    return pc.if_else(pc.match_substring_regex(cells, FORMULA), pc.binary_join_element_wise("'", cells, ""), cells)


def _lines(columns: Sequence[pa.Array]) -> pa.Buffer:
    """The lines of a CSV."""
    texts = [cells for cells in columns if pa.types.is_string(cells.type)]
    if any(pc.min(pc.binary_length(cells)).as_py() == 0 for cells in texts):
        return _quoted_lines(columns)
    rows = pa.RecordBatch.from_arrays(columns, names=list(map(str, range(len(columns)))))
    plain = pa.BufferOutputStream()
    try:
        arrow_csv.write_csv(rows, plain, _PLAIN)
    except pa.ArrowInvalid:  # it refuses texts that have to be quoted
        return _quoted_lines(columns)
    lines = plain.getvalue()
    return _quoted_lines(columns) if _COMMENT in lines.to_pybytes() else lines


def _quoted_lines(columns: Sequence[pa.Array]) -> pa.Buffer:
    rows = pc.binary_join_element_wise(*map(_quoted, columns), ",", null_handling="replace")
    lines = pc.binary_join_element_wise(rows, "", "\n")
    return pa.py_buffer(lines.buffers()[2])[: pc.sum(pc.binary_length(lines)).as_py() or 0]


def _quoted(cells: pa.Array) -> pa.Array:
    """Cells as texts, those that need them between quotation marks."""
    if not pa.types.is_string(cells.type):
        return cells.cast(pa.string())
    needs = pc.or_(pc.match_substring_regex(cells, _QUOTED), pc.equal(pc.binary_length(cells), 0))
    if not pc.any(needs).as_py():
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), cells)
