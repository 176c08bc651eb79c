"""What a crawl has done and has yet to do: one SQLite file in the workspace, ``crawl.db``.

Each step of a crawl is one transaction, so a kill at any moment leaves the steps before it, whole, and the requests
that were under way are simply still to be made. The tables are written from this file (see :mod:`crawler.merge`). When
a crawl is finished, only what helps the next one stays: where pictures and pages were found, and what to ask again
with.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fullshot.core.image_store import Stored
from fullshot.crawler.frontier.database import Database
from fullshot.crawler.items import ProductFound
from fullshot.crawler.politeness import host_of

FILE = "crawl.db"
"""The file's name in a workspace."""

PICTURE, PAGE, LISTING = range(3)
"""What an address leads to, in the order they are fetched in: what is begun is finished first, and a listing goes on
when there is nothing else to do. ``PAGE`` is a product page as far as is known."""


@dataclass(frozen=True)
class Task:
    """A request to be made.

    Attributes:
        rank: one of :data:`PICTURE`, :data:`PAGE`, :data:`LISTING`.
        start: whether the user gave this address.
        page: of a picture, the address of a product page that shows it.
        renderer: the browser to ask with, where it was found that one is needed.
        tries: how often it was begun, this time included.
    """

    id: int
    url: str
    host: str
    rank: int
    start: bool
    page: str | None
    renderer: str | None
    tries: int


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


