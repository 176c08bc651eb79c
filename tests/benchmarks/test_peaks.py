"""Peaks of memory: what is measured, what is kept of it, and what is shown."""

import sys
from pathlib import Path

from benchmarks import _peaks
from benchmarks._peaks import Peak


def test_the_largest_process_of_a_command_counts(tmp_path: Path) -> None:
    large = "b'x' * (200 * 2**20)"
    child = f'import subprocess, sys; subprocess.call([sys.executable, "-c", "{large}"]); sys.exit(3)'
    peak = _peaks.measure([sys.executable, "-c", child], tmp_path, minutes=10)
    assert 200 < peak.mebibytes < 300
    assert (peak.code, peak.stopped) == (3, False)


def test_a_command_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    peak = _peaks.measure([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path, minutes=0)
    assert peak.stopped
    assert peak.code
    assert peak.mebibytes > 0


def test_what_was_measured_is_kept_and_shown(tmp_path: Path) -> None:
    found = {
        "add": {1000: Peak(100.0, 1.0, 0.5, 0), 1_001_000: Peak(200.0, 9.0, 8.0, 0)},
        "curate": {1_001_000: Peak(3000.0, 1800.0, 9.0, 130, stopped=True)},
    }
    _peaks.save(found, tmp_path / "peaks.json")
    assert _peaks.load(tmp_path / "peaks.json") == found
    assert _peaks.load(tmp_path / "none.json") == {}
    add, curate = _peaks.table(found)
    assert (add.ours, add.reached) == ("100 MiB at 1k, 200 MiB at 1.001M; 105 bytes a row", True)
    assert (curate.ours, curate.reached) == ("3,000 MiB at 1.001M; stopped after 30 min", False)
    _peaks.draw(found, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
