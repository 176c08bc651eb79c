"""Whose weights are measured, and where their figures go."""

import shutil
from pathlib import Path

from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import embedder


def test_a_run_and_its_copy_from_elsewhere_are_told_apart(
    trained: Workspace, settings: Settings, tmp_path: Path
) -> None:
    own = embedder.evaluate(trained, settings)
    folder = Path(own["page"]).parent
    assert folder.name == own["run"]
    assert "was not trained in this workspace" not in (folder / "model-card.md").read_text()
    shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)
    copy = str(tmp_path / "elsewhere" / folder.name)
    other = embedder.evaluate(trained, settings, copy)
    assert Path(other["page"]).parents[1] == trained.models("embedder") / "evaluations"
    assert "was not trained in this workspace" in (Path(other["page"]).parent / "model-card.md").read_text()
    told = ("queries", "recall@1", "recall@5", "wears", "shop", "street", "embedder")
    assert {name: own[name] for name in told} == {name: other[name] for name in told}


def test_a_file_and_a_baseline_are_compared_with_the_run(trained: Workspace, settings: Settings) -> None:
    (run,) = (path for path in trained.models("embedder").iterdir() if (path / "run.json").is_file())
    (weights,) = (path for path in run.iterdir() if path.name.startswith("weights."))
    stats = embedder.compare(trained, settings, [run.name, str(weights), "random"])
    first, same, chance = stats["embedders"]
    assert first["recall@5"] == same["recall@5"] == 1
    assert chance["run"] == "random"
    page = Path(stats["page"]).read_text()
    assert page.count("was not trained in this workspace") == 1
