"""Peak of memory of every command over rows: 100 thousand, 1 million and 4 million image rows, made without pictures.

Measured is the largest process of a command, as the kernel says it when the command is done. The tables, what curation
keeps of pictures, detections and embeddings are made by a script; the picture files are there, and empty. Label Studio
is one that answers from memory. A crawl's last step and what a training does before its first epoch run alone: they
need a shop, or pictures, else. With `--demo` the models of a finished demo stand in for trained ones; without it the
commands that need one are left out.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from benchmarks import _common, _kept, _rows, _rows_probes
from benchmarks._common import ROOT, Row
from tests.contract.studio import label_studio

SIZES = (100_000, 1_000_000, 4_000_000)
MEBIBYTES = 2048
PLOT = ROOT / "docs" / "rows_memory.png"

_KIBIBYTE = 1024

# A process of its own, and a small one: a child's peak begins with the size that its parent has when it is started.
_LAUNCH = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
code = subprocess.call(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with open(sys.argv[1], "w") as file:
    json.dump([time.perf_counter() - started, peak], file)
sys.exit(code)
"""


class Measured(NamedTuple):
    """A command that ran: its largest process in MiB, how long it took, and how it ended."""

    mebibytes: float
    seconds: float
    code: int


def measure(command: Sequence[str], folder: Path, **environment: str) -> Measured:
    """Run a command in a folder; what it says is kept there, anew for each."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    with (folder / "stderr.txt").open("wb") as errors, (folder / "stdout.txt").open("wb") as output:
        launched = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(folder / "measured.json"), *command]
        code = subprocess.run(
            launched, cwd=folder, env=given, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        ).returncode
    seconds, kibibytes = json.loads((folder / "measured.json").read_text("utf-8"))
    return Measured(kibibytes / _KIBIBYTE, seconds, code)


class Command(NamedTuple):
    """What is measured.

    Attributes:
        name: as the table has it.
        words: after ``python -P -m``.
        needs_models: whether it needs a detector and an embedder.
    """

    name: str
    words: tuple[str, ...]
    needs_models: bool = False


def prepared(root: Path, rows: int, demo: Path | None) -> None:
    """Make a workspace: tables, empty picture files, what is kept of them, and another's models."""
    _rows.write_tables(root, rows)
    _rows.write_picture_files(root, rows)
    _kept.keep_geometry(root, rows)
    _kept.keep_features(root, rows)
    if demo:
        shutil.copytree(demo / "models", root / "models")
        _kept.keep_predictions(root, rows)
        _kept.keep_embeddings(root, rows)
    _rows_probes.write_crawl(root)


def commands(root: Path, scratch: Path, studio: str) -> Iterator[Command]:
    """The commands, in the order in which one needs what another makes."""
    place, boxes = str(root), str(scratch / "boxes")
    own = scratch / "own"
    own.mkdir(exist_ok=True)
    Image.new("RGB", (64, 64), "teal").save(own / "own.png")
    image = next(_rows.picture_names(4))
    fullshot = ("fullshot",)
    yield Command("0.1 brought up to date", (*fullshot, "trace", place, image))
    yield Command("trace", (*fullshot, "trace", place, image))
    yield Command("curate", (*fullshot, "curate", place))
    yield Command("curate --check", (*fullshot, "curate", place, "--check"))
    yield Command("report", (*fullshot, "report", place))
    yield Command("boxes export", (*fullshot, "boxes", "export", place, boxes, "--link"))
    yield Command("boxes import", (*fullshot, "boxes", "import", place, boxes))
    yield Command("annotate queue", (*fullshot, "annotate", "queue", place), needs_models=True)
    remote = ("--url", studio, "--token", "t")
    yield Command("annotate push", (*fullshot, "annotate", "push", place, *remote))
    yield Command("annotate pull", (*fullshot, "annotate", "pull", place, *remote))
    yield Command("index build", (*fullshot, "index", "build", place), needs_models=True)
    yield Command("evaluate embedder", (*fullshot, "evaluate", "embedder", place), needs_models=True)
    yield Command("add", (*fullshot, "add", place, str(own)))
    for probe in _rows_probes.PROBES:
        yield Command(probe, ("benchmarks._rows_probes", probe, place))


