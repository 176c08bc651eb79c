"""What no command needs of what is kept of pictures."""

import os
import time
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from fullshot.core import tables
from fullshot.core.errors import MissingInput
from fullshot.core.features import FeatureStore, collect_garbage, geometry_rows
from fullshot.core.workspace import Workspace
from tests.core.features.conftest import SCHEMA, measure, opened


@pytest.fixture
def workspace(root: Path, keys: pyarrow.Table) -> Workspace:
    """Of the forty pictures, which all belong to products."""
    place = Workspace(root)
    place.write("images", images(keys))
    return place


def images(keys: pyarrow.Table) -> Any:
    sizes = {"product_id": "s:1", "position": 0, "width": 8, "height": 4}
    return tables.frame("images", [{**row, **sizes} for row in keys.to_pylist()])


def waste(workspace: Workspace, *, remove: bool = False, **in_use: list[str] | None) -> dict[str, Any]:
    return collect_garbage(workspace, [in_use], remove=remove)


def test_what_is_in_use_stays(workspace: Workspace, store: FeatureStore, keys: pyarrow.Table) -> None:
    store.fill(keys, measure, most=10)
    geometry_rows(workspace.root, keys["path"].to_pylist())
    found = waste(workspace, remove=True, colours=["0", "1"])
    assert found == {"rows": 0, "megabytes": 0.0, "removed": False, "waste": []}
    assert store.look_up(keys).is_present.all()


def test_what_another_version_made_is_told_and_removed(
    root: Path, workspace: Workspace, store: FeatureStore, keys: pyarrow.Table
) -> None:
    store.fill(keys, measure, most=10)
    found = waste(workspace, colours=["2-*"])
    [piece] = found["waste"]
    assert (piece["kind"], piece["version"], piece["rows"]) == ("colours", "1", 40)
    assert found["rows"] == 40
    assert not found["removed"]
    assert store.look_up(keys).is_present.all()
    found = waste(workspace, remove=True, colours=["2-*"])
    assert (found["rows"], found["removed"]) == (40, True)
    assert not store.folder.parent.exists()
    assert waste(workspace, colours=["2-*"])["waste"] == []
    assert all((root / path).is_file() for path in keys["path"].to_pylist())


@pytest.mark.parametrize("in_use", [{}, {"colours": None}, {"colours": ["1*"]}, {"shades": ["2"]}])
def test_what_nobody_knows_of_stays(
    workspace: Workspace, store: FeatureStore, keys: pyarrow.Table, in_use: dict[str, Any]
) -> None:
    store.fill(keys, measure)
    assert waste(workspace, remove=True, **in_use)["waste"] == []
    assert store.look_up(keys).is_present.all()


def test_rows_of_pictures_that_are_gone(
    root: Path, workspace: Workspace, store: FeatureStore, keys: pyarrow.Table
) -> None:
    store.fill(keys, measure, most=10)
    workspace.write("images", images(keys.slice(0, 30)))
    opened(root)
    [piece] = waste(workspace, colours=["1"])["waste"]
    assert piece["rows"] == 10
    assert store.look_up(keys).is_present.all()
    early = store.look_up(keys.slice(5, 20))
    assert waste(workspace, remove=True, colours=["1"])["rows"] == 10
    assert store.look_up(keys).is_present.tolist() == [True] * 30 + [False] * 10
    # Who has looked up rows before reads the same ones.
    assert early.read(["red"])["red"].to_pylist() == list(range(5, 25))
    assert waste(workspace, colours=["1"])["waste"] == []
    assert store.fill(keys.slice(0, 30), measure).made == 0
    assert opened(root) == []


def test_rows_that_were_made_again(root: Path, workspace: Workspace, store: FeatureStore, keys: pyarrow.Table) -> None:
    path = root / str(keys["path"][3].as_py())
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    store.fill(keys, measure)
    path.write_bytes(whole)
    store.fill(keys, measure)
    assert waste(workspace, remove=True, colours=["1"])["rows"] == 1
    rows = store.fill(keys, measure)
    assert (rows.made, rows.read(["red"])["red"].to_pylist()) == (0, list(range(40)))


def test_boxes_of_one_picture_are_no_repetition(workspace: Workspace, root: Path, keys: pyarrow.Table) -> None:
    boxed = FeatureStore(root, "crops", "1", SCHEMA, "crop", boxed=True)
    for width in (1.0, 2.0):
        box = {"x_min": 0.0, "y_min": 0.0, "x_max": width, "y_max": 4.0}
        columns = {name: pyarrow.array([corner] * 40) for name, corner in box.items()}
        boxed.fill(pyarrow.table({**{name: keys[name] for name in keys.column_names}, **columns}), measure)
    assert waste(workspace, crops=["1"])["waste"] == []


def test_what_killed_commands_had_begun(workspace: Workspace, root: Path) -> None:
    begun = root / "images" / "ab" / ".abcd.jpg.12-34.part"
    folder = root / ".catalog.12.part"
    spill = root / ".spill-12-abcd"
    young = root / "features" / ".x.parquet.12-34.part"
    for path in (begun, folder / "vectors", spill / "rows-0.parquet", young):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1234")
    hour_ago = time.time() - 4000
    for path in (begun, folder / "vectors", folder, spill / "rows-0.parquet", spill):
        os.utime(path, (hour_ago, hour_ago))
    found = waste(workspace)
    assert sorted(piece["version"] for piece in found["waste"]) == [
        ".catalog.12.part",
        ".spill-12-abcd",
        "images/ab/.abcd.jpg.12-34.part",
    ]
    assert found["rows"] == 0
    assert begun.exists()
    waste(workspace, remove=True)
    assert not begun.exists()
    assert not folder.exists()
    assert not spill.exists()
    assert young.exists()


def test_without_pictures_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="fullshot crawl"):
        waste(Workspace(tmp_path))
