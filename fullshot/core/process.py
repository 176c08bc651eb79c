"""Processes that do not outlive the one that started them, however that one ends."""

import atexit
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable

END_WITH_PARENT = "FULLSHOT_PROCESS_END_WITH_PARENT"
"""Set in a verb's environment by a parent that holds the other end of its standard input."""


_SELDOM = 50_000
"""Objects made, and not let go, between two searches for garbage; Python's own 700 makes imports a fifth slower."""


def search_seldom() -> None:
    """Search this process for garbage less often, and not at its end: a third of a second with pandas and SciPy."""
    gc.set_threshold(_SELDOM)
    atexit.register(gc.freeze)


def tidy_up_when_terminated() -> None:
    """Let this process end what it started when it is asked to, or its window is closed, as it does after Ctrl-C."""

    def stop(number: int, _: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    # Of `nohup`, it is to be ignored.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, stop)


def end_with_stdin() -> None:
    """End this process at once when standard input is closed.

    A parent that keeps the other end of the pipe open takes this process along when it ends, by kill -9 too.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass

    _end_after(wait)


def end_with_pool() -> None:
    """End this worker at once when the process that made its pool ends; a pool's initializer.

    Ctrl-C reaches every process of a terminal: the one that made the pool answers it, its workers do not.
    """
    search_seldom()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_after(parent.join)


def _end_after(wait: Callable[[], None]) -> None:
    def watch() -> None:
        wait()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
