"""The frontier in the workspace's ``crawl.db``: no server, and one transaction with what a request brought."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Self

from fullshot.core.settings import CrawlSettings
from fullshot.crawler.addresses import host_of
from fullshot.crawler.database import Database
from fullshot.crawler.frontier.task import PICTURE, RequestState, Task

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, host TEXT NOT NULL, rank INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued', start INTEGER NOT NULL DEFAULT 0, page TEXT, renderer TEXT,
    tries INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS queue ON requests (host, rank, id) WHERE state = 'queued';
"""
_COLUMNS = "id, url, host, rank, start, page, renderer, tries"
# The word 'queued', and not a value in its place, lets SQLite use the index of what is queued.
_TAKE = f"""
UPDATE requests SET state = ?, tries = tries + 1 WHERE id = (SELECT id FROM requests
    WHERE state = 'queued' AND host = ? AND rank <= ? ORDER BY rank, id LIMIT 1) RETURNING {_COLUMNS}
"""


class SqliteFrontier:
    """See :class:`fullshot.core.interfaces.Frontier`.

    Args:
        database: where its table goes. Whatever else is written there in :meth:`atomic` is of the same transaction.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._db.create(_SCHEMA)
        self._queued: Counter[tuple[str, int]] = Counter()
        self._pages_in_flight: set[int] = set()

    @classmethod
    def from_settings(cls, settings: CrawlSettings, database: Database) -> Self:
        """As :data:`fullshot.crawler.frontier.FRONTIERS` makes it."""
        return cls(database)

    @property
    def queued(self) -> Counter[tuple[str, int]]:
        return self._queued

    @property
    def pages_in_flight(self) -> int:
        return len(self._pages_in_flight)

    def recover(self) -> None:
        """Put back what was in flight when the last process ended, and what failed in it; count what is queued."""
        again = (RequestState.QUEUED, RequestState.IN_FLIGHT, RequestState.FAILED)
        self._db.execute("UPDATE requests SET state = ?, tries = 0 WHERE state IN (?, ?)", again)
        self._pages_in_flight.clear()
        rows = self._db.execute("SELECT host, rank, count(*) FROM requests WHERE state = 'queued' GROUP BY 1, 2")
        self._queued = Counter({(host, rank): count for host, rank, count in rows})

    def clear(self) -> None:
        self._db.execute("DELETE FROM requests")
        self._queued.clear()
        self._pages_in_flight.clear()

    def atomic(self) -> AbstractContextManager[None]:
        return self._db.transaction()

    def add(self, urls: Iterable[str], rank: int, *, start: bool = False, page: str | None = None) -> None:
        for url in urls:
            host = host_of(url)
            self._queued[host, rank] += self._db.execute(
                "INSERT OR IGNORE INTO requests (url, host, rank, start, page) VALUES (?, ?, ?, ?, ?)",
                (url, host, rank, start, page),
            ).rowcount

    def skip(self, urls: Iterable[str], rank: int) -> None:
        query = "INSERT OR IGNORE INTO requests (url, host, rank, state) VALUES (?, ?, ?, ?)"
        self._db.executemany(query, ((url, host_of(url), rank, RequestState.SKIPPED) for url in urls))

    def take(self, host: str, last_rank: int) -> Task | None:
        row = self._db.execute(_TAKE, (RequestState.IN_FLIGHT, host, last_rank)).fetchone()
        if row is None:
            return None
        task = _task(row)
        self._queued[task.host, task.rank] -= 1
        if task.rank != PICTURE:
            self._pages_in_flight.add(task.id)
        return task

    def put_back(self, task: Task, renderer: str | None = None) -> None:
        query = "UPDATE requests SET state = ?, renderer = ? WHERE id = ?"
        self._db.execute(query, (RequestState.QUEUED, renderer, task.id))
        self._queued[task.host, task.rank] += 1
        self._pages_in_flight.discard(task.id)

    def done(self, task: Task) -> None:
        self._end(task, RequestState.DONE)

    def failed(self, task: Task) -> None:
        self._end(task, RequestState.FAILED)

    def _end(self, task: Task, state: RequestState) -> None:
        self._db.execute("UPDATE requests SET state = ? WHERE id = ?", (state, task.id))
        self._pages_in_flight.discard(task.id)

    def find(self, url: str) -> Task | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM requests WHERE url = ?", (url,)).fetchone()
        return _task(row) if row else None

    def tasks(self, *states: RequestState) -> Iterator[Task]:
        places = ", ".join("?" * len(states))
        query = f"SELECT {_COLUMNS} FROM requests WHERE state IN ({places}) ORDER BY id"
        yield from map(_task, self._db.execute(query, states))

    def counts(self) -> Counter[tuple[str, int, RequestState]]:
        rows = self._db.execute("SELECT host, rank, state, count(*) FROM requests GROUP BY 1, 2, 3")
        return Counter({(host, rank, RequestState(state)): count for host, rank, state, count in rows})

    def close(self) -> None:
        """Nothing: the database is closed by whoever opened it."""


def _task(row: tuple[int, str, str, int, int, str | None, str | None, int]) -> Task:
    number, url, host, rank, start, page, renderer, tries = row
    return Task(number, url, host, rank, bool(start), page, renderer, tries)
