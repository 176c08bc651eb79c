"""Starts the process that a crawl runs in, and talks to it: Scrapy's reactor can start only once in a process.

Either side writes lines of JSON: the job into its standard input, its progress and its end out of its standard output.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self


class CrawlerProcess:
    """The process ``python -m fullshot.crawler``: it starts at once, loads Scrapy, and waits for its job.

    It ends when the context ends, or when this process does, however that ends.
    """

    def __init__(self) -> None:
        # -P: a file in the folder that the user works in may have the name of a module.
        command = [sys.executable, "-P", "-m", "fullshot.crawler"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whatever it has found is in the state: it can be killed at any moment.
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    @property
    def returncode(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def run(self, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give it its job, and yield its messages until it ends.

        Args:
            job: ``root`` of the workspace, path of the ``log``, and ``settings``, the section ``crawl``.

        Yields:
            ``{"progress": {…}}`` every second, and ``{"done": {…}}`` at last.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process has no pipes")
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                with contextlib.suppress(ValueError):
                    yield json.loads(line)
        self._process.wait()
