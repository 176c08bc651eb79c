"""Two million image rows made by a script, without pictures: read, join, check, split and export them.

Earlier code takes the same steps on the same rows where a checkout of it is given (`--peer`): a commit of the time when
CSV files were read whole. Each runs in a process of its own; its peak of memory is the kernel's. Ours begins with a
workspace of CSV files once, which it takes in: that is a line of its own, and is not counted to the steps.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import _common, _rows
from benchmarks._common import ROOT, Row

ROWS = 2_000_000
LEAST = 10.0
"""Times as fast as earlier code."""
MEBIBYTES = 2048
STEPS = ("read", "join", "check", "split", "export")


class Steps(NamedTuple):
    """What a process said of its steps: seconds and the processor's seconds of each, and its peak of memory in MiB."""

    seconds: dict[str, float]
    processor_seconds: dict[str, float]
    mebibytes: float


def taken(workspace: Path, script: str, code: Path) -> Steps:
    """Take the steps in a process of their own.

    Args:
        workspace: with the tables.
        script: the module of this folder that takes them.
        code: the checkout whose code runs.
    """
    command = [sys.executable, "-P", str(Path(__file__).with_name(f"{script}.py")), str(workspace)]
    environment = {**os.environ, "PYTHONPATH": str(code)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    said: dict[str, Any] = json.loads(done.stdout)
    seconds, processor_seconds = ({name: pair[at] for name, pair in said["steps"].items()} for at in (0, 1))
    return Steps(seconds, processor_seconds, said["mebibytes"])


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"image rows; default: {ROWS:,}")
    parser.add_argument("--peer", type=Path, help="a checkout of earlier code to compare with")
    given = parser.parse_args(arguments)
    with _common.scratch(given.folder) as scratch:
        _rows.write_tables(scratch / "workspace", given.rows)
        _common.say("the tables are made")
        # The CSVs are as version 0.1 left them: the code that reads them goes first.
        peer = taken(scratch / "workspace", "_rows_peer", given.peer.resolve()) if given.peer else None
        ours = taken(scratch / "workspace", "_rows_ours", ROOT)
    _common.show(f"{given.rows:,} image rows", table(ours, peer), as_json=given.as_json, peer="earlier code")


def table(ours: Steps, peer: Steps | None) -> list[Row]:
    """The lines of the benchmark's table; a ratio says how many times as fast ours is."""
    rows = [Row("s, CSVs of version 0.1 taken in, once", ours.seconds["take in"])]
    for name in STEPS:
        before = peer.seconds[name] if peer else None
        rows.append(Row(f"s, {name}", ours.seconds[name], before, before and before / ours.seconds[name]))
    for what, of in (("s", "seconds"), ("processor's s", "processor_seconds")):
        total = sum(getattr(ours, of)[name] for name in STEPS)
        before = sum(getattr(peer, of)[name] for name in STEPS) if peer else None
        ratio = before / total if before else None
        rows.append(Row(f"{what}, all steps", total, before, ratio, f"≥ {LEAST:g}", ratio and ratio >= LEAST))
    before = peer.mebibytes if peer else None
    good = ours.mebibytes <= MEBIBYTES
    rows.append(Row("peak, MiB", ours.mebibytes, before, before and ours.mebibytes / before, f"≤ {MEBIBYTES:,}", good))
    return rows


if __name__ == "__main__":
    main()
