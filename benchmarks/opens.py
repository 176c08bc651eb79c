"""How often each picture's file is opened over a whole demo after curation: by command, and by picture and size.

After the demo its commands run once more, and those that it has no use for, `annotate push` among them, run twice: so
that of each the second run is counted too.

Every process of the demo notes what it opens (`_opens/sitecustomize.py`): Python tells of each file, whoever opens it.
A size is how much of a picture is decoded: its header, so many pixels, or the whole; where another library reads it,
that is named, and counts as a size of its own. What libraries open without Python is not seen; none here does.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks import _common, again
from benchmarks._common import ROOT, Row
from tests.contract.studio import label_studio

HOOK = Path(__file__).parent / "_opens"
MOST = 2
BEFORE = ("crawl", "curate", "demo", "")
"""Commands that come before: a crawl brings the pictures, curation looks at each; the demo draws its shop."""

OF_DEMO = (
    "train detector",
    "train embedder",
    "index build",
    "evaluate detector",
    "evaluate recommend",
    "report",
    "recommend",
)
"""Commands that the demo runs after curation."""


class Open(NamedTuple):
    """A picture's file that was opened: by which command, which picture, and how much of it was decoded."""

    command: str
    image: str
    size: str


def demo(workspace: Path, log: Path, code: Path, collections: int) -> list[Open]:
    """Run the demo, and all commands until each has run twice, and tell what was opened.

    Args:
        workspace: where it goes.
        log: an empty folder.
        code: the checkout whose code runs.
        collections: how large the shop is.
    """
    path = os.pathsep.join(map(str, (HOOK, code)))
    environment = {**os.environ, "PYTHONPATH": path, "FULLSHOT_BENCHMARK_OPENS": str(log)}
    start = [sys.executable, "-P", "-m", "fullshot"]
    command = [*start, "demo", str(workspace), "--collections", str(collections)]
    # What the demo says is how far this benchmark is.
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=True)
    answers = workspace.with_name(f"{workspace.name}-answers")
    answers.mkdir()
    with label_studio() as studio:
        for name, words in again.commands(workspace, answers, studio.url).items():
            for _ in range(1 if name in OF_DEMO else 2):
                run = _common.run([*start, *words, "--json"], answers, **environment, **again.STUDIO)
                _common.must_succeed(run, f"fullshot {name}")
    return noted(log)


def noted(log: Path) -> list[Open]:
    """What the processes noted in a folder."""
    lines = (line for file in sorted(log.iterdir()) for line in file.read_text("utf-8").splitlines())
    return [Open(*line.split("\t")) for line in lines]


def after_curation(opens: Iterable[Open]) -> list[Open]:
    """Those of the commands that come after curation."""
    return [each for each in opens if each.command not in BEFORE]


def figures(opens: list[Open]) -> dict[str, float]:
    """By its name, what a benchmark's table says of the opens after curation."""
    pictures = len({each.image for each in opens}) or 1
    by_size = Counter((each.image, each.size) for each in opens)
    by_picture = Counter(each.image for each in opens)
    return {
        "opens of a picture in a size, at most": max(by_size.values(), default=0),
        "opens of a picture in a size, on average": len(opens) / max(1, len(by_size)),
        "pictures opened more than twice in a size": len(
            {image for (image, _), count in by_size.items() if count > MOST}
        ),
        "opens of a picture, at most": max(by_picture.values(), default=0),
        "opens of a picture, on average": len(opens) / pictures,
        "pictures opened": pictures,
    }


def by_command(opens: list[Open]) -> dict[str, str]:
    """Of each command how many opens it makes, of how many pictures, the most of one picture in a size, by size."""
    told: dict[str, str] = {}
    for command in dict.fromkeys(each.command for each in opens):
        mine = [each for each in opens if each.command == command]
        sizes = Counter(each.size for each in mine)
        most = max(Counter((each.image, each.size) for each in mine).values())
        parts = ", ".join(f"{count:,} {size}" for size, count in sizes.most_common())
        told[command] = f"{len(mine):,} opens of {len({each.image for each in mine})}, at most {most}: {parts}"
    return told


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--peer", type=Path, help="a checkout of earlier code to compare with")
    parser.add_argument("--collections", type=int, default=38, help="size of the demo's shop; default: 38, the whole")
    given = parser.parse_args(arguments)
    measured = {}
    with _common.scratch(given.folder) as scratch:
        for name, code in {"ours": ROOT, **({"peer": given.peer.resolve()} if given.peer else {})}.items():
            log = scratch / f"{name}-log"
            log.mkdir()
            measured[name] = after_curation(demo(scratch / name, log, code, given.collections))
    ours, peer = figures(measured["ours"]), figures(measured["peer"]) if given.peer else {}
    most = ("opens of a picture in a size, at most",)
    rows = [
        Row(
            name,
            value,
            peer.get(name),
            None,
            f"≤ {MOST}" if name in most else "",
            value <= MOST if name in most else None,
        )
        for name, value in ours.items()
    ]
    told, before = by_command(measured["ours"]), by_command(measured.get("peer", []))
    rows += [Row(command, words, before.get(command)) for command, words in told.items()]
    _common.show("Pictures opened after curation", rows, as_json=given.as_json)


if __name__ == "__main__":
    main()
