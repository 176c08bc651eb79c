"""Progress: a live bar at a terminal, lines in a log."""

import io
import re
from collections.abc import Callable

import pytest
from rich.console import Console

from fullshot.core import progress

Say = Callable[..., list[str]]


class Clock:
    """Stands where it is put."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("fullshot.core.progress.time.monotonic", clock)
    return clock


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What stderr got since the last call; stdout is for the answer."""
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.splitlines()


def test_a_log_gets_a_line_a_quarter(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("curate", "pictures") as advance:
        for done in range(101):
            advance(done, 100)
    assert lines(capsys) == [f"curate: {done} of 100 pictures" for done in (0, 25, 50, 75, 100)]


def test_a_note_ends_the_line(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("crawl", "products") as advance:
        advance(3, 0, "2 failed")
        advance(5, 10, note="[paused]")
        advance(10, 10)
    assert lines(capsys) == [
        "crawl: 3 products, 2 failed",
        "crawl: 5 of 10 products, [paused]",
        "crawl: 10 of 10 products",
    ]


def test_slow_work_says_each_minute_that_it_goes_on(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("crawl") as advance:
        advance(0, 0)
        assert lines(capsys) == ["crawl: 0"]
        clock.seconds += progress.LOG_SECONDS - 0.1
        advance(1, 0)
        assert lines(capsys) == []
        clock.seconds += 0.1
        advance(2, 0, "1 failed")
        advance(3, 0)
        assert lines(capsys) == ["crawl: 2, 1 failed"]
        # A quarter's line counts as well: the next is due a minute after it.
        clock.seconds += 50
        advance(30, 100)
        clock.seconds += 50
        advance(31, 100)
        assert lines(capsys) == ["crawl: 30 of 100"]
        clock.seconds += 10
        advance(32, 100)
        # Where the whole grows, the work is in an earlier quarter again, which was said already.
        advance(500, 1000)
        clock.seconds += 60
        advance(600, 4000)
        advance(1000, 4000)
        advance(3000, 4000)
        assert lines(capsys) == ["crawl: 32 of 100", "crawl: 500 of 1000", "crawl: 600 of 4000", "crawl: 3000 of 4000"]


def test_a_terminal_gets_a_bar_with_the_note_behind_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("rich.console.Console", lambda **_: Console(file=screen, force_terminal=True, width=120))
    with progress.bar("crawl", "products") as advance:
        advance(5, 10, "2 failed [paused]")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert re.search(r"crawl +\S+ +5/10 +products +2 failed \[paused\] +0:0", shown)
