"""Crawls that render, each in a process of its own, of servers on this machine."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crawler.rendering.site import Site

ROOT = Path(__file__).parents[3]
_PATIENCE = 120.0
DATA_SCRIPT = """
    if (!window.__myx) return false;
    const script = document.createElement('script');
    script.type = 'application/json';
    script.textContent = 'window.__myx = ' + JSON.stringify(window.__myx);
    document.head.append(script);
    return true;
"""


class Crawl:
    """A crawl that runs.

    Args:
        requests: a ``meta`` each, with the ``url`` in it.
        hosts: ``FULLSHOT_HOSTS``.
        concurrency: how many pages are rendered at once.
        plain: how many requests are made besides.
        flags: Chromium's, added to the usual ones.
        environment: laid over this process's.
        settings: Scrapy's, laid over the test's.
    """

    def __init__(
        self,
        requests: list[dict[str, Any]],
        hosts: list[str],
        *,
        concurrency: int = 2,
        plain: int = 0,
        flags: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.crawler.rendering.crawl"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        )
        assert self.process.stdin
        job = {
            "requests": requests,
            "hosts": hosts,
            "concurrency": concurrency,
            "plain_concurrency": plain,
            "flags": flags,
            "settings": settings,
        }
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it says, as it says it."""
        assert self.process.stdout
        for line in self.process.stdout:
            yield json.loads(line)

    def results(self) -> list[dict[str, Any]]:
        """What came of each request, in the order asked, and Scrapy's counts."""
        *found, last = self.lines()
        assert self.process.wait(_PATIENCE) == 0
        return [*sorted(found, key=lambda line: int(line["number"])), last["stats"]]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            pipe.close()


@pytest.fixture
def site() -> Iterator[Site]:
    """A server of pages."""
    there = Site()
    yield there
    there.close()


@pytest.fixture
def crawl() -> Iterator[type[Crawl]]:
    """Starts crawls, and ends what is left of them."""
    started: list[Crawl] = []

    class Started(Crawl):
        def __init__(self, *args: Any, **flags: Any) -> None:
            super().__init__(*args, **flags)
            started.append(self)

    yield Started
    for one in started:
        one.end()
