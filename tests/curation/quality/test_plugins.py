"""A quality check that another package brings."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from fullshot.core.workspace import Workspace

CHECK = """
class Dark:
    name = "dark"
    words = "taken at night"
    measures = ({measure!r},)

    def measure(self, reductions):
        return {{{measure!r}: float(reductions.small_levels.mean() / 255)}}

    def failed(self, rows, settings):
        return rows[{measure!r}] < 0.9
"""


def install(site: Path, measure: str = "brightness", place: str = "dark_check:Dark") -> None:
    """A package with one module and an entry point, as pip would install it."""
    (site / "dark-1.0.dist-info").mkdir(parents=True, exist_ok=True)
    (site / "dark-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: dark\nVersion: 1.0\n")
    points = f"[fullshot.quality_checks]\ndark = {place}\n"
    (site / "dark-1.0.dist-info" / "entry_points.txt").write_text(points)
    (site / "dark_check.py").write_text(CHECK.format(measure=measure))


def curate(workspace: Workspace, site: Path | None) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([*([str(site)] if site else []), str(Path(__file__).parents[3])])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-m", "fullshot", "curate", str(workspace.root), "--json", "--processes", "2"]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def stats(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_its_measures_are_kept_and_its_issue_is_named(
    make_workspace: Callable[[list[tuple[str, str]]], Workspace], tmp_path: Path
) -> None:
    workspace, site = make_workspace([("s:1", "outfit"), ("s:2", "bus")]), tmp_path / "site"
    without = stats(curate(workspace, None))
    assert (without["extracted"], without["issues"]) == (2, {})
    install(site)
    # Features that lack the new measure are extracted again, once.
    assert [stats(curate(workspace, site))["extracted"] for _ in range(2)] == [2, 0]
    issues = workspace.read("curated")["issues"].dropna().tolist()
    assert issues == ["dark"] * len(issues)
    assert issues
    _, shard = sorted((workspace / "features").glob("pictures/*/*.parquet"))
    assert "brightness" in pyarrow.parquet.read_table(shard).column_names
    # Without the check its measure does no harm.
    after = stats(curate(workspace, None))
    assert (after["extracted"], after["issues"]) == (0, {})


@pytest.mark.parametrize(
    ("measure", "says"),
    [
        ("sharpness", "'dark' measures 'sharpness', and so does 'blurred'"),
        ("phash", "'dark' measures 'phash', and so does fullshot itself"),
    ],
)
def test_a_measure_that_there_is_already_is_one_line(
    make_workspace: Callable[[list[tuple[str, str]]], Workspace], tmp_path: Path, measure: str, says: str
) -> None:
    install(tmp_path / "site", measure)
    done = curate(make_workspace([("s:1", "outfit")]), tmp_path / "site")
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_one_that_does_not_load_is_named_and_the_rest_works(
    make_workspace: Callable[[list[tuple[str, str]]], Workspace], tmp_path: Path
) -> None:
    install(tmp_path / "site", place="dark_check:Light")
    done = curate(make_workspace([("s:1", "outfit")]), tmp_path / "site")
    assert stats(done)["extracted"] == 1
    assert "the quality check 'dark' of dark 1.0 does not load" in done.stderr
