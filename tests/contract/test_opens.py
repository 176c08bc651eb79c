"""A picture that one command has decoded whole is opened by no other for the same: what is seen in it is kept."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fullshot.cli import app
from tests.contract.commands import Contract, pictures_opened
from tests.contract.pictures import FULL
from tests.contract.studio import label_studio

UNSEEN = shutil.ignore_patterns("crops", "embeddings", "detections", "garments", "evaluation-*.json")
"""What is kept of pictures by commands that come after curation."""


def opened_by(command: str, workspace: Path, *more: str) -> tuple[dict[str, Any], set[str]]:
    """What a command printed, and the image_id of each picture whose file it opened."""
    with pictures_opened() as opened:
        done = CliRunner().invoke(app, [*command.split(), str(workspace), *more, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), opened


def test_what_is_found_in_an_outfit_image_is_kept_for_others(
    contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in ("train detector", "index build"):
        contract[command]
    workspace = tmp_path / "ws"
    shutil.copytree(contract.workspace.root, workspace, ignore=UNSEEN)
    opened_by("index build", workspace)
    _, by_answering = opened_by("evaluate recommend", workspace)
    outfits = {shot.image_id for shot in contract.shop.of("ordinary", FULL, splits=["test"])}
    assert outfits
    assert outfits <= by_answering
    # The few that its page shows are opened to be shown.
    monkeypatch.setattr("fullshot.train.embedder.evaluation.page.crop_addresses", lambda root, crops: {})
    _, by_evaluation = opened_by("evaluate embedder", workspace)
    assert by_evaluation & by_answering == set()
    with label_studio() as studio:
        stats, by_push = opened_by("annotate push", workspace, "--url", studio.url, "--token", "t")
    assert stats["predictions"] > 0
    assert by_push & by_answering == set()
