"""The SQLite file ``crawl.db`` of a workspace: a connection, its transactions, and the tables of results."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from fullshot.core.errors import StageFailed

FILE = "crawl.db"
"""The file's name in a workspace."""

_VERSION = 2
_SCHEMA = """
CREATE TABLE products (product_id TEXT PRIMARY KEY, page TEXT NOT NULL, found TEXT NOT NULL, seen_at TEXT NOT NULL);
CREATE TABLE seen (page TEXT PRIMARY KEY, gone INTEGER NOT NULL, seen_at TEXT NOT NULL);
CREATE TABLE failures (
    url TEXT NOT NULL, page TEXT NOT NULL, kind TEXT NOT NULL, class TEXT NOT NULL, message TEXT, failed_at TEXT,
    PRIMARY KEY (url, page));
CREATE TABLE others (url TEXT PRIMARY KEY, reason TEXT NOT NULL);
CREATE TABLE hosts (host TEXT PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE known (url TEXT PRIMARY KEY);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE pictures (
    url TEXT PRIMARY KEY, image_id TEXT NOT NULL, path TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    bytes INTEGER NOT NULL, fetched_at TEXT NOT NULL, etag TEXT, last_modified TEXT);
CREATE TABLE pages (url TEXT PRIMARY KEY, product_id TEXT NOT NULL, etag TEXT, last_modified TEXT);
CREATE INDEX pages_of ON pages (product_id);
CREATE TABLE incomplete (page TEXT PRIMARY KEY);
CREATE TABLE excluded (url TEXT PRIMARY KEY);
CREATE TABLE listed (url TEXT PRIMARY KEY, says TEXT NOT NULL);
CREATE TABLE origins (host TEXT PRIMARY KEY, shop TEXT NOT NULL);
CREATE TABLE renderers (host TEXT NOT NULL, rank INTEGER NOT NULL, renderer TEXT NOT NULL, PRIMARY KEY (host, rank));
"""


class Database:
    """A connection to the file.

    Args:
        path: the file; made if it is not there.

    Raises:
        StageFailed: the file is no database, or a damaged one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # A query's rows may be taken by a thread of whoever reads them, one at a time.
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self.execute("PRAGMA journal_mode = WAL")
            self.execute("PRAGMA synchronous = NORMAL")  # a kill loses nothing; a power cut, the last steps
            self.execute("PRAGMA busy_timeout = 10000")
            (version,) = self.execute("PRAGMA user_version").fetchone()
            if version != _VERSION:
                self._make_anew()
        except sqlite3.DatabaseError as error:
            raise StageFailed(f"{path}: {error}: delete it, the tables stand without it") from None

    def _make_anew(self) -> None:
        names = [row[0] for row in self.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        drops = "".join(f"DROP TABLE {name};" for name in names)
        self.create(f"BEGIN; {drops} {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")

    def create(self, schema: str) -> None:
        """Run statements that make tables."""
        self._connection.executescript(schema)

    def execute(self, query: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(query, tuple(values))

    def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values."""
        self._connection.executemany(query, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What is done within is written as a whole or not at all; one within another is a part of that one."""
        if self._connection.in_transaction:
            yield
            return
        with self._connection:
            self._connection.execute("BEGIN")
            yield

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
