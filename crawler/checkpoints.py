"""While a crawl runs its tables are brought up to date beside it: who reads what its process says is not held up."""

import threading
import time

from fullshot.core.dataset import Dataset
from fullshot.core.settings import CrawlSettings
from fullshot.core.workspace import Workspace
from fullshot.crawler.merge import merge
from fullshot.crawler.state import FILE, CrawlState

SECONDS = 600.0
"""From the beginning of one to that of the next, where a merge does not take longer."""


class Checkpoints:
    """Merges in a thread, one at a time.

    Args:
        workspace: whose crawl runs.
        settings: the crawl's.
    """

    def __init__(self, workspace: Workspace, settings: CrawlSettings) -> None:
        self._workspace = workspace
        self._settings = settings
        self._begun = time.monotonic()
        self._thread: threading.Thread | None = None
        self._data: Dataset | None = None
        self._lock = threading.Lock()
        self._error: Exception | None = None
        self._ending = False

    def begin_if_due(self) -> None:
        """Begin one when it is time; returns at once.

        Raises:
            BadTable: a table was changed by hand to what its schema does not allow, as the last one found.
            StageFailed: there was no more memory or disk for the last one.
        """
        if self._error is not None:
            raise self._error
        at_work = self._thread is not None and self._thread.is_alive()
        if not at_work and time.monotonic() >= self._begun + SECONDS:
            self._begun = time.monotonic()
            self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Give up the one that is at work: each table is as it was, or written whole."""
        self._ending = True
        while self._thread is not None and self._thread.is_alive():
            with self._lock:
                if self._data is not None:
                    self._data.interrupt()
            self._thread.join(0.05)

    def _run(self) -> None:
        try:
            # SQLite's connections, and some frontiers', are one thread's each.
            with CrawlState(self._workspace / FILE, self._settings) as state, self._workspace.open() as data:
                self._data = data
                try:
                    merge(data, state)
                finally:
                    with self._lock:
                        self._data = None
        except Exception as error:
            if not self._ending:
                self._error = error
