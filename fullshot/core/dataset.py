"""The tables of a workspace as one command sees them: opened once, and handed on."""

import contextlib
import itertools
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from fullshot.core import derived
from fullshot.core.progress import say
from fullshot.core.tables.cells import from_parquet, literal, quoted
from fullshot.core.tables.connection import opened, saying_what_failed, spill_folder
from fullshot.core.tables.schemas import MADE_ANEW, SCHEMAS, columns, is_there
from fullshot.core.tables.stored import TableFiles

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

    from fullshot.core.tables.writing import TableRows
    from fullshot.core.workspace import Workspace

_Kind = Literal["TABLE", "VIEW"]

_NAMED = re.compile(r"\b(?:from|join)\s+([a-z_]\w*)", re.IGNORECASE)

_QUOTED = re.compile(r"""--[^\n]*|'[^']*'|"[^"]*\"""")
"""Texts, names in quotation marks and comments: a folder may well be called "pictures from boxes"."""


class Dataset:
    """The tables of a workspace, in DuckDB: each is opened when it is first asked for, and never again.

    To open one is to see whether its CSV was changed by hand, and to take that in. Queries name tables as
    ``FROM images`` or ``JOIN images``, and those of :mod:`fullshot.core.derived` as well; they read the columns and the
    row groups that they need. A table's rows keep the order of the file as long as a query does not change it; a query
    that joins says ``ORDER BY``. Joins are done as they are written: the rows of the left side stream by, those of the
    right side are kept in memory, so the longer table stands first.

    Args:
        workspace: where the tables lie.
        wanted: the columns that ``SELECT *`` gives of a table; all of them of one that is not named.

    Attributes:
        reads: how often each table was opened.
        changed: the tables that were written, and whose CSV says something else since.

    Example:
        >>> with workspace.open({"images": ("image_id", "path")}) as data:  # doctest: +SKIP
        ...     data.frame("images")
    """

    def __init__(self, workspace: "Workspace", wanted: Mapping[str, Sequence[str]] | None = None) -> None:
        self.workspace = workspace
        self.reads: Counter[str] = Counter()
        self.changed: set[str] = set()
        self._wanted = dict(wanted or {})
        self._here: dict[str, _Kind] = {}
        self._numbers = itertools.count()
        self._spill = spill_folder(workspace.root)
        self._connection = opened(self._spill)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the memory."""
        self._connection.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def has(self, name: str) -> bool:
        """Whether there is such a table."""
        return name in self._here or is_there(self.workspace.table(name))

    def is_by_hand(self, name: str) -> bool:
        """Whether a table is as a person left it: it was changed, taken in, and not written by a command since."""
        return self._files(name).is_by_hand()

    def frame(self, name: str, wanted: Sequence[str] = ()) -> "pd.DataFrame":
        """A table's rows, in the order of its file, each column with its dtype.

        Args:
            name: of the table.
            wanted: its columns; none: all that this data set reads of it.

        Raises:
            MissingInput: the workspace or the table is not there; says what to run first.
            BadTable: a cell is not what the schema says.
        """
        return self.query(f"SELECT {', '.join(map(quoted, wanted)) or '*'} FROM {name}")

    def frame_if_there(self, name: str, wanted: Sequence[str] = ()) -> "pd.DataFrame":
        """A table's rows; without the file, none."""
        self.make_if_missing(name)
        return self.frame(name, wanted)

    def make_if_missing(self, name: str) -> None:
        """Let queries find no rows in a table that is not there."""
        if not self.has(name):
            kinds = ", ".join(f"{quoted(column)} {derived.type_of(name, column)}" for column in columns(name))
            self._connection.execute(f"CREATE TABLE {name} ({kinds})")
            self._here[name] = "TABLE"

    def query(self, sql: str, **parameters: Any) -> "pd.DataFrame":
        """The rows that a query gives, each column with its dtype.

        Args:
            sql: the query; ``$name`` stands for a parameter.
            parameters: their values.

        Raises:
            MissingInput: the workspace or a table is not there; says what to run first.
            BadTable: a cell of a table is not what the schema says.
            StageFailed: there is no more memory or disk.
        """
        from fullshot.core.tables.frames import from_arrow

        return from_arrow(self.arrow(sql, **parameters))

    def arrow(self, sql: str, **parameters: Any) -> "pyarrow.Table":
        """As :meth:`query`, as an Arrow table."""
        self._make_known(sql)
        with saying_what_failed():
            return self._connection.sql(sql, params=parameters or None).to_arrow_table()

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """As :meth:`query`, as tuples, an empty cell None; needs neither pandas nor Arrow."""
        self._make_known(sql)
        with saying_what_failed():
            return self._connection.execute(sql, parameters).fetchall()

    def batches(self, sql: str, size: int = 100_000, **parameters: Any) -> "pyarrow.RecordBatchReader":
        """As :meth:`query`, some rows at a time; to be read to its end before the next query."""
        self._make_known(sql)
        with saying_what_failed():
            return self._connection.sql(sql, params=parameters or None).to_arrow_reader(size)

    def stream(self, sql: str, **parameters: Any) -> Iterator[tuple[Any, ...]]:
        """As :meth:`rows`, some at a time; to be read to its end before the next query."""
        for batch in self.batches(sql, **parameters):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    def interrupt(self) -> None:
        """End the query that another thread runs: it fails."""
        self._connection.interrupt()

    def create(self, name: str, rows: "str | pd.DataFrame | pyarrow.Table") -> None:
        """Keep rows under a name for later queries, on disk; what had the name is gone.

        Args:
            name: of no table of the workspace.
            rows: a query, a DataFrame or an Arrow table; of types that Parquet has.
        """
        source = self._source(rows)
        self._spill.mkdir(parents=True, exist_ok=True)
        file = self._spill / f"{name}-{next(self._numbers)}.parquet"
        with saying_what_failed():
            self._connection.execute(f"COPY ({source}) TO {literal(str(file))} (FORMAT parquet, COMPRESSION lz4)")
        self.define(name, f"SELECT * FROM {from_parquet(file)}")

    def give(self, name: str, rows: "pyarrow.RecordBatchReader") -> None:
        """Let the next query see rows that are made as it asks for them; they can be asked for once.

        Args:
            name: of no table of the workspace.
            rows: some at a time.
        """
        self._connection.register(name, rows)

    def define(self, name: str, sql: str) -> None:
        """Let later queries ask a query by name; what had the name is gone.

        Args:
            name: of no table of the workspace.
            sql: the query, without parameters.
        """
        self._make_known(sql)
        self.drop(name)
        self._connection.execute(f"CREATE VIEW {name} AS {sql}")
        self._here[name] = "VIEW"

    def create_rows(self, name: str, kinds: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
        """Keep few rows under a name for later queries.

        Args:
            name: of no table of the workspace.
            kinds: its columns and their types in DuckDB.
            rows: their values.
        """
        columns_ = ", ".join(f"{quoted(column)} {kind}" for column, kind in kinds.items())
        self.drop(name)
        self._connection.execute(f"CREATE TABLE {name} ({columns_})")
        if rows:
            self._connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(kinds))})", rows)
        self._here[name] = "TABLE"

    def drop(self, name: str) -> None:
        """Forget what has a name; asked for again, it is made or opened again."""
        kind = self._here.pop(name, None)
        if kind:
            self._connection.execute(f"DROP {kind} {name}")

    def write(self, name: str, rows: "str | pd.DataFrame | pyarrow.Table | pyarrow.RecordBatchReader") -> int:
        """Check a table's rows and write them in one step; later queries see them.

        Args:
            name: of the table.
            rows: a query, a DataFrame, an Arrow table or a reader of one.

        Returns:
            How many there are.

        Raises:
            BadTable: a cell is not what the schema says, or the table was changed by hand to what the schema does not
                allow, since; its files stay as they were.
            StageFailed: there is no more memory or disk.
        """
        files = self._files(name)
        self._keep_changes(files)
        source = self._source(rows, name)
        before = files.digest()
        count = files.write(self._connection, source)
        self._is_written(files, before)
        return count

    @contextlib.contextmanager
    def writing(self, name: str) -> "Iterator[TableRows]":
        """As :meth:`write`, of rows that come within the ``with`` block: its end checks them and puts them in place.

        Several tables at once can be made from one query.
        """
        files = self._files(name)
        self._keep_changes(files)
        before = files.digest()
        with files.writing(self._connection) as rows:
            yield rows
        self._is_written(files, before)

    def _is_written(self, files: TableFiles, before: str) -> None:
        if files.digest() != before:
            self.changed.add(files.name)
        if files.name in self._here:
            self._bind(files.name, files.query)
        if files.name == derived.LOOKED_UP:
            self.drop("wears")

    def _keep_changes(self, files: TableFiles) -> None:
        """What a person changed, and this command did not see, is not written over without a word."""
        if not files.csv.is_file() or not files.was_changed():
            return
        if files.name in MADE_ANEW:
            files.relation(self._connection)  # it says so, and keeps the changed one
            return
        files.take_in(self._connection)  # nonsense is refused
        aside = files.set_aside()
        say(f"fullshot: {files.csv} was changed by hand and is written anew: the changed one is kept as {aside.name}")

    def lookup(self, name: str, **keys: Any) -> list[dict[str, Any]]:
        """The rows of a table with these values, straight from the file: for one picture's, the table is not read.

        Args:
            name: of the table.
            keys: columns and their value.

        Raises:
            MissingInput: the workspace or the table is not there; says what to run first.
            BadTable: a cell is not what the schema says.
        """
        condition = " AND ".join(f"{quoted(column)} = ${column}" for column in keys)
        return self.find(name, condition, **keys)

    def find(self, name: str, condition: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a table that meet a condition, straight from the file; see :meth:`lookup`."""
        relation = self._relation(name, self._files(name))
        with saying_what_failed():
            answer = self._connection.execute(f"SELECT * FROM ({relation}) WHERE {condition}", parameters)
            names = [column[0] for column in answer.description or []]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def _files(self, name: str) -> TableFiles:
        return TableFiles.of(self.workspace.root, name, self.workspace.table(name))

    def _source(self, rows: Any, name: str = "") -> str:
        """Rows as a query."""
        if isinstance(rows, str):
            self._make_known(rows)
            return rows
        if type(rows).__module__.startswith("pandas"):
            from fullshot.core.tables.frames import to_arrow, typed_columns

            rows = to_arrow(name, typed_columns(name, rows, str(self.workspace.table(name))) if name else rows)
        self._connection.register("given rows", rows)
        return 'SELECT * FROM "given rows"'

    def _make_known(self, sql: str) -> None:
        """Open the tables that a query names."""
        for name in dict.fromkeys(_NAMED.findall(_QUOTED.sub("''", sql))):
            if name in self._here:
                continue
            if name in derived.TABLES:
                make: Callable[[Dataset], None] = derived.TABLES[name]
                make(self)
            elif name in SCHEMAS:
                self.workspace.must_be_there()
                self._bind(name, self._relation(name, self._files(name)))

    def _bind(self, name: str, relation: str) -> None:
        wanted = ", ".join(map(quoted, self._wanted.get(name, ()))) or "*"
        self.drop(name)
        self._connection.execute(f"CREATE VIEW {name} AS SELECT {wanted} FROM ({relation})")
        self._here[name] = "VIEW"

    def _relation(self, name: str, files: TableFiles) -> str:
        self.reads[name] += 1
        return files.relation(self._connection)
