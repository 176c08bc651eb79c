"""Curated workspaces, and a Chromium without a network that reads their reports."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fullshot.core import tables
from fullshot.core.workspace import Workspace
from tests.browser import chromium, opened

__all__ = ["chromium", "opened"]

Curate = Callable[[list[tuple[str, str]], dict[str, dict[str, Any]]], Workspace]


@pytest.fixture
def curate(make_workspace: Callable[[list[tuple[str, str]]], Workspace]) -> Curate:
    """A workspace of these (product, picture) rows, and what is said of each picture, by its name."""

    def make(rows: list[tuple[str, str]], said: dict[str, dict[str, Any]]) -> Workspace:
        workspace = make_workspace(rows)
        images = workspace.read("images")
        names = {Path(url).stem: identity for url, identity in zip(images["url"], images["image_id"], strict=True)}
        lines = []
        for name, identity in names.items():
            line = {"image_id": identity, "split": "train", **said.get(name, {})}
            line["full_shot"] = None if line.get("shot") in (None, "unclear") else line["shot"] == "full"
            line["duplicate_of"] = names.get(line.get("duplicate_of", ""))
            lines.append(line)
        workspace.write("curated", tables.frame("curated", lines))
        return workspace

    return make
