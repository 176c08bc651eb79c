"""Map a function over shards of rows, on this machine's processes."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self, TypeVar

from fullshot.core.engines.shards import cores
from fullshot.core.errors import StageFailed
from fullshot.core.process import end_with_pool
from fullshot.core.progress import say

Row = TypeVar("Row")
Result = TypeVar("Result")


RETRIES = 2
"""How often shards are done again whose worker was ended from outside, each time by half as many processes."""


class ProcessEngine:
    """The processes of one piece of work, started afresh; see :class:`fullshot.core.interfaces.Engine`.

    Args:
        processes: how many at once; 0: one a core, 1: this process does the work.
    """

    def __init__(self, processes: int = 0) -> None:
        self.count = processes or cores()
        self._pool: ProcessPoolExecutor | None = None

    def start(self, prepare: Callable[[], object]) -> None:
        """See :meth:`fullshot.core.interfaces.Engine.start`."""
        if self.count > 1:
            pool = self._pool or self._started(self.count)
            for _ in range(self.count):
                pool.submit(prepare)

    def map(
        self, function: Callable[[Sequence[Row]], Result], parts: Sequence[Sequence[Row]]
    ) -> Iterator[tuple[int, Result]]:
        """See :meth:`fullshot.core.interfaces.Engine.map`.

        Raises:
            StageFailed: worker processes were ended from outside, :data:`RETRIES` times one after the other.
        """
        count = min(self.count, len(parts))
        if count <= 1 and self._pool is None:
            yield from ((number, function(part)) for number, part in enumerate(parts))
            return
        left = dict(enumerate(parts))
        retries = RETRIES
        while left:
            pool = self._pool or self._started(count)
            try:
                for number, result in self._mapped(pool, function, left):
                    del left[number]
                    retries = RETRIES
                    yield number, result
            except BrokenProcessPool:
                if not retries:
                    raise StageFailed(
                        "a worker process was ended again and again, for want of memory perhaps: "
                        "run with fewer processes"
                    ) from None
                retries -= 1
                count = max(1, count // 2)
                say(f"fullshot: a worker process was ended; its work is done again, by {count} at once")

    def _mapped(
        self, pool: ProcessPoolExecutor, function: Callable[[Sequence[Row]], Result], parts: Mapping[int, Sequence[Row]]
    ) -> Iterator[tuple[int, Result]]:
        try:
            numbers = {pool.submit(function, part): number for number, part in parts.items()}
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        except BaseException:
            # Shards that have not begun are not waited for: who stops a run wants it stopped.
            pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
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
