"""Seconds until a command answers, from a cold shell: its help, a wrong argument, and the first thing that it does.

Each is run several times and the best counts: what else the machine does only adds to it. `crawl` is timed until the
built-in shop gets the first request; `trace` and `recommend` to their end, on the workspace of a finished demo.
"""

import argparse
import os
import resource
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks import _common
from benchmarks._common import Row
from fullshot.core.workspace import Workspace
from fullshot.demo.shop import server, studio

TIMES = 5

COMMANDS = (
    "demo",
    "crawl",
    "parse",
    "add",
    "curate",
    "report",
    "detect",
    "embed",
    "recommend",
    "trace",
    "runs",
    "gc",
    "doctor",
    "annotate serve",
    "annotate push",
    "annotate queue",
    "annotate pull",
    "annotate backend",
    "boxes import",
    "boxes export",
    "train detector",
    "train embedder",
    "evaluate detector",
    "evaluate embedder",
    "evaluate recommend",
    "export detector",
    "index build",
    "index map",
)
"""All of them, as the command line has them."""

WRONG = (
    "demo --collections 1",
    "demo {file}",
    "crawl {demo} --delay never",
    "crawl {demo} --delay=-1",
    "crawl {demo} --renderer none",
    "crawl {demo} --shop none http://127.0.0.1:9/",
    "crawl {demo} 127.0.0.1:9",
    "crawl nowhere",
    "crawl nowhere --from-pages",
    "parse http://127.0.0.1:9/ nothing.html",
    "parse http://127.0.0.1:9/ {file} --shop none",
    "add {demo} nothing",
    "add {demo} {file} --set gender=nobody",
    "curate nowhere",
    "curate nowhere --check",
    "curate {demo} --pose none",
    "curate {demo} --processes=-1",
    "report nowhere",
    "report {demo} --truth nothing.csv",
    "detect nothing.jpg",
    "detect {photo} --weights nothing",
    "detect {photo} --threshold 2",
    "index map nowhere",
    "index map {demo} --most 0",
    "index map {demo} --most 0",
    "runs nowhere",
    "runs {demo} --use nothing",
    "runs {demo} --delete nothing",
    "embed nothing.jpg --output out.parquet --weights imagenet",
    "embed {photo} --output out.parquet --weights nothing",
    "embed {photo} --output out.parquet --boxes",
    "recommend nowhere {photo}",
    "recommend {demo} nothing.jpg",
    "recommend {demo} {photo} --output answer.txt",
    "recommend {demo} {photo} --neighbours 0",
    "trace nowhere 0123456789ab",
    "trace {demo} no-id",
    "gc nowhere",
    "gc {file}",
    "doctor --cure",
    "gc nowhere",
    "gc {file}",
    "annotate serve nowhere",
    "annotate serve {demo} --port=-1",
    "annotate push nowhere",
    "annotate push {demo} --project x",
    "annotate queue nowhere",
    "annotate pull nowhere",
    "annotate backend nowhere",
    "boxes import nowhere {file}",
    "boxes import {demo} nothing.json",
    "boxes import {demo} {file} --format none",
    "boxes import {demo} {file} --labels nothing.toml",
    "boxes export nowhere out",
    "boxes export {demo} out --format none",
    "boxes export {demo} out --split none",
    "train detector nowhere",
    "train detector {demo} --epochs=-1",
    "train detector {demo} --family none",
    "train detector {demo} --resume none",
    "train embedder nowhere",
    "train embedder {demo} --weights none.pt",
    "train embedder {demo} --resume none",
    "evaluate detector nowhere",
    "evaluate detector {demo} --run none",
    "evaluate detector {demo} more",
    "evaluate detector {demo} --compare one two",
    "evaluate detector {demo} --split some",
    "evaluate detector {demo} --weights none.onnx",
    "evaluate embedder nowhere",
    "evaluate embedder {demo} --run none",
    "evaluate embedder {demo} more",
    "evaluate embedder {demo} --compare one two",
    "evaluate embedder {demo} --split some",
    "evaluate embedder {demo} --weights none",
    "evaluate recommend nowhere",
    "export detector nowhere",
    "export detector {demo} --format none",
    "export detector --weights starter",
    "export detector {demo} --weights none",
    "index build nowhere",
    "index build {demo} --store none",
)
"""Calls that are refused: a wrong flag or value, a file, workspace, run or part that is not there."""


@dataclass(frozen=True)
class Timing:
    """The best of several runs: seconds on the clock, and of processor time, in the run that took least of either."""

    seconds: float
    processor_seconds: float


def words_of(call: str, demo: Path, photo: Path) -> list[str]:
    """A call of :data:`WRONG` as the words of a command line.

    Args:
        call: of :data:`WRONG`.
        demo: a finished workspace.
        photo: of a dressed person.
    """
    names = {"demo": str(demo), "file": str(demo / "boxes.csv"), "photo": str(photo)}
    return [word.format(**names) for word in shlex.split(call)]


