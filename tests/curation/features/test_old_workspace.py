"""Features that version 0.1 of fullshot kept, in its folder ``looks/``."""

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute
import pyarrow.parquet
import pytest

from fullshot import curation
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.features.versions import version_of

Make = Callable[[list[tuple[str, str]]], Workspace]
ROWS = [("s:1", "outfit"), ("s:1", "front"), ("s:2", "half")]

# A shard's columns, in the order that version 0.1 wrote them in.
COLUMNS_OF_0_1 = [
    *("image_id", "make", "width", "height", "keypoints"),
    *("sharpness", "detail", "watermark", "collage"),
    *("phash", "thumbnail"),
]


def contents(workspace: Workspace) -> dict[str, bytes]:
    files = [workspace.table("curated"), *workspace.exports.iterdir()]
    return {path.name: path.read_bytes() for path in files}


def as_version_0_1(workspace: Workspace, settings: Settings) -> None:
    """Bring the folder of features into the state that version 0.1 left it in."""
    version = version_of(curation.open_pose_estimator(settings))
    shutil.move(workspace / "features" / "pictures", workspace / "looks")
    if (workspace / "features" / "failures.json").is_file():
        shutil.move(workspace / "features" / "failures.json", workspace / "looks")
    shutil.rmtree(workspace / "features")
    for shard in (workspace / "looks").rglob("*.parquet"):
        table = pyarrow.parquet.read_table(shard)
        table = table.filter(pyarrow.compute.is_null(table["unreadable"]))
        table = table.append_column("make", pyarrow.array([version] * table.num_rows))
        pyarrow.parquet.write_table(table.select(COLUMNS_OF_0_1), shard.with_name("0123456789abcdef.parquet"))
        shard.unlink()


def test_the_version_of_mediapipes_features_is_that_of_0_1(settings: Settings) -> None:
    estimator = curation.open_pose_estimator(settings)
    digest = estimator.version.split()[1]
    assert estimator.version == f"blazepose {digest} 3"
    assert version_of(estimator) == f"3 blazepose {digest} 3"


def test_they_are_moved_beside_what_another_command_kept(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    as_version_0_1(workspace, settings)
    (workspace / "features" / "thumbnails").mkdir(parents=True)  # by a report
    assert curation.curate(workspace, settings)["extracted"] == 0
    assert not (workspace / "looks").exists()


def test_they_are_moved_and_used(make_workspace: Make, settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    workspace = make_workspace(ROWS)
    assert curation.curate(workspace, settings)["extracted"] == 3
    before = contents(workspace)
    as_version_0_1(workspace, settings)
    capfd.readouterr()
    assert curation.curate(workspace, settings)["extracted"] == 0
    [line] = [line for line in capfd.readouterr().err.splitlines() if "looks" in line]
    assert "is called features/ now" in line
    assert not (workspace / "looks").exists()
    assert contents(workspace) == before
    curation.curate(workspace, settings)
    assert "looks" not in capfd.readouterr().err


def test_features_that_lay_one_folder_higher_are_moved_and_used(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    before = contents(workspace)
    as_version_0_1(workspace, settings)
    (workspace / "looks").rename(workspace / "features")
    assert curation.curate(workspace, settings)["extracted"] == 0
    assert contents(workspace) == before
    [shard] = (workspace / "features").rglob("*.parquet")
    # A fullshot of that time was run again: what it wrote joins the rest.
    old = workspace / "features" / shard.parent.name
    old.mkdir()
    shard.rename(old / "fedcba9876543210.parquet")
    assert curation.curate(workspace, settings)["extracted"] == 0
    assert not old.exists()
    assert contents(workspace) == before


def test_shards_of_0_1_are_merged_with_new_ones(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    before = contents(workspace)
    as_version_0_1(workspace, settings)
    [shard] = (workspace / "looks").rglob("*.parquet")
    for number in range(16):
        shutil.copy(shard, shard.with_name(f"{number:016x}.parquet"))
    assert curation.curate(workspace, settings)["extracted"] == 0
    assert len(list((workspace / "features").rglob("*.parquet"))) == 1
    assert contents(workspace) == before


def test_a_check_of_the_splits_uses_them_too(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    as_version_0_1(workspace, settings)
    with workspace.open() as data:
        assert curation.find_leaks(data, settings) == []
    assert (workspace / "features").is_dir()


def test_a_workspace_that_can_only_be_read_keeps_its_old_folder(
    make_workspace: Make, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    as_version_0_1(workspace, settings)

    def refuse(path: Path, target: Path) -> None:
        # Tests may run as root, whom no permission keeps from writing.
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "rename", refuse)
    with workspace.open() as data:
        assert curation.find_leaks(data, settings) == []
    assert (workspace / "looks").is_dir()


def test_failures_that_0_1_wrote_are_still_curations_own(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    path = workspace / str(workspace.read("images")["path"][1])
    content = path.read_bytes()
    path.unlink()
    curation.curate(workspace, settings)
    as_version_0_1(workspace, settings)
    assert json.loads((workspace / "looks" / "failures.json").read_text("utf-8"))
    path.write_bytes(content)
    assert curation.curate(workspace, settings)["unreadable"] == 0
    assert workspace.read("failures").empty


def test_a_folder_of_that_name_of_the_users_own_stays(
    make_workspace: Make, settings: Settings, photos: dict[str, bytes]
) -> None:
    workspace = make_workspace(ROWS)
    own = workspace / "looks" / "autumn"
    own.mkdir(parents=True)
    (own / "one.jpg").write_bytes(photos["outfit"])
    curation.curate(workspace, settings)
    assert (own / "one.jpg").is_file()
    assert list((workspace / "features").rglob("*.parquet"))


def test_features_beside_an_old_folder_are_not_lost(make_workspace: Make, settings: Settings) -> None:
    workspace = make_workspace(ROWS)
    curation.curate(workspace, settings)
    shutil.copytree(workspace / "features", workspace / "looks")
    assert curation.curate(workspace, settings)["extracted"] == 0
    assert Path(workspace / "looks").is_dir()
