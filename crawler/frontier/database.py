"""The SQLite file behind a crawl's state: its tables, and what is kept of one crawl for the next."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from fullshot.core.errors import StageFailed
from fullshot.crawler.politeness import Host

_VERSION = 2
_SCHEMA = """
CREATE TABLE requests (
    id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, host TEXT NOT NULL, rank INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued', start INTEGER NOT NULL DEFAULT 0, page TEXT, renderer TEXT,
    tries INTEGER NOT NULL DEFAULT 0);
CREATE INDEX queue ON requests (host, rank, id) WHERE state = 'queued';
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
_OF_ONE_CRAWL = (
    "requests",
    "products",
    "seen",
    "others",
    "failures",
    "hosts",
    "known",
    "incomplete",
    "excluded",
    "meta",
)


class Database:
    """What a workspace's crawl has written down.

    Args:
        path: the file; made if it is not there.

    Raises:
        StageFailed: the file is no database, or a damaged one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")  # a kill loses nothing; a power cut, the last steps
            self._db.execute("PRAGMA busy_timeout = 10000")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version != _VERSION:
                self._make_anew()
        except sqlite3.DatabaseError as error:
            raise StageFailed(f"{path}: {error}: delete it, the tables stand without it") from None

    def _make_anew(self) -> None:
        names = [row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        drops = "".join(f"DROP TABLE {name};" for name in names)
        self._db.executescript(f"BEGIN; {drops} {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def meta(self, key: str) -> str | None:
        """What was noted of this crawl."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def note(self, key: str, value: str) -> None:
        """Note something of this crawl."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def clear(self) -> None:
        """Forget the crawl; what helps the next one stays."""
        with self._db:
            self._db.execute("BEGIN")
            for name in _OF_ONE_CRAWL:
                self._db.execute(f"DELETE FROM {name}")  # noqa: S608

    def know(self, products: Iterable[tuple[str, str]], done: Iterable[str], incomplete: Iterable[str]) -> None:
        """Say which products there are, and which of them are done: their pages are passed over.

        Args:
            products: address of the page and ``product_id``, of every product.
            done: ``product_id`` of those that are done, as far as their tables say.
            incomplete: addresses of pages of which a picture is missing: their products are not done.
        """
        with self._db:
            self._db.execute("BEGIN")
            # Where it is known at which address a product was found, what its table says is not needed.
            self._db.executemany(
                "INSERT OR IGNORE INTO pages (url, product_id) SELECT ?, ?"
                " WHERE NOT EXISTS (SELECT 1 FROM pages WHERE product_id = ?)",
                ((url, one, one) for url, one in products),
            )
            self._db.executemany("INSERT OR IGNORE INTO incomplete VALUES (?)", ((page,) for page in incomplete))
            self._db.execute("CREATE TEMP TABLE IF NOT EXISTS done (product_id TEXT PRIMARY KEY)")
            self._db.execute("DELETE FROM done")
            self._db.executemany("INSERT OR IGNORE INTO done VALUES (?)", ((one,) for one in done))
            missing = "SELECT product_id FROM pages WHERE url IN (SELECT page FROM incomplete)"
            self._db.execute(f"DELETE FROM done WHERE product_id IN ({missing})")  # noqa: S608
            self._db.execute(
                "INSERT OR IGNORE INTO known SELECT url FROM pages WHERE product_id IN (SELECT product_id FROM done)"
            )

    def exclude(self, urls: Iterable[str]) -> None:
        """Say which pictures this crawl is not to ask for."""
        self._db.executemany("INSERT OR IGNORE INTO excluded VALUES (?)", ((url,) for url in urls))

    def note_unfinished(self, moment: str) -> None:
        """Write down as failures the pictures that a crawl had yet to fetch when it was given up."""
        self._db.execute(
            "INSERT OR IGNORE INTO failures SELECT url, coalesce(page, ''), 'picture', 'not-fetched',"
            " 'the crawl was given up before', ? FROM requests WHERE rank = 0 AND state IN ('queued', 'flying')",
            (moment,),
        )

    def origins(self) -> dict[str, str]:
        """The hosts that the user ever started at, and whose page object reads them; empty: it goes by the address."""
        return dict(self._db.execute("SELECT host, shop FROM origins"))

    def start_at(self, hosts: Iterable[str], shop: str | None) -> None:
        """Note hosts that the user starts at, and the shop that they were named as."""
        query = "INSERT INTO origins VALUES (?, ?) ON CONFLICT DO UPDATE SET shop = excluded.shop WHERE ?"
        self._db.executemany(query, ((host, shop or "", shop is not None) for host in hosts))

    def pages(self) -> list[str]:
        """The addresses at which products were found."""
        return [url for (url,) in self._db.execute("SELECT url FROM pages ORDER BY rowid")]

    def keep_pictures(
        self, rows: Iterable[Mapping[Any, Any]], is_there: Callable[[str], bool], bad: Iterable[str] = ()
    ) -> None:
        """Bring in the pictures of a table, and forget those whose file is gone or bad.

        Args:
            rows: of ``images``.
            is_there: called with a path; whether the file is there.
            bad: addresses of those whose file does not hold what it should.
        """
        values = ((r["url"], *(r[c] for c in _PICTURE_COLUMNS)) for r in rows if isinstance(r["url"], str))
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT OR IGNORE INTO pictures (url, image_id, path, width, height, bytes, fetched_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            gone = [(url,) for url, path in self._db.execute("SELECT url, path FROM pictures") if not is_there(path)]
            gone += [(url,) for url in bad]
            self._db.executemany("DELETE FROM pictures WHERE url = ?", gone)

    def skipped(self) -> int:
        """How many products this crawl passed over because they were done before."""
        (count,) = self._db.execute("SELECT count(*) FROM requests WHERE state = 'skipped'").fetchone()
        return int(count)

    def count(self, table: str) -> int:
        """How many rows a table has."""
        (count,) = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        return int(count)

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query."""
        yield from self._db.execute(query)

    def save_hosts(self, hosts: Iterable[Host]) -> None:
        """Write down how the crawl behaved towards each host."""
        with self._db:
            self._db.execute("BEGIN")
            values = ((host.name, json.dumps(host.record())) for host in hosts)
            self._db.executemany("INSERT OR REPLACE INTO hosts VALUES (?, ?)", values)

    def hosts(self) -> dict[str, dict[str, Any]]:
        """What is written down of each host."""
        return {host: json.loads(record) for host, record in self._db.execute("SELECT host, record FROM hosts")}

    def remember_renderer(self, host: str, rank: int, renderer: str) -> None:
        """A host's pages of this rank need a browser: the next crawl begins with it."""
        self._db.execute("INSERT OR REPLACE INTO renderers VALUES (?, ?, ?)", (host, rank, renderer))

    def renderers(self, host: str) -> dict[int, str]:
        """The browser that a host's pages were found to need, by their rank."""
        return dict(self._db.execute("SELECT rank, renderer FROM renderers WHERE host = ?", (host,)))


_PICTURE_COLUMNS = ("image_id", "path", "width", "height", "bytes", "fetched_at")
