import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image, ImageOps
from typer.testing import CliRunner

from fullshot import curation
from fullshot.cli import app
from fullshot.core import image_store, pictures, tables
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.index import check_splits
from fullshot.index.neighbours import find_neighbour_leaks

# Drawn squares of cloth: some are flat, or alike but for their colour.
LIMITS = {"min_detail": 0.0, "min_sharpness": 0.0, "max_watermark": 1.0, "max_collage": 1.0}


@pytest.fixture(scope="session")
def curate_settings(settings: Settings) -> Settings:
    return load(curate={"processes": 1, **LIMITS}, embedder=settings.embedder.model_dump())


def with_picture(workspace: Workspace, product: str, change: Callable[[Image.Image], Image.Image]) -> tuple[str, str]:
    """Add a changed copy of an item shot as a new product's; returns the ids of the picture and of its copy."""
    curated = workspace.read("curated").set_index("image_id")
    images = workspace.read("images")
    shot: dict[str, Any] = next(
        {str(name): value for name, value in row.items()}
        for row in images.to_dict("records")
        if curated["split"][row["image_id"]] == "train" and not curated["full_shot"].fillna(True)[row["image_id"]]
    )
    memory = io.BytesIO()
    with Image.open(workspace / str(shot["path"])) as picture:
        change(picture).save(memory, "PNG")
    there = image_store.put(workspace.blobs, memory.getvalue())
    row = {**shot, "image_id": there.image_id, "product_id": product, "path": there.path, "bytes": there.bytes}
    workspace.write("images", pd.concat([images, tables.frame("images", [row])]))
    known = workspace.read("products")
    new = tables.frame("products", [{"product_id": product, "gender": "women", "wear": "top"}])
    workspace.write("products", pd.concat([known, new]))
    return str(shot["image_id"]), there.image_id


def into(workspace: Workspace, image_id: str, split: str, cluster: str | None = None) -> None:
    """Put a picture into a split by hand."""
    curated = workspace.read("curated")
    curated.loc[curated["image_id"] == image_id, "split"] = split
    if cluster is None:
        curated["cluster"] = pd.NA
    workspace.write("curated", curated)


def checked(workspace: Workspace) -> tuple[int, dict[str, object]]:
    """Exit code and stats of ``curate --check``."""
    environment = {f"FULLSHOT_CURATE_{name.upper()}": str(value) for name, value in LIMITS.items()}
    result = CliRunner().invoke(app, ["curate", str(workspace.root), "--check", "--json"], env=environment)
    stats: dict[str, object] = json.loads(result.stdout)
    return result.exit_code, stats


def test_a_curated_workspace_does_not_leak(built: Workspace, curate_settings: Settings) -> None:
    curation.curate(built, curate_settings)
    before = {path: path.read_bytes() for path in built.root.glob("*.csv")}
    code, stats = checked(built)
    assert (code, stats["leaks"]) == (0, [])
    assert stats["checked_by"] == ["product", "style", "cluster", "hash", "neighbour"]
    assert {path: path.read_bytes() for path in built.root.glob("*.csv")} == before


def test_without_an_embedder_the_neighbours_are_not_asked(built: Workspace, curate_settings: Settings) -> None:
    curation.curate(built, curate_settings)
    (built / "models").rename(built / "no-models")
    assert check_splits(built, curate_settings)["checked_by"] == ["product", "style", "cluster", "hash"]


def test_a_copy_in_another_split_shows_by_its_hash(built: Workspace, curate_settings: Settings) -> None:
    curation.curate(built, curate_settings)
    shot, copy = with_picture(built, "s:new", lambda picture: picture.resize((picture.width * 2, picture.height * 2)))
    curation.curate(built, curate_settings)
    curated = built.read("curated").set_index("image_id")
    assert curated["cluster"][shot] == curated["cluster"][copy]
    assert curated["split"][shot] == curated["split"][copy] == "train"
    assert curated["duplicate_of"][shot] == copy  # the larger one stands for both
    into(built, copy, "test")
    code, stats = checked(built)
    assert code == 1
    found = {(leak["share"], leak["train"], leak["test"]) for leak in stats["leaks"] if leak["share"] == "hash"}  # type: ignore[attr-defined]
    assert found == {("hash", shot, copy)}


def test_a_mirrored_copy_shows_by_its_neighbour(built: Workspace, curate_settings: Settings) -> None:
    curation.curate(built, curate_settings)
    shot, copy = with_picture(built, "s:new", ImageOps.mirror)
    curation.curate(built, curate_settings)
    into(built, copy, "test")
    with built.open() as data:
        leaks, unreadable = find_neighbour_leaks(data, curate_settings)
    assert {(shot, "train"), (copy, "test")} in [set(leak.images) for leak in leaks]
    assert unreadable == 0


def test_a_picture_that_cannot_be_read_is_counted_and_named(
    built: Workspace, curate_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    curation.curate(built, curate_settings)
    path = str(built.read("images")["path"].iloc[0])
    (built / path).write_bytes(b"no picture")
    stats = check_splits(built, curate_settings)
    assert (stats["leaks"], stats["unreadable"]) == ([], 1)
    assert stats["checked_by"][-1] == "neighbour"
    assert path in capsys.readouterr().err


def test_what_was_checked_is_not_computed_again(
    built: Workspace, curate_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    curation.curate(built, curate_settings)
    first = check_splits(built, curate_settings)
    assert first["checked_by"][-1] == "neighbour"
    monkeypatch.setattr(pictures, "_opened", None)  # whoever opens a picture stumbles
    with built.open() as data:
        assert find_neighbour_leaks(data, curate_settings) == ([], 0)
    capsys.readouterr()
    assert check_splits(built, curate_settings) == first
    assert "nothing has changed" in capsys.readouterr().err
    monkeypatch.undo()
    curated = built.read("curated")
    into(built, str(curated["image_id"].iloc[0]), "test" if curated["split"].iloc[0] == "train" else "train")
    assert check_splits(built, curate_settings) != first


def test_what_is_to_be_done_first_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["curate", str(tmp_path / "none"), "--check"])
    assert result.exit_code == 2
    assert "fullshot crawl" in result.stderr
