"""Progress of long work, on stderr: a live bar at a terminal, a line now and then in a log."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

LOG_SECONDS = 60.0
"""A log without a line for so long looks like work that hangs."""

_LOG_STEPS = 4

MOST_NAMED = 3
"""Unreadable pictures that a message names; the others are counted."""


class Advance(Protocol):
    """Says how far the work is."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Say how far the work is.

        Args:
            done: what is done.
            total: how much there is in all; 0: not known yet.
            note: what else is worth a word, such as ``3 failed``.
        """


def say(text: str) -> None:
    """Say what is being done, on a line of stderr."""
    print(text, file=sys.stderr, flush=True)


def say_unchanged(command: str, since: str, result: str) -> None:
    """Say on stderr, in one line, that a command found nothing to do.

    Args:
        command: such as ``index build``.
        since: when all was as it is now, such as ``the catalog was built``.
        result: what becomes of that, such as ``it stays as it is``.
    """
    say(f"{command}: nothing has changed since {since}: {result}")


def say_unreadable(stage: str, paths: Sequence[str]) -> None:
    """Say on stderr which pictures were left out because they cannot be read; without any, nothing is said.

    Args:
        stage: such as ``train detector``.
        paths: of these pictures.
    """
    if not paths:
        return
    more = ", …" if len(paths) > MOST_NAMED else ""
    left_out = (
        "1 picture that cannot be read is" if len(paths) == 1 else f"{len(paths)} pictures that cannot be read are"
    )
    say(f"{stage}: {left_out} left out: {', '.join(paths[:MOST_NAMED])}{more}")


@contextlib.contextmanager
def bar(what: str, unit: str = "") -> Iterator[Advance]:
    """Show how far a piece of work is.

    At a terminal that is a live bar. In a log it is a line a quarter of the work, and one when the last is
    :data:`LOG_SECONDS` old.

    Args:
        what: the work, such as ``curate``.
        unit: what is counted, such as ``pictures``.

    Yields:
        A function to be called with the counts done and in all, and a note.
    """
    # Loaded here: whoever only says a line needs none of it.
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _log_lines(what, unit)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit, markup=False),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=None, note="")

        def advance(done: int, total: int, note: str = "") -> None:
            progress.update(task, completed=done, total=total or None, note=note)

        yield advance


def _log_lines(what: str, unit: str) -> Advance:
    step_said = -1
    said_at = time.monotonic()

    def advance(done: int, total: int, note: str = "") -> None:
        nonlocal step_said, said_at
        step = done * _LOG_STEPS // total if total else 0
        now = time.monotonic()
        if step <= step_said and now - said_at < LOG_SECONDS:
            return
        step_said, said_at = max(step, step_said), now
        counts = f"{what}: {done}{f' of {total}' if total else ''} {unit}".rstrip()
        print(f"{counts}, {note}" if note else counts, file=sys.stderr, flush=True)

    return advance