def measured(scratch: Path, rows: int, demo: Path | None, wanted: Sequence[str]) -> dict[str, Measured]:
    """Every command over a workspace of so many image rows."""
    scratch.mkdir(exist_ok=True)
    root = scratch / "workspace"
    prepared(root, rows, demo)
    _common.say(f"{rows:,} rows: the workspace is made")
    found: dict[str, Measured] = {}
    with counting_studio() as studio:
        for command in commands(root, scratch, studio):
            if (command.needs_models and demo is None) or (wanted and command.name not in wanted):
                continue
            words = [sys.executable, "-P", "-m", *command.words]
            found[command.name] = one = measure(words, scratch, FULLSHOT_ANNOTATE_PICTURES="http://127.0.0.1:9/")
            _common.say(
                f"{rows:,} rows: {command.name}: {one.mebibytes:,.0f} MiB, {one.seconds:.1f} s, code {one.code}"
            )
            if one.code:
                _common.say((scratch / "stderr.txt").read_text("utf-8", "replace")[-1500:])
    return found


@contextmanager
def counting_studio() -> Iterator[str]:
    """A Label Studio that counts the tasks that it is given, and forgets them; its address."""
    with label_studio() as studio:
        studio.tasks = _Counted()
        yield studio.url


class _Counted(dict[int, dict[str, Any]]):
    """Tasks of which only the number is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def __setitem__(self, number: int, task: dict[str, Any]) -> None:
        self._count += 1

    def __len__(self) -> int:
        return self._count


def slope(found: Mapping[int, Measured]) -> float | None:
    """Bytes that a further image row takes, between the smallest and the largest size."""
    sizes = sorted(size for size, one in found.items() if not one.code)
    if len(sizes) < 2:
        return None
    grown = found[sizes[-1]].mebibytes - found[sizes[0]].mebibytes
    return grown * _KIBIBYTE**2 / (sizes[-1] - sizes[0])


def draw(found: Mapping[str, Mapping[int, Measured]], file: Path) -> None:
    """The plot: a line a command, and the limit."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5.5), layout="constrained")
    most = sorted(found, key=lambda name: -max(one.mebibytes for one in found[name].values()))
    for number, name in enumerate(most):
        sizes = sorted(found[name])
        style = ("-", "--", ":")[number // 10 % 3]
        axes.plot(
            [size / 1e6 for size in sizes],
            [found[name][size].mebibytes for size in sizes],
            style,
            marker=".",
            label=name,
        )
    axes.axhline(MEBIBYTES, color="black", linewidth=0.8)
    axes.set(xlabel="million image rows", ylabel="peak of the largest process, MiB", ylim=(0, None))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=120)
    plt.close(figure)


def table(found: Mapping[str, Mapping[int, Measured]]) -> list[Row]:
    """A line a command: its peak at the largest size against that at the smallest."""
    rows = []
    for name, by_size in found.items():
        sizes = sorted(by_size)
        last, grown = by_size[sizes[-1]], slope(by_size)
        words = ", ".join(f"{by_size[size].mebibytes:,.0f}" for size in sizes)
        words += f" MiB; {grown:,.0f} bytes a row" if grown is not None else " MiB"
        words += f"; ended with code {last.code}" if last.code else ""
        good = not last.code and last.mebibytes <= MEBIBYTES
        rows.append(Row(name, words, None, None, f"≤ {MEBIBYTES:,} MiB", good))
    return rows


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="image rows; default: all three")
    parser.add_argument("--demo", type=Path, help="a finished demo's workspace, for its models")
    parser.add_argument("--only", nargs="+", default=[], metavar="COMMAND", help="these commands alone")
    parser.add_argument("--plot", type=Path, default=PLOT, help=f"where the plot goes; default: {PLOT}")
    given = parser.parse_args(arguments)
    found: dict[str, dict[int, Measured]] = {}
    for size in sorted(given.sizes):
        with _common.scratch(given.folder) as scratch:
            for name, one in measured(scratch, size, given.demo, given.only).items():
                found.setdefault(name, {})[size] = one
    if not given.only:
        draw(found, given.plot)
    sizes = ", ".join(f"{size:,}" for size in sorted(given.sizes))
    _common.show(f"Peak of memory at {sizes} image rows", table(found), as_json=given.as_json)


if __name__ == "__main__":
    main()
