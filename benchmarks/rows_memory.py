"""Peak of memory of every command over rows: 100 thousand, 1 million and 4 million image rows, made without pictures.

Measured is the largest process of a command, as the kernel says it when the command is done. The tables, what curation
keeps of pictures, detections and embeddings are made by a script; the picture files are there, and empty. Label Studio
is one that answers from memory. A crawl's last step and what a training does before its first epoch run alone: they
need a shop, or pictures, else. With `--demo` the models of a finished demo stand in for trained ones; without it the
commands that need one are left out.

Figures are gathered in a file: what stands there is not measured again, and the table and the plot show all of it.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from benchmarks import _common, _kept, _peaks, _rows, _rows_probes
from benchmarks._common import ROOT
from benchmarks._peaks import Peak
from fullshot.core.settings import load
from fullshot.crawler.state import FILE as CRAWL
from tests.contract.studio import label_studio

SIZES = (100_000, 1_000_000, 4_000_000)
PLOT = ROOT / "docs" / "rows_memory.png"

_MINUTES = 30.0
IMPORT = "boxes import"
CONTENTS = "contents"
"""The folder of files that an import knows pictures by."""

_RADIUS = "6"
"""Bits by which hashes of near duplicates differ: these are drawn by lot, and of four million there are so many pairs
within the default that the search for them, which needs no memory, takes hours."""

_ONCE = "0.1 brought up to date"


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
    place, boxes, contents = str(root), str(scratch / "boxes"), str(scratch / CONTENTS)
    own = scratch / "own"
    own.mkdir(exist_ok=True)
    Image.new("RGB", (64, 64), "teal").save(own / "own.png")
    image = next(_rows.picture_names(4))
    fullshot = ("fullshot",)
    yield Command(_ONCE, (*fullshot, "trace", place, image))
    yield Command("trace", (*fullshot, "trace", place, image))
    yield Command("curate", (*fullshot, "curate", place))
    yield Command("curate --check", (*fullshot, "curate", place, "--check"))
    yield Command("report", (*fullshot, "report", place))
    yield Command("boxes export", (*fullshot, "boxes", "export", place, boxes, "--link"))
    yield Command(IMPORT, (*fullshot, "boxes", "import", place, boxes, "--images", contents))
    yield Command("annotate queue", (*fullshot, "annotate", "queue", place), needs_models=True)
    remote = ("--url", studio, "--token", "t")
    yield Command("annotate push", (*fullshot, "annotate", "push", place, *remote))
    yield Command("annotate pull", (*fullshot, "annotate", "pull", place, *remote))
    yield Command("index build", (*fullshot, "index", "build", place), needs_models=True)
    yield Command("evaluate embedder", (*fullshot, "evaluate", "embedder", place), needs_models=True)
    yield Command("add", (*fullshot, "add", place, str(own)))
    for probe in _rows_probes.PROBES:
        yield Command(probe, ("benchmarks._rows_probes", probe, place))


def measured(
    place: Path, rows: int, demo: Path | None, wanted: Callable[[str], bool], minutes: float
) -> Iterator[tuple[str, Peak]]:
    """Measure commands over a workspace of so many image rows.

    Args:
        place: where the workspace is; it is made if it is not there.
        rows: of ``images``.
        demo: whose models are used.
        wanted: whether a command of this name is measured.
        minutes: after which a command is stopped.
    """
    root, scratch = place / f"ws{rows}", place / f"measured{rows}"
    scratch.mkdir(parents=True, exist_ok=True)
    environment = {
        "FULLSHOT_ANNOTATE_PICTURES": "http://127.0.0.1:9/",
        "FULLSHOT_CURATE_DUPLICATE_RADIUS": _RADIUS,
    }
    with counting_studio() as studio:
        chosen = [command for command in commands(root, scratch, studio) if wanted(command.name)]
        if chosen and not root.is_dir():
            unfinished = root.with_suffix(".unfinished")
            prepared(unfinished, rows, demo)
            unfinished.rename(root)
            _common.say(f"{rows:,} rows: the workspace is made")
        elif any(command.name == _rows_probes.MERGE for command in chosen) and not (root / CRAWL).is_file():
            _rows_probes.write_crawl(root)
        for command in chosen:
            if command.name == _ONCE and (root / "tables").is_dir():
                continue  # it was brought up to date before
            if command.needs_models and not (root / "models").is_dir():
                continue
            words = [sys.executable, "-P", "-m", *command.words]
            if command.name == IMPORT and not (scratch / CONTENTS).is_dir():
                _rows.write_contents(scratch / CONTENTS, rows)
            one = _peaks.measure(words, scratch, minutes, **environment)
            _common.say(
                f"{rows:,} rows: {command.name}: {one.mebibytes:,.0f} MiB, {one.seconds:.1f} s "
                f"({one.processor_seconds:.1f} of the processor), code {one.code}{', stopped' * one.stopped}"
            )
            if one.code:
                _common.say((scratch / "stderr.txt").read_text("utf-8", "replace")[-1500:])
            yield command.name, one


@contextmanager
def counting_studio() -> Iterator[str]:
    """A Label Studio with a project, that counts the tasks that it is given, and forgets them; its address."""
    with label_studio() as studio:
        studio.tasks = _Counted()
        studio.answer("POST", "/api/projects", {}, json.dumps({"title": load().annotate.project}).encode())
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


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="image rows; default: all three")
    parser.add_argument("--demo", type=Path, help="a finished demo's workspace, for its models")
    parser.add_argument("--only", nargs="+", default=[], metavar="COMMAND", help="measure these commands alone")
    parser.add_argument("--plot", type=Path, default=PLOT, help=f"where the plot goes; default: {PLOT}")
    parser.add_argument("--results", type=Path, help="where figures are gathered; default: beside the plot, .json")
    parser.add_argument(
        "--workspaces", type=Path, help="a folder where workspaces are made and stay, or are: ws100000 and so on"
    )
    parser.add_argument("--minutes", type=float, default=_MINUTES, help=f"a command is stopped; default: {_MINUTES:g}")
    given = parser.parse_args(arguments)
    results = given.results or given.plot.with_suffix(".json")
    found = _peaks.load(results)
    for size in sorted(given.sizes):
        place = nullcontext(given.workspaces.resolve()) if given.workspaces else _common.scratch(given.folder)

        def is_wanted(name: str, size: int = size) -> bool:
            return size not in found.get(name, {}) and (not given.only or name in given.only)

        with place as folder:
            for name, one in measured(folder, size, given.demo, is_wanted, given.minutes):
                found.setdefault(name, {})[size] = one
                _peaks.save(found, results)
    _peaks.draw(found, given.plot)
    _common.show("Peak of memory of the largest process", _peaks.table(found), as_json=given.as_json)


if __name__ == "__main__":
    main()
