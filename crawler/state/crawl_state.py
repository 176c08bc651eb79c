"""The steps of a crawl: what each answer brings is written down, and its request ends.

A kill at any moment leaves the steps before it, whole, and the requests that were in flight are made again. With a
frontier in the same file a step is one transaction. With another one, what was brought is written first and the request
ends after that: a kill between the two repeats the request, which writes the same rows again.

The tables are written from here (:mod:`fullshot.crawler.merge`). When a crawl is finished, only what helps the next one
stays: where pictures and pages were found, and what to ask for them again with.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from fullshot.core.image_store import Stored
from fullshot.core.settings import CrawlSettings
from fullshot.crawler.frontier import LISTING, PAGE, PICTURE, RequestState, Task, open_frontier
from fullshot.crawler.items import ProductFound
from fullshot.crawler.state.history import History, Validators


class CrawlState(History):
    """The state of a workspace's crawl: the frontier of requests, what they brought, and what is known from before.

    Args:
        path: of ``crawl.db``; made if it is not there.
        settings: name the frontier.

    Attributes:
        frontier: the requests that are still to be made.
        frontier_name: its name in the settings.
    """

    def __init__(self, path: Path, settings: CrawlSettings | None = None) -> None:
        super().__init__(path)
        settings = settings or CrawlSettings()
        self.frontier_name = settings.frontier
        self.frontier = open_frontier(settings, self._db)

    def close(self) -> None:
        """Let go of the file and of the frontier."""
        self.frontier.close()
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def clear(self) -> None:
        """Forget the crawl; what helps the next one stays."""
        with self.frontier.atomic():
            super().clear()
            self.frontier.clear()

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        """What is written within is committed before the changes of another store's frontier, or together with them."""
        with self.frontier.atomic(), self._db.transaction():
            yield

    def products_found(self) -> int:
        """How many products this crawl has found."""
        query = "SELECT (SELECT count(*) FROM products) + (SELECT count(*) FROM seen WHERE NOT gone)"
        return int(self._db.execute(query).fetchone()[0])

    def products_skipped(self) -> int:
        """How many products this crawl passed over because an earlier one fetched them."""
        return self.requests(RequestState.SKIPPED)

    def requests(self, state: RequestState, *ranks: int) -> int:
        """How many requests are in a state, of these ranks or of all."""
        counts = self.frontier.counts().items()
        return sum(count for (_, rank, one), count in counts if one == state and (not ranks or rank in ranks))

    def page_hosts(self) -> set[str]:
        """The hosts that pages are asked of."""
        return {host for host, rank, _ in self.frontier.counts() if rank != PICTURE}

    # What answers bring: each of these is one step, and ends the request.

    def found_listing(
        self, task: Task, urls: Iterable[str], listed: Mapping[str, dict[str, Any]], listings: Iterable[str]
    ) -> int:
        """A listing was read.

        Args:
            task: the request.
            urls: the product pages that it names.
            listed: what it says of them, by address, as columns of ``products``.
            listings: further listings that it leads to.

        Returns:
            How many of the products an earlier crawl has fetched, counted when this crawl first meets them.
        """
        pages = list(dict.fromkeys(urls))
        known = [url for url in pages if self.is_known(url) and self.frontier.find(url) is None]
        with self._step():
            rows = ((url, json.dumps(values, ensure_ascii=False)) for url, values in listed.items())
            self._db.executemany("INSERT OR REPLACE INTO listed VALUES (?, ?)", rows)
            self.frontier.skip(known, PAGE)
            self.frontier.add(pages, PAGE)
            self.frontier.add(listings, LISTING)
            self._done(task)
        return len(known)

    def found_product(
        self, task: Task, found: ProductFound, seen_at: str, validators: Validators, *, follow: bool = True
    ) -> bool:
        """A product page was read: its row is done.

        Args:
            task: the request.
            found: what the page holds.
            seen_at: when it came, UTC.
            validators: what to ask for it again with.
            follow: queue the pictures that are not there yet, and the pages that this one leads to.

        Returns:
            Whether this crawl finds the product for the first time.
        """
        product_id = found.product["product_id"]
        content = json.dumps({**found.as_json(), "url": task.url}, ensure_ascii=False)
        with self._step():
            query = "SELECT 1 FROM products WHERE product_id = ?"
            new = self._db.execute(query, (product_id,)).fetchone() is None
            self._db.execute(
                "INSERT OR REPLACE INTO products VALUES (?, ?, ?, ?)", (product_id, task.url, content, seen_at)
            )
            self._db.execute(
                "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?)",
                (task.url, product_id, validators.etag, validators.last_modified),
            )
            if follow:
                pictures = (link.url for link in found.images if self.is_wanted(link.url))
                self.frontier.add(pictures, PICTURE, page=task.url)
                self.frontier.add((link for link in found.links if not self.is_known(link)), PAGE)
            self._done(task)
        return new

    def found_picture(self, task: Task, stored: Stored, fetched_at: str, validators: Validators) -> None:
        """A picture is in the store."""
        values = (task.url, *asdict(stored).values(), fetched_at, validators.etag, validators.last_modified)
        with self._step():
            self._db.execute("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            self._done(task)

    def found_unchanged(self, task: Task, seen_at: str) -> None:
        """A product page is as it was."""
        self._found_page(task, seen_at, gone=False)

    def found_gone(self, task: Task, seen_at: str) -> None:
        """A product is not sold any more."""
        self._found_page(task, seen_at, gone=True)

    def _found_page(self, task: Task, seen_at: str, *, gone: bool) -> None:
        with self._step():
            self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (task.url, gone, seen_at))
            self._done(task)

    def found_no_product(self, task: Task, reason: str) -> None:
        """A page holds neither a product nor a listing."""
        with self._step():
            self._db.execute("INSERT OR REPLACE INTO others VALUES (?, ?)", (task.url, reason))
            self._done(task)

    def found_nothing_new(self, task: Task) -> None:
        """An answer brought nothing to write down."""
        with self._step():
            self._done(task)

    def _done(self, task: Task) -> None:
        self._db.execute("DELETE FROM failures WHERE url = ?", (task.url,))
        self.frontier.done(task)

    def failed(self, task: Task, reason: str, message: str, failed_at: str) -> None:
        """A request came to nothing.

        Args:
            task: the request.
            reason: the class of the failure.
            message: a line on it.
            failed_at: when, UTC.
        """
        with self._step():
            self.note_failure(task.url, task.page if task.rank == PICTURE else None, reason, message, failed_at)
            self.frontier.failed(task)

    def note_failure(self, url: str, page: str | None, reason: str, message: str, failed_at: str) -> None:
        """Something is missing.

        Args:
            url: its address.
            page: of a picture, the page that shows it; None: it is a page.
            reason: the class of the failure.
            message: a line on it.
            failed_at: when, UTC.
        """
        kind = "picture" if page is not None else "page"
        values = (url, page or "", kind, reason, message, failed_at)
        self._db.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?)", values)

    def note_abandoned(self, failed_at: str) -> None:
        """Write down as failures the pictures that this crawl has yet to fetch: it is not gone on with."""
        query = "INSERT OR IGNORE INTO failures VALUES (?, ?, 'picture', 'not-fetched', ?, ?)"
        pending = self.frontier.tasks(RequestState.QUEUED, RequestState.IN_FLIGHT)
        rows = (
            (task.url, task.page or "", "the crawl was given up before", failed_at)
            for task in pending
            if task.rank == PICTURE
        )
        with self._db.transaction():
            self._db.executemany(query, rows)
