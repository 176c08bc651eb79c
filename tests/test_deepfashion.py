"""A data set in DeepFashion's files, from its folder to a detector that is measured: by the commands alone."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fullshot.core.workspace import Workspace
from tests import deepfashion

SPLITS = {"train": 12, "val": 3, "test": 4}
PROGRESS = re.compile(r": \d+ of \d+ |^fullshot: \w+ on ")
KINDS = len(deepfashion.KINDS)


def run(*words: str | Path | int) -> tuple[dict[str, Any], list[str]]:
    """The stats of a command, and what it said on stderr but for its progress."""
    command = [sys.executable, "-m", "fullshot", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if not PROGRESS.search(line)]
    return json.loads(done.stdout), lines


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deepfashion")
    published = deepfashion.write(folder / "published", **SPLITS)
    workspace = folder / "ws"
    stats, _ = run("add", workspace, published / "Img" / "img")
    assert stats["pictures"] == KINDS * sum(SPLITS.values())
    stats, said = run("boxes", "import", workspace, published, "--format", "deepfashion")
    assert (stats["boxes"], stats["splits"]) == (stats["pictures"], {name: KINDS * n for name, n in SPLITS.items()})
    assert (stats["pictures"], said) == (KINDS * sum(SPLITS.values()), [])
    stats, said = run("boxes", "import", workspace, published, "--format", "deepfashion")
    assert (stats["known"], stats["splits"]) == (stats["boxes"], {})
    stats, _ = run("curate", workspace)
    assert stats["splits"] == {name: KINDS * n for name, n in SPLITS.items()}
    return workspace


def trained_and_measured(workspace: Path, *flags: str | int) -> dict[str, Any]:
    flags = (*flags, "--labels", "top bottom long", "--batch", 4, "--device", "cpu")
    stats, said = run("train", "detector", workspace, *flags)
    assert stats["boxes"] == {name: KINDS * n for name, n in SPLITS.items()}
    assert "every picture of the split train has one box: it learns from crops about a box" in " ".join(said)
    stats, _ = run("evaluate", "detector", workspace)
    assert {label: row["boxes"] for label, row in stats["classes"].items()} == {"top": 4, "bottom": 4, "long": 4}
    return stats


@pytest.mark.parametrize("family", ["yolo", "ssdlite"])
def test_the_commands_lead_from_the_files_to_figures_of_each_label(curated: Path, family: str) -> None:
    stats = trained_and_measured(curated, "--family", family, "--epochs", 1, "--image-size", 64)
    assert stats["pictures"] == KINDS * SPLITS["test"]
    assert all(0 <= row["map50_95"] <= row["map50"] <= 1 for row in (stats, *stats["classes"].values()))


@pytest.mark.slow
def test_what_is_trained_finds_the_garments(curated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULLSHOT_DETECTOR_LEARNING_RATE", "0.004")  # few steps
    stats = trained_and_measured(curated, "--family", "fcos", "--epochs", 24, "--image-size", 96)
    assert stats["map50"] > 0.5
    assert all(row["map50"] > 0.25 for row in stats["classes"].values())


def test_a_split_that_a_picture_has_here_stays(tmp_path: Path) -> None:
    published = deepfashion.write(tmp_path / "published", train=2, test=1)
    place = tmp_path / "ws"
    run("add", place, published / "Img" / "img")
    workspace = Workspace(place)
    images = workspace.read("images")
    tested = images.loc[images["url"].str.contains("img_00000001"), ["image_id"]].assign(split="test")
    workspace.write("splits", tested)
    stats, (said,) = run("boxes", "import", place, published, "--format", "deepfashion")
    assert stats["splits"] == {"train": 5, "test": 3}
    assert said.startswith("boxes import: 1 pictures have another split here than in the file and stay in it")
    assert dict(workspace.read("splits")["split"].value_counts()) == {"train": 5, "test": 4}


def test_a_picture_that_is_not_in_the_workspace_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    published = deepfashion.write(tmp_path / "published", train=1)
    place = tmp_path / "ws"
    run("add", place, published / "Img" / "img" / deepfashion.KINDS[0][0])
    stats, (said,) = run("boxes", "import", place, published, "--format", "deepfashion")
    assert (stats["pictures"], stats["not_in_workspace"], stats["splits"]) == (1, 2, {"train": 1})
    assert said.startswith("boxes import: 2 of the file's pictures are not in the workspace: `fullshot add ")


def test_a_picture_of_two_partitions_is_tested_on(tmp_path: Path) -> None:
    published = deepfashion.write(tmp_path / "published", train=1, test=1)
    blouses = sorted((published / "Img" / "img" / deepfashion.KINDS[0][0]).iterdir())
    blouses[1].write_bytes(blouses[0].read_bytes())  # as DeepFashion has some
    place = tmp_path / "ws"
    run("add", place, published / "Img" / "img")
    stats, _ = run("boxes", "import", place, published, "--format", "deepfashion")
    assert (stats["pictures"], stats["splits"]) == (5, {"train": 2, "test": 3})