def command(words: Sequence[str]) -> list[str]:
    """A call as a process."""
    return [sys.executable, "-P", "-m", "fullshot", *words]


def timed(words: Sequence[str], folder: Path, times: int, code: int) -> Timing:
    """Run a call in a folder several times.

    Raises:
        SystemExit: it ended with another exit code.
    """
    runs = []
    for _ in range(times):
        done = _common.run(command(words), folder)
        if done.code != code:
            raise SystemExit(f"{shlex.join(words)} ended with {done.code}, not {code}:\n{done.errors}")
        runs.append(done)
    return Timing(min(run.seconds for run in runs), min(run.processor_seconds for run in runs))


class _Shop(server.Shop):
    """The built-in shop, which tells of its first request."""

    @cached_property
    def asked(self) -> threading.Event:
        """Whether anybody asked for anything."""
        return threading.Event()

    def answer(self, target: str) -> tuple[int, str, bytes]:
        """As the shop does."""
        self.asked.set()
        return super().answer(target)


def until_first_request(folder: Path, times: int) -> Timing:
    """From the start of `fullshot crawl` to the first request that the built-in shop gets; then it is ended."""
    plan = studio.open_studio(7, 3)
    boxes: dict[str, tuple[studio.Box, ...]] = {picture.name: () for picture in plan.pictures}
    runs = []
    for number in range(times):
        listener = server.listen(0)
        shop = _Shop(plan, boxes, folder, server.base_of(listener))
        words = ["crawl", str(folder / f"crawl-{number}"), "--shop", "myntra", *shop.urls, "--delay", "0"]
        with server.serve(shop, listener):
            before, started = _processor_seconds(), time.perf_counter()
            with subprocess.Popen(command(words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                came = shop.asked.wait(60)
                seconds = time.perf_counter() - started
                process.terminate()
                process.wait()
            if not came:
                raise SystemExit(f"{shlex.join(words)}: no request came")
        runs.append((seconds, _processor_seconds() - before))
    return Timing(min(seconds for seconds, _ in runs), min(spent for _, spent in runs))


def _processor_seconds() -> float:
    """Of the processes that this one started and that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def photo_of(workspace: Workspace) -> tuple[Path, str]:
    """A full shot of a workspace, and its image_id."""
    with workspace.open({"images": ("image_id", "path"), "curated": ("image_id", "full_shot", "split")}) as data:
        rows = data.rows(
            "SELECT path, image_id FROM images JOIN curated USING (image_id) WHERE full_shot "
            "ORDER BY split <> 'test', image_id LIMIT 1"
        )
    if not rows:
        raise SystemExit(f"no full shot in {workspace.root}: run `fullshot demo {workspace.root}` first")
    return workspace / rows[0][0], rows[0][1]


def _row(figure: str, timing: Timing, most: float) -> Row:
    return Row(f"s, {figure}", timing.seconds, timing.processor_seconds, None, f"≤ {most:g}", timing.seconds <= most)


def _slowest(calls: dict[str, Timing]) -> tuple[str, Timing]:
    return max(calls.items(), key=lambda pair: pair[1].seconds)


def measure(demo: Path, folder: Path, times: int) -> list[Row]:
    """The lines of the table."""
    workspace = Workspace(demo)
    photo, image_id = photo_of(workspace)
    rows = [_row("fullshot --help", timed(["--help"], folder, times, 0), 0.2)]
    helps = {name: timed([*name.split(), "--help"], folder, times, 0) for name in COMMANDS}
    name, slowest = _slowest(helps)
    rows.append(_row(f"--help of a command (slowest of {len(helps)}: {name})", slowest, 0.5))
    _common.say("help is timed")
    wrong = {call: timed(words_of(call, demo, photo), folder, times, 2) for call in WRONG}
    name, slowest = _slowest(wrong)
    rows.append(
        _row(
            f"a wrong argument (slowest of {len(wrong)}: {name.format(demo='WS', file='FILE', photo='PHOTO')})",
            slowest,
            0.5,
        )
    )
    _common.say("wrong arguments are timed")
    rows.append(_row("trace", timed(["trace", str(demo), image_id], folder, times, 0), 1.0))
    rows.append(_row("crawl, to its first request", until_first_request(folder, times), 1.5))
    answer = ["recommend", str(demo), str(photo), "--output", str(folder / "answer.png")]
    rows.append(_row("recommend, from a cold shell", timed(answer, folder, times, 0), 3.0))
    return rows


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--demo", type=Path, required=True, help="the workspace of a finished `fullshot demo`")
    parser.add_argument(
        "--times", type=int, default=TIMES, help=f"runs of each, of which the best counts; default: {TIMES}"
    )
    given: argparse.Namespace = parser.parse_args(arguments)
    # Compiled once, as an installed package is; a first run would compile every module.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with _common.scratch(given.folder) as folder:
        rows = measure(given.demo.resolve(), folder, given.times)
    _common.show("until a command answers", rows, as_json=given.as_json, peer="CPU s")


if __name__ == "__main__":
    main()
