"""A workspace: its lock, the record of a stage, and what is said of what is missing."""

import json
from pathlib import Path

import pytest

from fullshot.core import tables
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.workspace import Workspace


def test_a_stage_is_recorded_when_it_is_done(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write("products", tables.frame("products"))
    with workspace.stage("curate", workspace.settings(), ["products"]) as stats:
        stats["images"] = 3
        assert not list(tmp_path.glob("runs/*"))
    (record,) = [json.loads(path.read_text()) for path in tmp_path.glob("runs/curate-*.json")]
    assert record["stats"] == {"images": 3}
    assert len(record["inputs"]["products.csv"]) == 64
    assert record["settings"]["crawl"]["delay"] == 1.0


def test_a_stage_that_fails_leaves_no_record(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(ZeroDivisionError), workspace.stage("curate", workspace.settings()):
        _ = 1 // 0
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ("images", "run `fullshot add {root} FOLDER` first, or `fullshot crawl`"),
        ("curated", "run `fullshot curate {root}` first"),
        ("boxes", "run `fullshot boxes import {root}` first"),
        ("dataset2", "run `fullshot curate {root}` first"),
    ],
)
def test_a_missing_table_names_the_command_that_makes_it(tmp_path: Path, table: str, hint: str) -> None:
    with pytest.raises(MissingInput) as caught:
        Workspace(tmp_path).read(table)
    assert str(caught.value) == f"no {table}.csv in {tmp_path}: {hint.format(root=tmp_path)}"


def test_a_workspace_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "none")
    with pytest.raises(MissingInput, match="no workspace at"):
        workspace.read("images")
    with pytest.raises(MissingInput, match="no workspace at"), workspace.locked():
        pass
    assert not (tmp_path / "none").exists()


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="expected a workspace folder, got a file"):
        Workspace(tmp_path / "file")
