"""The rows that the benchmarks make are a workspace's."""

from pathlib import Path

import pytest

from benchmarks import _rows, _rows_probes
from fullshot.core import tables
from fullshot.core.leakage import by_tables
from fullshot.core.workspace import Workspace
from fullshot.crawler.merge import merge
from fullshot.crawler.state import FILE, CrawlState

ROWS = 4800


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("rows") / "ws"
    _rows.write_tables(root, ROWS)
    return Workspace(root)


def test_every_table_is_as_its_schema_says(workspace: Workspace) -> None:
    rows = {name: len(workspace.read(name)) for name in tables.SCHEMAS if workspace.table(name).is_file()}
    assert (rows["images"], rows["products"], rows["curated"]) == (ROWS, ROWS // 4, ROWS - ROWS // 25)
    assert rows["boxes"] == ROWS // 2
    assert all(rows.values()), rows
    assert set(tables.SCHEMAS) - set(rows) == {"priorities"}


def test_some_pictures_are_shown_by_several_products_and_no_split_leaks(workspace: Workspace) -> None:
    images = workspace.read("images")
    assert images["image_id"].duplicated().sum() == ROWS // 25
    assert set(images["image_id"]) == set(_rows.picture_names(ROWS))
    assert not by_tables(workspace.open())


def test_the_same_rows_each_time(workspace: Workspace, tmp_path: Path) -> None:
    _rows.write_tables(tmp_path / "again", ROWS)
    for name in ("images", "products", "boxes", "curated", "dataset2"):
        again = Workspace(tmp_path / "again").table(name)
        assert again.read_bytes() == workspace.table(name).read_bytes(), name


def test_a_crawl_of_the_same_rows_leaves_the_tables_as_large_as_they_are(tmp_path: Path) -> None:
    _rows.write_tables(tmp_path / "ws", ROWS)
    workspace = Workspace(tmp_path / "ws")
    _rows_probes.write_crawl(workspace.root)
    with CrawlState(workspace / FILE) as state, workspace.open() as data:
        counts = merge(data, state)
    assert (counts["images"], counts["products"]) == (ROWS, ROWS // 4)
    assert set(workspace.read("products")["last_seen"]) == {_rows_probes._SEEN}
