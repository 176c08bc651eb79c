"""Progress of long work, on stderr: a live bar at a terminal, a line now and then in a log."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Advance = Callable[[int, int], None]
"""Called with what is done and how much there is in all (0: not known yet)."""

_LOG_STEPS = 4


@contextlib.contextmanager
def bar(what: str, unit: str = "") -> Iterator[Advance]:
    """Show how far a piece of work is.

    Args:
        what: the work, such as ``curate``.
        unit: what is counted, such as ``pictures``.

    Yields:
        A function to be called with the counts done and in all.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _log_lines(what, unit)
        return
    columns = (
        TextColumn("{task.description:<16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)


def _log_lines(what: str, unit: str) -> Advance:
    said = -1

    def advance(done: int, total: int) -> None:
        nonlocal said
        step = done * _LOG_STEPS // total if total else 0
        if step > said:
            said = step
            print(f"{what}: {done}{f' of {total}' if total else ''} {unit}".rstrip(), file=sys.stderr, flush=True)

    return advance
