"""How processes start and end: at once, and never after the one that started them."""

import atexit
import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

END_WITH_PARENT = "FULLSHOT_PROCESS_END_WITH_PARENT"
"""Set in a command's environment by a parent that holds the other end of its standard input."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

_COLLECT_AFTER = 50_000
"""Objects made, and not let go, between two garbage collections; Python's own 700 makes imports a fifth slower."""


def collect_seldom() -> None:
    """Let the garbage collector run less often in this process."""
    gc.set_threshold(_COLLECT_AFTER)


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """Run what this process is for, then end it without taking its modules apart.

    That takes a fifth of a second with pandas and SciPy, two seconds with torch, and where it is cut short, nanobind
    (which Triton is built on) reports on stderr all that is left. Threads are still waited for, and what is registered
    with ``atexit`` meanwhile still runs.
    """
    code = 1

    def end() -> None:
        nonlocal code
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:  # which it is where the descriptor was closed before Python began
                    stream.flush()
            except (OSError, ValueError):  # nobody reads it any more
                code = code or 1
        os._exit(code)

    atexit.register(end)  # what is registered first runs last
    try:
        yield
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise
    except KeyboardInterrupt:
        code = INTERRUPTED
        raise


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
    """End this worker at once when the process that made its pool ends, or closes it; a pool's initializer.

    Ctrl-C reaches every process of a terminal: the one that made the pool answers it, its workers do not.
    """
    collect_seldom()
    atexit.register(os._exit, 0)  # by then multiprocessing has flushed what was printed
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_after(parent.join)


def _end_after(wait: Callable[[], None]) -> None:
    def watch() -> None:
        wait()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
