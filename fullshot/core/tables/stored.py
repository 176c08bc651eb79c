"""A table's files: a CSV, which people read and change, and a Parquet, which stages read, and which says the same.

The Parquet's record, written last, has the digest of the CSV that it belongs to. Where the two differ, the CSV is
right: somebody changed it, or a run was ended between the two. It is checked then, and the Parquet is made again.
A CSV that was deleted is written again from the Parquet.
"""

import contextlib
import datetime
import itertools
import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from fullshot.core import files
from fullshot.core.errors import BadTable, MissingInput, StageFailed
from fullshot.core.progress import say
from fullshot.core.tables import cells, checking
from fullshot.core.tables.cells import DUCKDB_TYPES, from_parquet, literal, quoted
from fullshot.core.tables.connection import saying_what_failed
from fullshot.core.tables.schemas import MADE_ANEW, MADE_BY, PARQUETS, SCHEMAS, Kind, missing, parquet_of

if TYPE_CHECKING:
    from fullshot.core.tables.writing import TableRows


@dataclass(frozen=True)
class Record:
    """Which CSV a Parquet belongs to: the sha256, the size in bytes and the time of its last change in ns.

    ``parquet`` is the Parquet's own :func:`fullshot.core.files.sample_digest`: it may be damaged, or another command
    may have put its own in place, from an older CSV. ``coming`` is the sha256 of a CSV that is about to be put in
    place: where the CSV is that one, no person changed it, but a command was killed. ``by_hand``: the CSV was taken in
    as a person left it, and no command has written the table since.
    """

    digest: str
    size: int
    changed: int
    parquet: str
    coming: str = ""
    by_hand: bool = False