class State(Database):
    """The state of a workspace's crawl: the frontier of requests, and what they brought.

    Args:
        path: the file; made if it is not there.

    Attributes:
        queued: how many requests are queued, by host and rank.
        flying: the pages under way, by the number of their request.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.queued: Counter[tuple[str, int]] = Counter()
        self.flying: set[int] = set()

    def clear(self) -> None:
        """Forget the crawl; what helps the next one stays."""
        super().clear()
        self.queued.clear()

    def open_frontier(self) -> None:
        """Put back what was under way when the last process ended, and what failed in it; count what is queued."""
        self._db.execute("UPDATE requests SET state = 'queued', tries = 0 WHERE state IN ('flying', 'failed')")
        rows = self._db.execute("SELECT host, rank, count(*) FROM requests WHERE state = 'queued' GROUP BY 1, 2")
        self.queued = Counter({(host, rank): count for host, rank, count in rows})

    def add(self, urls: Iterable[str], rank: int, *, start: bool = False, page: str | None = None) -> None:
        """Queue addresses that this crawl has not met yet."""
        for url in urls:
            host = host_of(url)
            added = self._db.execute(
                "INSERT OR IGNORE INTO requests (url, host, rank, start, page) VALUES (?, ?, ?, ?, ?)",
                (url, host, rank, start, page),
            ).rowcount
            self.queued[host, rank] += added

    def found(self) -> int:
        """How many products this crawl has found."""
        query = "SELECT (SELECT count(*) FROM products) + (SELECT count(*) FROM seen WHERE NOT gone)"
        return int(self._db.execute(query).fetchone()[0])

    def is_known(self, url: str) -> bool:
        """Whether the product of this page was done before this crawl."""
        return self._db.execute("SELECT 1 FROM known WHERE url = ?", (url,)).fetchone() is not None

    def take(self, host: str, most: int) -> Task | None:
        """The next request to a host, of this rank or one before it."""
        row = self._db.execute(
            "UPDATE requests SET state = 'flying', tries = tries + 1 WHERE id = (SELECT id FROM requests"
            " WHERE state = 'queued' AND host = ? AND rank <= ? ORDER BY rank, id LIMIT 1)"
            " RETURNING id, url, host, rank, start, page, renderer, tries",
            (host, most),
        ).fetchone()
        if row is None:
            return None
        task = Task(*row)
        self.queued[task.host, task.rank] -= 1
        if task.rank != PICTURE:
            self.flying.add(task.id)
        return task

    def task(self, url: str) -> Task:
        """The request of an address that this crawl has met."""
        query = "SELECT id, url, host, rank, start, page, renderer, tries FROM requests WHERE url = ?"
        return Task(*self._db.execute(query, (url,)).fetchone())

    def under_way(self) -> int:
        """How many requests were begun and not brought to an end."""
        (count,) = self._db.execute("SELECT count(*) FROM requests WHERE state = 'flying'").fetchone()
        return int(count)

    def again(self, task: Task, renderer: str | None = None) -> None:
        """Put a request back, to be made with this renderer."""
        self._db.execute("UPDATE requests SET state = 'queued', renderer = ? WHERE id = ?", (renderer, task.id))
        self.queued[task.host, task.rank] += 1
        self.flying.discard(task.id)

    def _done(self, task: Task) -> None:
        self._db.execute("UPDATE requests SET state = 'done' WHERE id = ?", (task.id,))
        self._db.execute("DELETE FROM failures WHERE url = ?", (task.url,))
        self.flying.discard(task.id)

    # What was found: each of these is one step, and ends its request.

    def found_listing(
        self, task: Task, urls: list[str], listed: Mapping[str, dict[str, Any]], listings: Iterable[str]
    ) -> int:
        """A listing was read.

        Returns:
            How many products are done already, met for the first time in this crawl.
        """
        skipped = 0
        with self._db:
            self._db.execute("BEGIN")
            for url in filter(self.is_known, urls):
                skipped += self._db.execute(
                    "INSERT OR IGNORE INTO requests (url, host, rank, state) VALUES (?, ?, ?, 'skipped')",
                    (url, host_of(url), PAGE),
                ).rowcount
            said = ((url, json.dumps(says, ensure_ascii=False)) for url, says in listed.items())
            self._db.executemany("INSERT OR REPLACE INTO listed VALUES (?, ?)", said)
            self.add(urls, PAGE)
            self.add(listings, LISTING)
            self._done(task)
        return skipped

    def found_product(
        self, task: Task, found: ProductFound, seen_at: str, validators: Validators, *, missing: bool = True
    ) -> bool:
        """A product page was read: its row is done.

        Args:
            task: the request.
            found: what the page holds.
            seen_at: when it came.
            validators: what to ask for it again with.
            missing: queue the pictures that are not there yet, and the pages that this one leads to.

        Returns:
            Whether this crawl finds the product for the first time.
        """
        product_id = found.product["product_id"]
        content = json.dumps({**found.as_json(), "url": task.url}, ensure_ascii=False)
        with self._db:
            self._db.execute("BEGIN")
            query = "SELECT 1 FROM products WHERE product_id = ?"
            new = self._db.execute(query, (product_id,)).fetchone() is None
            self._db.execute(
                "INSERT OR REPLACE INTO products VALUES (?, ?, ?, ?)", (product_id, task.url, content, seen_at)
            )
            self._db.execute(
                "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?)",
                (task.url, product_id, validators.etag, validators.last_modified),
            )
            if missing:
                pictures = (link.url for link in found.images if self._is_to_be_asked_for(link.url))
                self.add(pictures, PICTURE, page=task.url)
                self.add((link for link in found.links if not self.is_known(link)), PAGE)
            self._done(task)
        return new

    def listed(self, url: str) -> str | None:
        """What a listing says of the product at an address, as JSON."""
        row = self._db.execute("SELECT says FROM listed WHERE url = ?", (url,)).fetchone()
        return row[0] if row else None

    def has_picture(self, url: str) -> bool:
        """Whether the picture of an address is in the store."""
        return self._db.execute("SELECT 1 FROM pictures WHERE url = ?", (url,)).fetchone() is not None

    def _is_to_be_asked_for(self, url: str) -> bool:
        """Whether a picture is not there, or this crawl looks whether it has changed."""
        if self._db.execute("SELECT 1 FROM excluded WHERE url = ?", (url,)).fetchone():
            return False
        row = self._db.execute("SELECT etag, last_modified FROM pictures WHERE url = ?", (url,)).fetchone()
        return row is None or (self.meta("mode") == "update" and any(row))

    def found_picture(self, task: Task, stored: Stored, fetched_at: str, validators: Validators) -> None:
        """A picture is in the store."""
        values = (task.url, *asdict(stored).values(), fetched_at, validators.etag, validators.last_modified)
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            self._done(task)

    def found_page(self, task: Task, seen_at: str, *, gone: bool = False) -> None:
        """A page says nothing new of its product: it has not changed, or it is not sold any more."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (task.url, gone, seen_at))
            self._done(task)

    def found_no_product(self, task: Task, reason: str) -> None:
        """A page holds neither a product nor a listing."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("INSERT OR REPLACE INTO others VALUES (?, ?)", (task.url, reason))
            self._done(task)

    def done(self, task: Task) -> None:
        """A request needs no more."""
        with self._db:
            self._db.execute("BEGIN")
            self._done(task)

    def failed(self, task: Task, why: tuple[str, str], failed_at: str) -> None:
        """A request came to nothing: the class of the failure and a line on it."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("UPDATE requests SET state = 'failed' WHERE id = ?", (task.id,))
            self.flying.discard(task.id)
            self.note_failure(task.url, task.page if task.rank == PICTURE else None, why, failed_at)

    def note_failure(self, url: str, page: str | None, why: tuple[str, str], failed_at: str) -> None:
        """Something is missing.

        Args:
            url: its address.
            page: of a picture, the page that shows it; None: it is a page.
            why: the class of the failure and a line on it.
            failed_at: when, UTC.
        """
        kind = "picture" if page is not None else "page"
        values = (url, page or "", kind, *why, failed_at)
        self._db.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?)", values)

    # What is known of what was found.

    def validators(self, task: Task) -> Validators:
        """What the last answer of this address gave to ask with; nothing where a picture of the page is missing."""
        if self._db.execute("SELECT 1 FROM incomplete WHERE page = ?", (task.url,)).fetchone():
            return Validators()
        table = "pictures" if task.rank == PICTURE else "pages"
        row = self._db.execute(f"SELECT etag, last_modified FROM {table} WHERE url = ?", (task.url,)).fetchone()  # noqa: S608
        return Validators(*row) if row else Validators()

    def was_seen(self, url: str) -> bool:
        """Whether a product was ever found on this page."""
        return self._db.execute("SELECT 1 FROM pages WHERE url = ?", (url,)).fetchone() is not None
