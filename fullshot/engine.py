"""Map a function over shards of rows, on this machine's processes."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

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


def map_shards(
    function: Callable[[Sequence[Row]], Result],
    parts: Sequence[Sequence[Row]],
    processes: int = 0,
) -> Iterator[tuple[int, Result]]:
    """Apply a function to every shard, in processes started afresh.

    Args:
        function: takes one shard; importable by name, as are its arguments.
        parts: the shards.
        processes: how many at once; 0: one a core, 1: in this process.

    Yields:
        A shard's number and its result, in the order in which they are done.

    Raises:
        StageFailed: a worker process was ended from outside.
    """
    count = min(processes or cores(), len(parts))
    if count <= 1:
        yield from ((number, function(part)) for number, part in enumerate(parts))
        return
    # Not forked: the libraries behind the stages keep threads, and a fork would copy their locks half-way.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=end_with_pool) as pool:
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