@dataclass(frozen=True)
class TableFiles:
    """The files of one table.

    Attributes:
        name: of the table.
        csv: the file that people read.
        parquet: the file that stages read.
        record: says which CSV the Parquet belongs to.
    """

    name: str
    csv: Path
    parquet: Path
    record: Path

    @classmethod
    def of(cls, root: Path, name: str, csv_file: Path) -> "TableFiles":
        """The files of a workspace's table; an export's Parquet lies beside its CSV."""
        return cls(name, csv_file, parquet_of(csv_file), root / PARQUETS / f"{name}.json")

    @property
    def query(self) -> str:
        """The query for the Parquet's rows, in their order."""
        return f"SELECT * FROM {from_parquet(self.parquet)}"

    def is_current(self) -> bool:
        """Whether the Parquet says what the CSV says."""
        kept = self._kept()
        return kept is not None and self._is_of_csv(kept) and files.sample_digest(self.parquet) == kept.parquet

    def was_changed(self) -> bool:
        """Whether the CSV is another one than fullshot wrote or took in last."""
        kept = self._kept()
        return kept is not None and not self._is_of_csv(kept) and files.digest(self.csv) != kept.coming

    def is_by_hand(self) -> bool:
        """Whether the table is as a person left it: it was changed, taken in, and not written by a command since."""
        kept = self._kept()
        return kept is not None and kept.by_hand

    def _is_of_csv(self, kept: Record) -> bool:
        status = self.csv.stat()
        if (status.st_size, status.st_mtime_ns) == (kept.size, kept.changed):
            return True
        if files.digest(self.csv) != kept.digest:
            return False
        # Copied, or touched: not to be hashed again.
        with contextlib.suppress(OSError):
            self._keep(replace(kept, size=status.st_size, changed=status.st_mtime_ns))
        return True

    def digest(self) -> str:
        """The sha256 of the CSV; empty where there is none."""
        if not self.csv.is_file():
            return ""
        kept, status = self._kept(), self.csv.stat()
        if kept is not None and (status.st_size, status.st_mtime_ns) == (kept.size, kept.changed):
            return kept.digest
        return files.digest(self.csv)

    def _kept(self) -> Record | None:
        kept = files.read_json(self.record)
        try:
            told = str(kept["digest"]), int(kept["size"]), int(kept["changed"]), str(kept["parquet"])
            return Record(*told, str(kept.get("coming", "")), kept.get("by_hand") is True)
        except (KeyError, TypeError, ValueError):
            return None

    def _keep(self, record: Record) -> None:
        files.write_text(self.record, json.dumps(asdict(record)) + "\n")

    def take_in(self, connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
        """Check the CSV, and make the Parquet from it.

        Returns:
            How many rows it has, and how many of empty cells alone were left out.

        Raises:
            BadTable: it is no CSV, a column is missing, or cells are not what the schema says; nothing is written.
        """
        from fullshot.core.tables.csv_file import CsvCells

        # Its state first: where somebody saves it once more meanwhile, the record is of no state that it has then.
        status = self.csv.stat()
        digest = files.digest(self.csv)
        with saying_what_failed(), _unfinished(self.parquet) as part, _unfinished(self.record) as copy:
            csv_cells = CsvCells.copied(self.name, self.csv, copy)
            csv_cells.check(connection)
            copied = connection.execute(f"COPY ({csv_cells.query()}) TO {literal(str(part))} {_AS_PARQUET}").fetchone()
            count = int(copied[0]) if copied else 0
            empty = csv_cells.count() - count
            parquet, by_hand = files.sample_digest(part), self._is_of_a_person(digest)
            record = Record(digest, status.st_size, status.st_mtime_ns, parquet, by_hand=by_hand)
            _put_in_place(part, self.parquet)
        self._keep(record)
        return count, empty

    def _is_of_a_person(self, digest: str) -> bool:
        kept = self._kept()
        return kept is not None and digest != kept.coming and (kept.by_hand or digest != kept.digest)

    def write(self, connection: duckdb.DuckDBPyConnection, query: str) -> int:
        """Check the rows of a query and write them; a reader sees the old files or the new ones, never a part.

        Args:
            connection: that knows what the query names.
            query: gives the schema's columns, each of its kind, and further ones.

        Returns:
            How many rows it gave.

        Raises:
            BadTable: a cell is not what the schema says; the files stay as they were.
        """
        with saying_what_failed(), self._next() as (parquet, csv_file):
            values = f"SELECT {_in_order(connection, self.name, query, str(self.csv))} FROM ({query})"
            copied = connection.execute(f"COPY ({values}) TO {literal(str(parquet))} {_AS_PARQUET}").fetchone()
            self._check(connection, parquet)
            self._put_in_place(parquet, csv_file, _write_csv(connection, parquet, csv_file))
        return int(copied[0]) if copied else 0

    @contextlib.contextmanager
    def writing(self, connection: duckdb.DuckDBPyConnection) -> "Iterator[TableRows]":
        """As :meth:`write`, of rows that come within the ``with`` block: its end checks them and puts them in place.

        Raises:
            BadTable: a cell is not what the schema says; the files stay as they were.
        """
        from fullshot.core.tables.writing import TableRows

        with saying_what_failed(), self._next() as (parquet, csv_file):
            with TableRows(parquet, csv_file, self.name) as rows:
                yield rows
            self._check(connection, parquet)
            self._put_in_place(parquet, csv_file, rows.digest)

    @contextlib.contextmanager
    def _next(self) -> Iterator[tuple[Path, Path]]:
        with _unfinished(self.parquet) as parquet, _unfinished(self.csv) as csv_file:
            yield parquet, csv_file

    def _check(self, connection: duckdb.DuckDBPyConnection, parquet: Path) -> None:
        relation = f"SELECT * FROM {from_parquet(parquet)}"
        rows = checking.Rows(relation, checking.numbered(relation), {})
        checking.check(connection, SCHEMAS[self.name], rows, str(self.csv))

    def _put_in_place(self, parquet: Path, csv_file: Path, digest: str) -> None:
        status = csv_file.stat()
        record = Record(digest, status.st_size, status.st_mtime_ns, files.sample_digest(parquet))
        if before := self._kept():
            self._keep(replace(before, coming=record.digest))
        _put_in_place(csv_file, self.csv)
        _put_in_place(parquet, self.parquet)
        self._keep(record)

    def set_aside(self) -> Path:
        """Keep a CSV that is about to be written anew under another name."""
        changed = datetime.datetime.fromtimestamp(self.csv.stat().st_mtime, datetime.UTC)
        name = f"{self.csv.stem}.changed-{changed:%Y%m%dT%H%M%S}"
        aside = self.csv.with_name(f"{name}.csv")
        for number in itertools.count(2):  # of one second there may be several
            if not aside.exists() or files.digest(aside) == files.digest(self.csv):
                break
            aside = self.csv.with_name(f"{name}-{number}.csv")
        shutil.copy2(self.csv, aside)
        return aside

    def _for_how_long(self) -> str:
        if self.name not in MADE_ANEW:
            return ""
        lasting = ", and what is to last belongs in verdicts.csv" if self.name == "curated" else ""
        aside = self.set_aside().name
        return f"; `fullshot {MADE_BY[self.name]}` makes it anew: the changed one is kept as {aside}{lasting}"

    def relation(self, connection: duckdb.DuckDBPyConnection) -> str:
        """The query for the table's rows, in their order; the Parquet is made first where the CSV is another one.

        Raises:
            MissingInput: there is no such table; says which command makes it.
            BadTable: the CSV was changed to what the schema does not allow.
            StageFailed: the system refuses to let the Parquet, or a CSV that was deleted, be written.
        """
        if not self.csv.is_file():
            self.write_again(connection)
        if not self.is_current():
            before, was_changed = self._kept(), self.was_changed()
            rows, is_there = self._rows(connection) if was_changed else None, self.parquet.is_file()
            try:
                count, empty = self.take_in(connection)
            except OSError as error:
                why = f"{error.strerror or error}: {error.filename or self.parquet}"
                raise StageFailed(f"{self.csv} cannot be taken into {self.parquet}: {why}") from None
            if was_changed:
                counts = f"{count} rows now" if rows is None else f"{rows} rows before, {count} now"
                left_out = f", {empty} without a cell left out" if empty else ""
                taken = f"taken in ({counts}{left_out}){self._for_how_long()}"
                say(f"fullshot: {self.csv} was changed since it was written: {taken}")
            elif before is not None:
                why = "is damaged" if is_there else "is missing"
                if before.coming:
                    why = "was not finished by a command that was ended"
                say(f"fullshot: {self.parquet} {why}: made again from {self.csv.name}")
        return self.query

    def write_again(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Write a CSV that was deleted, from its Parquet.

        Raises:
            MissingInput: there is no Parquet either; says which command makes the table.
            StageFailed: the Parquet is damaged, or the system refuses to let the CSV be written.
        """
        if not self.parquet.is_file():
            raise MissingInput(missing(self.name, self.csv))
        try:
            with saying_what_failed(), _unfinished(self.csv) as csv_file:
                digest, parquet = _write_csv(connection, self.parquet, csv_file), files.sample_digest(self.parquet)
                status, before = csv_file.stat(), self._kept()
                by_hand = before is not None and before.by_hand
                if before:
                    self._keep(replace(before, coming=digest))
                _put_in_place(csv_file, self.csv)
            self._keep(Record(digest, status.st_size, status.st_mtime_ns, parquet, by_hand=by_hand))
        except OSError as error:
            why = f"{error.strerror or error}: {error.filename or self.csv}"
            raise StageFailed(f"{self.csv} was deleted, and cannot be written from {self.parquet}: {why}") from None
        again = f"written again from {self.parquet}; to be rid of the table, delete that file as well"
        say(f"fullshot: {self.csv} was deleted: {again}")

    def _rows(self, connection: duckdb.DuckDBPyConnection) -> int | None:
        """How many rows the Parquet has; None where it is not whole."""
        kept = self._kept()
        if kept is None or files.sample_digest(self.parquet) != kept.parquet:
            return None
        with saying_what_failed():
            counted = connection.execute(f"SELECT count(*) FROM {from_parquet(self.parquet)}").fetchone()
        return int(counted[0]) if counted else None


def _write_csv(connection: duckdb.DuckDBPyConnection, parquet: Path, csv_file: Path) -> str:
    """Write the rows of a Parquet as a CSV; returns its sha256."""
    from fullshot.core.tables.writing import ROWS_AT_ONCE, CsvRows

    described = connection.execute(f"DESCRIBE FROM {from_parquet(parquet)}").fetchall()
    types = {column: kind for column, kind, *_ in described}
    written = ", ".join(cells.written(column, kind) for column, kind in types.items())
    batches = connection.sql(f"SELECT {written} FROM {from_parquet(parquet)}").to_arrow_reader(ROWS_AT_ONCE)
    texts = [column for column, kind in types.items() if kind == "VARCHAR"]
    with CsvRows(csv_file, batches.schema, texts) as rows:
        for batch in batches:
            rows.append(batch)
    return rows.digest


# Level 1 makes these files as small as level 3, which is the default, does in less time.
_AS_PARQUET = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"


@contextlib.contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """A name beside a file for its next content, which is removed where it was not put in place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _put_in_place(part: Path, target: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)


def _in_order(connection: duckdb.DuckDBPyConnection, name: str, query: str, where: str) -> str:
    """A table's columns in order, each in its type, and then the query's further ones.

    Raises:
        BadTable: one is missing.
    """
    there = [row[0] for row in connection.execute(f"DESCRIBE {query}").fetchall()]
    schema = SCHEMAS[name].columns
    for column in schema:
        if column not in there:
            raise BadTable(f"{where}: expected a column {column}")
    if ours := cells.reserved(there):
        raise BadTable(f"{where}: expected another name for the column {', '.join(ours)}: fullshot uses it itself")
    typed = [f"{_as_kind(column, rule.kind)} AS {quoted(column)}" for column, rule in schema.items()]
    return ", ".join([*typed, *(quoted(column) for column in there if column not in schema)])


def _as_kind(column: str, kind: Kind) -> str:
    value = f"CAST({quoted(column)} AS {DUCKDB_TYPES[kind]})"
    if kind == "number":
        return cells.known_number(value)
    return f"nullif({value}, '')" if kind == "text" else value
