"""Runs a program that must not outlive its parent: ``python supervisor.py PROGRAM [ARGUMENT…]``.

The program, and what it started in its process group, is killed when this process's standard input is closed, which
also happens when the parent is killed. Its temporary files go with it. Standard library only: it runs without the
project.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

_CLEANING_TRIES = 25
_CLEANING_PAUSE = 0.2  # seconds; a browser that lost its driver still writes for a moment


def main() -> int:
    """The program's exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal: the parent answers it
    folder = tempfile.mkdtemp(prefix="fullshot-")
    try:
        child = subprocess.Popen(
            sys.argv[1:], stdin=subprocess.DEVNULL, env={**os.environ, "TMPDIR": folder}, start_new_session=True
        )

        def kill(*_: object) -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)

        def watch() -> None:
            while os.read(0, 1024):
                pass
            kill()

        signal.signal(signal.SIGTERM, kill)
        threading.Thread(target=watch, daemon=True).start()
        code = child.wait()
        kill()
        return code
    finally:
        for _ in range(_CLEANING_TRIES):
            shutil.rmtree(folder, ignore_errors=True)
            if not Path(folder).exists():
                break
            time.sleep(_CLEANING_PAUSE)


if __name__ == "__main__":
    sys.exit(main())
