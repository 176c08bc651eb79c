"""Figures of an evaluation are kept as long as nothing has changed that they depend on."""

from pathlib import Path

import pytest

from fullshot.core import tables
from fullshot.core.settings import RecommendSettings
from fullshot.core.workspace import Workspace
from fullshot.train import inputs_of, keep_figures, kept_figures

STAGE = "evaluate embedder"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    place = Workspace(tmp_path)
    place.write("products", tables.frame("products", [{"product_id": "s:1", "gender": "men", "wear": "top"}]))
    return place


def inputs(workspace: Workspace, neighbours: int = 5, embedder: str = "ab12") -> dict[str, str]:
    sections = {"recommend": RecommendSettings(neighbours=neighbours)}
    return inputs_of(workspace, ("products", "boxes"), sections, embedder=embedder)


def test_figures_are_shown_again_while_nothing_has_changed(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "evaluation-test.json"
    assert kept_figures(file, inputs(workspace), STAGE) is None
    keep_figures(file, inputs(workspace), {"recall@5": 0.75, "unreadable": 0})
    assert capsys.readouterr().err == ""
    assert kept_figures(file, inputs(workspace), STAGE) == {"recall@5": 0.75, "unreadable": 0}
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"{STAGE}: nothing has changed")
    assert str(file) in said


def test_whatever_they_depend_on_makes_them_old(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "evaluation-test.json"
    keep_figures(file, inputs(workspace), {"recall@5": 0.75, "unreadable": 0})
    assert kept_figures(file, inputs(workspace, neighbours=4), STAGE) is None
    assert kept_figures(file, inputs(workspace, embedder="cd34"), STAGE) is None
    (tmp_path / "taxonomy.toml").write_text('[wear]\ntop = ["Kurta"]\n')
    assert kept_figures(file, inputs(workspace), STAGE) is None
    (tmp_path / "taxonomy.toml").unlink()
    assert kept_figures(file, inputs(workspace), STAGE) is not None
    workspace.write("products", tables.frame("products", [{"product_id": "s:1", "gender": "men", "wear": "foot"}]))
    assert kept_figures(file, inputs(workspace), STAGE) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"recall@5": 1}'])
def test_a_file_that_does_not_say_what_it_depends_on_counts_for_nothing(
    workspace: Workspace, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "evaluation-test.json"
    file.write_text(content)
    assert kept_figures(file, inputs(workspace), STAGE) is None


def test_pictures_that_could_not_be_read_may_have_been_brought_back(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "evaluation-test.json"
    keep_figures(file, inputs(workspace), {"recall@5": 0.75, "unreadable": 2})
    assert kept_figures(file, inputs(workspace), STAGE) is None
