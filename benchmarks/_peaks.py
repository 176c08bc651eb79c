"""Peaks of memory of commands: measured, kept in a file, and shown as a table and a plot."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks._common import ROOT, Row

LIMIT = 2048
"""MiB that a command may take."""

_KIBIBYTE = 1024
_LARGE, _SMALL = 1_000_000, 1000

# A process of its own, and a small one: a child's peak begins with the size that its parent has when it is started.
# What is stopped is asked first, so that it waits for its own children, whose peaks count.
_LAUNCH = """
import json, os, resource, signal, subprocess, sys, time
started = time.perf_counter()
signal.signal(signal.SIGINT, signal.SIG_DFL)  # what a shell starts in the background ignores it
child = subprocess.Popen(sys.argv[3:], process_group=0)
code, stopped = None, False
for seconds, send in (float(sys.argv[2]), signal.SIGINT), (30, signal.SIGKILL), (None, None):
    try:
        code = child.wait(seconds)
        break
    except subprocess.TimeoutExpired:
        stopped = True
        os.killpg(child.pid, send)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
found = {"kibibytes": used.ru_maxrss, "seconds": time.perf_counter() - started}
found |= {"processor_seconds": used.ru_utime + used.ru_stime, "code": code, "stopped": stopped}
with open(sys.argv[1], "w") as file:
    json.dump(found, file)
"""


class Peak(NamedTuple):
    """A command that ran.

    Attributes:
        mebibytes: of its largest process.
        seconds: that it took.
        processor_seconds: of all its processes together.
        code: that it ended with.
        stopped: whether it took too long and was stopped: the peak is the one so far.
    """

    mebibytes: float
    seconds: float
    processor_seconds: float
    code: int
    stopped: bool = False


Peaks = dict[str, dict[int, Peak]]
"""By a command's name and a number of image rows."""


def measure(command: Sequence[str], folder: Path, minutes: float, **environment: str) -> Peak:
    """Run a command in a folder, for so long at most; what it says is kept there, anew for each."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    file = folder / "measured.json"
    with (folder / "stderr.txt").open("wb") as errors, (folder / "stdout.txt").open("wb") as output:
        launched = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(file), str(60 * minutes), *command]
        subprocess.run(
            launched, check=True, cwd=folder, env=given, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        )
    found = json.loads(file.read_text("utf-8"))
    return Peak(found.pop("kibibytes") / _KIBIBYTE, **found)


def load(file: Path) -> Peaks:
    """What was measured so far; nothing where the file is not there."""
    if not file.is_file():
        return {}
    found = json.loads(file.read_text("utf-8"))
    return {name: {int(size): Peak(**one) for size, one in by_size.items()} for name, by_size in found.items()}


def save(found: Peaks, file: Path) -> None:
    """Keep what was measured."""
    each = {name: {size: found[name][size]._asdict() for size in sorted(found[name])} for name in found}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(each, indent=1) + "\n", "utf-8")


def slope(found: Mapping[int, Peak]) -> float | None:
    """Bytes that a further image row takes, between the smallest and the largest size."""
    sizes = sorted(size for size, one in found.items() if not one.code)
    if len(sizes) < 2:
        return None
    grown = found[sizes[-1]].mebibytes - found[sizes[0]].mebibytes
    return grown * _KIBIBYTE**2 / (sizes[-1] - sizes[0])


def draw(found: Peaks, file: Path) -> None:
    """The plot: a line a command, a dot a size, and the limit; what was stopped has a hollow dot."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = sorted(found, key=lambda name: max(one.mebibytes for one in found[name].values()))
    sizes = sorted({size for by_size in found.values() for size in by_size})
    colours = plt.get_cmap("viridis")([0.85 - 0.7 * number / max(1, len(sizes) - 1) for number in range(len(sizes))])
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.34 * len(names)), layout="constrained")
    for place, name in enumerate(names):
        peaks = [one.mebibytes for one in found[name].values()]
        axes.plot([min(peaks), max(peaks)], [place, place], color="lightgrey", linewidth=3, zorder=1)
        axes.annotate(f"{max(peaks):,.0f}", (max(peaks), place), (8, 0), textcoords="offset points", va="center")
    for size, colour in zip(sizes, colours, strict=True):
        measured = [(found[name][size], place) for place, name in enumerate(names) if size in found[name]]
        fills = ["none" if one.stopped else colour for one, _ in measured]
        x, y = [one.mebibytes for one, _ in measured], [place for _, place in measured]
        axes.scatter(x, y, c=fills, edgecolors=[colour] * len(x), zorder=2)
        axes.scatter([], [], color=colour, label=f"{_short(size)} image rows")
    axes.axvline(LIMIT, color="firebrick", linewidth=1)
    axes.annotate(f"{LIMIT:,}", (LIMIT, 0), (4, 0), textcoords="offset points", color="firebrick", va="center")
    axes.set(xlabel="peak of the largest process, MiB", yticks=range(len(names)), yticklabels=names)
    axes.set_xlim(0, max(LIMIT, *(one.mebibytes for by_size in found.values() for one in by_size.values())) * 1.1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=len(sizes), frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def table(found: Peaks) -> list[Row]:
    """A line a command: its peak at each size, and what a row takes."""
    rows = []
    for name, by_size in found.items():
        sizes = sorted(by_size)
        last, grown = by_size[sizes[-1]], slope(by_size)
        words = ", ".join(f"{by_size[size].mebibytes:,.0f} MiB at {_short(size)}" for size in sizes)
        words += f"; {grown:,.0f} bytes a row" if grown is not None else ""
        if last.stopped:
            words += f"; stopped after {last.seconds / 60:.0f} min"
        elif last.code:
            words += f"; ended with code {last.code}"
        rows.append(Row(name, words, None, None, f"≤ {LIMIT:,} MiB", not last.code and last.mebibytes <= LIMIT))
    return rows


def _short(size: int) -> str:
    unit, word = (_LARGE, "M") if size >= _LARGE else (_SMALL, "k")
    return f"{size / unit:g}{word}"
