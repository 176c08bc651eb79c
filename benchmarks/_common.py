"""What the benchmarks share: the shop's process, a crawl's command, timing, tables."""

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from rich.console import Console
from rich.table import Table

from benchmarks._content import Plan
from benchmarks.shop import Faults

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
CONCURRENCY = 16
"""Requests under way at once, in every crawl that is measured, ours and the peer's."""

_MEBIBYTE = 2**20
_WIDTH = 110
"""Columns of a table that is written to a file."""


@dataclass(frozen=True)
class Row:
    """A line of a benchmark's table.

    Attributes:
        figure: what was measured, with its unit.
        ours: this project's figure.
        peer: what it is compared with; None: nothing is.
        ratio: the two in relation; None: there is none.
        expected: what is expected, in words; empty: nothing is.
        reached: whether it was reached; None: nothing is expected.
    """

    figure: str
    ours: float | str
    peer: float | str | None = None
    ratio: float | None = None
    expected: str = ""
    reached: bool | None = None


def at_least(figure: str, ours: float, peer: float, least: float = 1.0) -> Row:
    """A line whose ratio, ours over the peer's, is expected to be at least so large."""
    ratio = ours / peer
    return Row(figure, ours, peer, ratio, f"≥ {least}", ratio >= least)


def at_most(figure: str, ours: float, peer: float, most: float) -> Row:
    """A line whose ratio, ours over the peer's, is expected to be at most so large."""
    ratio = ours / peer
    return Row(figure, ours, peer, ratio, f"≤ {most}", ratio <= most)


def show(title: str, rows: Sequence[Row], *, as_json: bool, peer: str = "peer") -> None:
    """Print a benchmark's table on stdout, or the same as one JSON object."""
    if as_json:
        print(json.dumps({"title": title, "rows": [dataclasses.asdict(row) for row in rows]}, ensure_ascii=False))
        return
    table = Table("figure", "ours", peer, "ratio", "expected", "", title=title)
    for column in table.columns[1:4]:
        column.justify = "right"
    for row in rows:
        verdict = "" if row.reached is None else "good" if row.reached else "[bold]not reached[/bold]"
        ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
        table.add_row(row.figure, _told(row.ours), _told(row.peer), ratio, row.expected, verdict)
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)


def _told(figure: float | str | None) -> str:
    if figure is None or isinstance(figure, str):
        return figure or ""
    return f"{figure:,}" if isinstance(figure, int) else f"{figure:,.4g}" if abs(figure) < 1000 else f"{figure:,.0f}"


def say(text: str) -> None:
    """A line on how far a benchmark is, on stderr."""
    print(text, file=sys.stderr, flush=True)


def parser_of(text: str | None, plan: Plan | None = None) -> argparse.ArgumentParser:
    """A script's parser of arguments, with ``--json`` and ``--folder``.

    Args:
        text: the script's docstring.
        plan: the shop it measures on: its attributes are flags, with these values unless given; None: no flags.
    """
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object, no table")
    parser.add_argument("--folder", type=Path, help="where workspaces go meanwhile; default: the system's for such")
    if plan is not None:
        add_flags(parser, plan)
    return parser


def add_flags(parser: argparse.ArgumentParser, section: Plan | Faults) -> None:
    """Add a flag for every attribute of a plan, or of faults."""
    for name, value in dataclasses.asdict(section).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value, help=f"default: {value}")


def plan_of(given: argparse.Namespace) -> Plan:
    """The plan that the flags give."""
    return Plan(**{field.name: getattr(given, field.name) for field in dataclasses.fields(Plan)})


def faults_of(given: argparse.Namespace) -> Faults:
    """The faults that the flags give."""
    return Faults(**{field.name: getattr(given, field.name) for field in dataclasses.fields(Faults)})


@contextmanager
def scratch(folder: Path | None) -> Iterator[Path]:
    """A folder of its own, gone afterwards."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=folder, ignore_cleanup_errors=True) as made:
        yield Path(made).resolve()


class ShopProcess:
    """A shop that is served by another process.

    Args:
        base: scheme, host and port.
        listing: the listing of every product.
    """

    def __init__(self, base: str, listing: str) -> None:
        self.base = base
        self.listing = listing

    def _ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.base + path, timeout=60) as answer:  # noqa: S310 - a server made here
            return json.load(answer)

    def log(self) -> dict[str, int]:
        """How often each path was asked for."""
        found: dict[str, int] = self._ask("/__log")
        return found

    def progress(self) -> dict[str, int]:
        """How many different listings, products and pictures were asked for, and requests in all."""
        found: dict[str, int] = self._ask("/__progress")
        return found

    def truth(self) -> list[dict[str, Any]]:
        """Id, page and pictures of every product."""
        found: list[dict[str, Any]] = self._ask("/__truth")
        return found


@contextmanager
def serving(plan: Plan, faults: Faults | None = None) -> Iterator[ShopProcess]:
    """A synthetic shop in a process of its own, gone afterwards."""
    values = {**dataclasses.asdict(plan), **dataclasses.asdict(faults or Faults())}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]
    command = [sys.executable, "-m", "benchmarks.shop", "--end-with-stdin", *flags]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError("the shop does not start")
            yield ShopProcess(**json.loads(line))
        finally:
            process.kill()


def crawl_command(workspace: Path, urls: Sequence[str], concurrency: int = CONCURRENCY) -> list[str]:
    """A whole crawl of a shop, as fast as it goes."""
    command = [sys.executable, "-P", "-m", "fullshot", "crawl", str(workspace), "--shop", "myntra", *urls, "--json"]
    return [*command, "--delay", "0", "--concurrency", str(concurrency), "--no-autothrottle", "--no-obey-robots"]


@dataclass(frozen=True)
class Run:
    """A command that ran: how long, on how much processor time (its children's included), and what it left."""

    seconds: float
    processor_seconds: float
    code: int
    errors: str


def run(command: Sequence[str], folder: Path, **environment: str) -> Run:
    """Run a command in a folder and time it, its process's start included; what it says is kept in that folder."""
    errors = folder / "stderr.txt"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with errors.open("wb") as stderr, (folder / "stdout.txt").open("wb") as stdout:
        code = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, **environment},
        ).returncode
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(seconds, spent, code, errors.read_text("utf-8", "replace")[-2000:])


def must_succeed(done: Run, what: str) -> Run:
    """A run, if it ended well.

    Raises:
        SystemExit: it did not.
    """
    if done.code != 0:
        raise SystemExit(f"{what} ended with code {done.code}:\n{done.errors}")
    return done


def resident(pid: int, module: str | None = None) -> tuple[float, float]:
    """Memory of a process and of those that it started, in MiB; pages that two of them share count twice.

    Args:
        pid: the process.
        module: the Python module that the one of interest runs.

    Returns:
        Resident size of the process that runs the module, 0 if there is none; and of all.
    """
    one = everything = 0.0
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                size = process.memory_info().rss / _MEBIBYTE
                everything += size
                words = process.cmdline()
                if module is not None and "-m" in words and words[words.index("-m") + 1 :][:1] == [module]:
                    one += size
    return one, everything
