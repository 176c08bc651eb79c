"""No command reads a table twice: what one step of it knows, it hands to the next."""

import shutil
from pathlib import Path

import pytest

from fullshot.core.workspace import Workspace
from tests.contract.commands import Contract, Run, run, tables_read
from tests.contract.expected import EXPECTED
from tests.contract.studio import label_studio
from tests.crawler.conftest import FaultyShop

COMMANDS = [command for command in EXPECTED if command != "trace"]  # that one is run for many pictures


def read_twice(done: Run) -> dict[str, list[str]]:
    """The tables that a command read more than once, and where."""
    return {table: places for table, places in done.read.items() if len(places) > 1}


def copied(contract: Contract, root: Path) -> Workspace:
    """The workspace without its models, for a command that changes it."""
    shutil.copytree(contract.workspace.root, root, ignore=shutil.ignore_patterns("models", "catalog"))
    return Workspace(root)


def test_a_table_that_is_read_twice_is_counted(contract: Contract) -> None:
    with tables_read() as read, contract.workspace.open() as data:
        data.rows("SELECT image_id FROM images")
        data.rows("SELECT image_id FROM images JOIN products USING (product_id)")
        assert {table: len(places) for table, places in read.items()} == {"images": 1, "products": 1}
        contract.workspace.read("images")
    assert {table: len(places) for table, places in read.items()} == {"images": 2, "products": 1}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_reads_each_table_once(contract: Contract, command: str) -> None:
    done = contract[command]
    assert done.read, "it reads no table"
    assert read_twice(done) == {}


def test_the_first_curation_reads_each_table_once(contract: Contract) -> None:
    assert read_twice(contract.first_curation) == {}


def test_trace_reads_each_table_once(contract: Contract) -> None:
    contract["index build"]
    done = run("trace", contract.workspace.root, contract.shop.shots[0].image_id)
    assert done.read
    assert read_twice(done) == {}


def test_boxes_import_reads_each_table_once(contract: Contract, tmp_path: Path) -> None:
    contract["boxes export --format coco"]
    boxes = contract.exported("boxes export --format coco")
    done = run("boxes", "import", copied(contract, tmp_path / "ws").root, boxes)
    assert done.code == 0, done.words
    assert read_twice(done) == {}


def test_add_reads_each_table_once(contract: Contract, tmp_path: Path) -> None:
    workspace = copied(contract, tmp_path / "ws")
    done = run("add", workspace.root, Path(workspace / contract.shop.shots[0].path).parent)
    assert done.code == 0, done.words
    assert read_twice(done) == {}


def test_a_pull_reads_each_table_once(contract: Contract, tmp_path: Path) -> None:
    workspace = copied(contract, tmp_path / "ws")
    with label_studio() as studio:
        for verb in ("push", "pull"):
            done = run("annotate", verb, workspace.root, "--url", studio.url, "--token", "t")
            assert done.code == 0, done.words
            assert read_twice(done) == {}


def test_a_crawl_reads_each_table_once(tmp_path: Path) -> None:
    shop = FaultyShop()
    with shop.serving():
        words = ["crawl", str(tmp_path / "ws"), "--shop", "myntra", f"{shop.base}/men-topwear", "--delay", "0"]
        for _ in range(2):
            done = run(*words, "--no-obey-robots")
            assert done.code == 0, done.words
            assert read_twice(done) == {}
