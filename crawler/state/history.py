"""What a crawl knows from before: where products and pictures were found, and what to ask for them again with."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fullshot.crawler.database import Database
from fullshot.crawler.frontier.task import PICTURE, Task
from fullshot.crawler.politeness import HostStats

_OF_ONE_CRAWL = ("products", "seen", "others", "failures", "hosts", "known", "incomplete", "excluded", "meta")
PICTURE_COLUMNS = ("url", "image_id", "path", "width", "height", "bytes", "fetched_at")
"""What is known of a picture: columns of ``images``."""


@dataclass(frozen=True)
class Validators:
    """What a conditional request sends back: the last answer's ``ETag`` and ``Last-Modified`` (RFC 9110, 8.8)."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The request headers; none where the last answer gave nothing to ask with."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value}


class History:
    """The tables of ``crawl.db`` that outlive a crawl, and what a new one is told when it begins.

    Args:
        path: the file; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._db = Database(path)

    def meta(self, key: str) -> str | None:
        """What was noted of this crawl."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def note(self, key: str, value: str) -> None:
        """Note something of this crawl."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def clear(self) -> None:
        """Forget the crawl; what helps the next one stays."""
        with self._db.transaction():
            for name in _OF_ONE_CRAWL:
                self._db.execute(f"DELETE FROM {name}")

    # What a crawl is told when it begins.

    def add_products(self, products: Iterable[tuple[str, str]], done: Iterable[str], incomplete: Iterable[str]) -> None:
        """Say which products there are, and which of them are done: their pages are passed over.

        Args:
            products: address of the page and ``product_id``, of every product.
            done: ``product_id`` of those that are done, as far as their tables say.
            incomplete: addresses of pages of which a picture is missing: their products are not done.
        """
        with self._db.transaction():
            # Where it is known at which address a product was found, what its table says is not needed.
            self._db.executemany(
                "INSERT OR IGNORE INTO pages (url, product_id) SELECT ?, ?"
                " WHERE NOT EXISTS (SELECT 1 FROM pages WHERE product_id = ?)",
                ((url, product_id, product_id) for url, product_id in products),
            )
            self._db.executemany("INSERT OR IGNORE INTO incomplete VALUES (?)", ((page,) for page in incomplete))
            self._db.execute("CREATE TEMP TABLE IF NOT EXISTS done (product_id TEXT PRIMARY KEY)")
            self._db.execute("DELETE FROM done")
            self._db.executemany("INSERT OR IGNORE INTO done VALUES (?)", ((product_id,) for product_id in done))
            missing = "SELECT product_id FROM pages WHERE url IN (SELECT page FROM incomplete)"
            self._db.execute(f"DELETE FROM done WHERE product_id IN ({missing})")
            self._db.execute(
                "INSERT OR IGNORE INTO known SELECT url FROM pages WHERE product_id IN (SELECT product_id FROM done)"
            )

    def add_pictures(
        self, rows: Iterable[tuple[Any, ...]], is_there: Callable[[str], bool], bad: Iterable[str] = ()
    ) -> None:
        """Bring in the pictures of a table, and forget those whose file is gone or bad.

        Args:
            rows: of ``images``, :data:`PICTURE_COLUMNS` of those with an address.
            is_there: called with a path; whether the file is there.
            bad: addresses of those whose file does not hold what it should.
        """
        with self._db.transaction():
            places = ", ".join("?" * len(PICTURE_COLUMNS))
            names = ", ".join(PICTURE_COLUMNS)
            self._db.executemany(f"INSERT OR IGNORE INTO pictures ({names}) VALUES ({places})", rows)
            gone = [(url,) for url, path in self._db.execute("SELECT url, path FROM pictures") if not is_there(path)]
            gone += [(url,) for url in bad]
            self._db.executemany("DELETE FROM pictures WHERE url = ?", gone)

    def add_fetched(self, products: Iterable[tuple[str, str]]) -> None:
        """Say when products were fetched last: ``product_id`` and the time; kept as long as the file is open."""
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS fetched (product_id TEXT PRIMARY KEY, at TEXT NOT NULL)")
        self._db.executemany("INSERT OR REPLACE INTO fetched VALUES (?, ?)", products)

    def last_fetched(self, product_id: str) -> str:
        """When a product was fetched last, of those that :meth:`add_fetched` named; empty: it is not known."""
        row = self._db.execute("SELECT at FROM fetched WHERE product_id = ?", (product_id,)).fetchone()
        return row[0] if row else ""

    def exclude(self, urls: Iterable[str]) -> None:
        """Say which pictures this crawl does not ask for."""
        self._db.executemany("INSERT OR IGNORE INTO excluded VALUES (?)", ((url,) for url in urls))

    def start_at(self, hosts: Iterable[str], shop: str | None) -> None:
        """Note hosts that the user starts at, and the shop that they were named as."""
        query = "INSERT INTO origins VALUES (?, ?) ON CONFLICT DO UPDATE SET shop = excluded.shop WHERE ?"
        self._db.executemany(query, ((host, shop or "", shop is not None) for host in hosts))

    # What is known.

    def origins(self) -> dict[str, str]:
        """The hosts that the user ever started at, and whose page object reads them; empty: it goes by the address."""
        return dict(self._db.execute("SELECT host, shop FROM origins"))

    def pages(self) -> list[str]:
        """The addresses at which products were found."""
        return [url for (url,) in self._db.execute("SELECT url FROM pages ORDER BY rowid")]

    def was_seen(self, url: str) -> bool:
        """Whether a product was ever found on this page."""
        return self._has("pages", url)

    def is_known(self, url: str) -> bool:
        """Whether the product of this page was done before this crawl."""
        return self._has("known", url)

    def has_picture(self, url: str) -> bool:
        """Whether the picture of an address is in the store."""
        return self._has("pictures", url)

    def is_wanted(self, url: str) -> bool:
        """Whether to ask for a picture: it is not there, or this crawl looks whether it has changed."""
        if self._has("excluded", url):
            return False
        row = self._db.execute("SELECT etag, last_modified FROM pictures WHERE url = ?", (url,)).fetchone()
        return row is None or (self.meta("mode") == "update" and any(row))

    def listed(self, url: str) -> str | None:
        """What a listing says of the product at an address, as JSON."""
        row = self._db.execute("SELECT says FROM listed WHERE url = ?", (url,)).fetchone()
        return row[0] if row else None

    def validators(self, task: Task) -> Validators:
        """What the last answer of this address gave to ask with; nothing where a picture of the page is missing."""
        if self._db.execute("SELECT 1 FROM incomplete WHERE page = ?", (task.url,)).fetchone():
            return Validators()
        table = "pictures" if task.rank == PICTURE else "pages"
        row = self._db.execute(f"SELECT etag, last_modified FROM {table} WHERE url = ?", (task.url,)).fetchone()
        return Validators(*row) if row else Validators()

    def _has(self, table: str, url: str) -> bool:
        return self._db.execute(f"SELECT 1 FROM {table} WHERE url = ?", (url,)).fetchone() is not None

    def count(self, table: str) -> int:
        """How many rows a table has."""
        (count,) = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(count)

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query."""
        yield from self._db.execute(query)

    # The hosts: how the crawl behaved towards each, and what their pages need.

    def save_hosts(self, hosts: Iterable[HostStats]) -> None:
        """Write down how the crawl behaved towards each host."""
        with self._db.transaction():
            values = ((host.name, json.dumps(host.row())) for host in hosts)
            self._db.executemany("INSERT OR REPLACE INTO hosts VALUES (?, ?)", values)

    def hosts(self) -> dict[str, dict[str, Any]]:
        """What is written down of each host: its row of ``ledger``."""
        return {host: json.loads(record) for host, record in self._db.execute("SELECT host, record FROM hosts")}

    def remember_renderer(self, host: str, rank: int, renderer: str) -> None:
        """A host's pages of this rank need a renderer: the next crawl begins with it."""
        self._db.execute("INSERT OR REPLACE INTO renderers VALUES (?, ?, ?)", (host, rank, renderer))

    def renderers(self, host: str) -> dict[int, str]:
        """The renderer that a host's pages were found to need, by their rank."""
        return dict(self._db.execute("SELECT rank, renderer FROM renderers WHERE host = ?", (host,)))
