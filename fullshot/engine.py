"""Map a function over shards of rows, on this machine's processes."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self, TypeVar

from fullshot.errors import StageFailed
from fullshot.process import end_with_pool

Row = TypeVar("Row")
Result = TypeVar("Result")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shards(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    """Cut rows into runs of at most ``size``, in order."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


class Workers:
    """The processes of one piece of work, started afresh; a context manager that ends them.

    Args:
        processes: how many at once; 0: one a core, 1: this process does the work.
    """

    def __init__(self, processes: int = 0) -> None:
        self.count = processes or cores()
        self._pool: ProcessPoolExecutor | None = None

    def start(self, prepare: Callable[[], object]) -> None:
        """Start the processes before there is work for them, so that they load what they need meanwhile.

        Args:
            prepare: run in them; importable by name. What it raises is not told: the work will raise it again.
        """
        if self.count > 1:
            pool = self._started(self.count)
            for _ in range(self.count):
                pool.submit(prepare)

    def map(
        self, function: Callable[[Sequence[Row]], Result], parts: Sequence[Sequence[Row]]
    ) -> Iterator[tuple[int, Result]]:
        """Apply a function to every shard.

        Args:
            function: takes one shard; importable by name, as are its arguments.
            parts: the shards.

        Yields:
            A shard's number and its result, in the order in which they are done.

        Raises:
            StageFailed: a worker process was ended from outside.
        """
        count = min(self.count, len(parts))
        if count <= 1 and self._pool is None:
            yield from ((number, function(part)) for number, part in enumerate(parts))
            return
        pool = self._pool or self._started(count)
        try:
            numbers = {pool.submit(function, part): number for number, part in enumerate(parts)}
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        except BrokenProcessPool:
            raise StageFailed(
                "a worker process was ended, for want of memory perhaps: run with fewer processes"
            ) from None
        except BaseException:
            # What has not begun is not waited for: whoever stops a run wants it stopped.
            pool.shutdown(wait=False, cancel_futures=True)
            raise

    def let_go(self) -> None:
        """Let the processes end while this one goes on."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    def _started(self, count: int) -> ProcessPoolExecutor:
        # Not forked: the libraries behind the stages keep threads, and a fork would copy their locks half-way.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(count, mp_context=context, initializer=end_with_pool)
        return self._pool

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def map_shards(
    function: Callable[[Sequence[Row]], Result],
    parts: Sequence[Sequence[Row]],
    processes: int = 0,
) -> Iterator[tuple[int, Result]]:
    """Apply a function to every shard, by :class:`Workers` that live no longer: see :meth:`Workers.map`."""
    with Workers(processes) as workers:
        yield from workers.map(function, parts)
