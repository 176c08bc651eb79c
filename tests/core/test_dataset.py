"""The tables as one command sees them."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from fullshot.core import tables
from fullshot.core.errors import BadTable, MissingInput, StageFailed
from fullshot.core.tables.connection import opened, saying_what_failed, spill_folder
from fullshot.core.workspace import Workspace

SHA = [f"{number:064x}" for number in range(4)]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    result = Workspace(tmp_path)
    products: list[dict[str, Any]] = [
        {"product_id": "s:1", "gender": "men", "wear": "top"},
        {"product_id": "s:2", "gender": "women", "product_type": "Jeans"},
        {"product_id": "s:3", "gender": "women", "product_type": "Thing"},
    ]
    images = [
        {"image_id": SHA[row], "product_id": f"s:{product}", "path": f"{row}.jpg", "width": 1, "height": 1, "bytes": 1}
        for row, product in ((2, 2), (0, 1), (1, 3), (1, 2))
    ]
    result.write("products", tables.frame("products", products))
    result.write("images", tables.frame("images", images))
    return result


def test_a_table_is_opened_once_however_often_it_is_asked_for(workspace: Workspace) -> None:
    with workspace.open() as data:
        assert data.frame("images", ["path"])["path"].tolist() == ["2.jpg", "0.jpg", "1.jpg", "1.jpg"]
        rows = data.rows("SELECT product_id FROM images JOIN products USING (product_id) ORDER BY ALL")
        assert rows == [("s:1",), ("s:2",), ("s:2",), ("s:3",)]
        data.create("few", "SELECT path FROM images WHERE product_id = 's:1'")
        assert data.arrow("SELECT * FROM few").to_pylist() == [{"path": "0.jpg"}]
        assert data.reads == {"images": 1, "products": 1}


def test_a_query_has_the_dtypes_of_its_tables(workspace: Workspace) -> None:
    with workspace.open() as data:
        whole, wanted = data.frame("products"), tables.frame("products")
        assert whole.dtypes.to_dict() == wanted.dtypes.to_dict()
        one = data.query("SELECT width + 1 AS wider FROM images WHERE path = $path", path="0.jpg")
        assert one["wider"].tolist() == [2]


def test_only_the_wanted_columns_are_read(workspace: Workspace) -> None:
    with workspace.open({"images": ("path", "image_id")}) as data:
        assert data.frame("images").columns.tolist() == ["path", "image_id"]


def test_what_a_command_writes_its_later_queries_see(workspace: Workspace) -> None:
    with workspace.open() as data:
        assert data.rows("SELECT count(*) FROM products") == [(3,)]
        data.write("products", "SELECT * FROM products WHERE gender = 'men'")
        assert data.rows("SELECT product_id FROM products") == [("s:1",)]
        data.make_if_missing("labels")
        assert data.rows("SELECT * FROM labels") == []
        data.write("labels", "SELECT 7 AS label, product_id FROM products")
        assert data.rows("SELECT label, product_id FROM labels") == [(7, "s:1")]
    assert workspace.read("labels")["label"].tolist() == [7]


def test_what_is_not_what_the_schema_says_is_not_written(workspace: Workspace) -> None:
    before = workspace.table("products").read_bytes()
    with workspace.open() as data:
        for wrong in ("'mex' AS gender", "gender, -1 AS price"):
            query = f"SELECT * EXCLUDE (gender, price), {wrong} FROM products"
            with pytest.raises(BadTable):
                data.write("products", query)
        assert data.rows("SELECT count(*) FROM products") == [(3,)]
    assert workspace.table("products").read_bytes() == before


def test_the_wear_is_the_tables_or_else_the_taxonomys(workspace: Workspace) -> None:
    with workspace.open() as data:
        assert data.rows("SELECT * FROM wears ORDER BY ALL") == [("s:1", "top"), ("s:2", "bottom"), ("s:3", None)]
        data.write("products", "SELECT * REPLACE ('Jeans' AS product_type, NULL AS wear) FROM products")
        assert data.rows("SELECT DISTINCT wear FROM wears") == [("bottom",)]


def test_a_picture_of_two_products_is_one_picture(workspace: Workspace) -> None:
    with workspace.open() as data:
        assert data.rows("SELECT image_id, product_id FROM pictures ORDER BY ALL") == [
            (SHA[0], "s:1"),
            (SHA[1], "s:2"),
            (SHA[2], "s:2"),
        ]


def test_rejected_pictures_are_not_kept(workspace: Workspace) -> None:
    rows = [{"image_id": SHA[row], "split": "train", "keep": keep} for row, keep in ((0, True), (1, False), (2, None))]
    workspace.write("curated", tables.frame("curated", rows))
    with workspace.open() as data:
        assert data.rows("SELECT image_id FROM kept") == [(SHA[0],), (SHA[2],)]


def test_one_pictures_rows_are_found_without_the_table(workspace: Workspace) -> None:
    with workspace.open() as data:
        assert [row["path"] for row in data.lookup("images", product_id="s:2")] == ["2.jpg", "1.jpg"]
        assert [row["path"] for row in data.find("images", "starts_with(image_id, $start)", start=SHA[0])] == ["0.jpg"]


def test_a_table_that_is_not_there_is_said(workspace: Workspace) -> None:
    with workspace.open() as data, pytest.raises(MissingInput, match=r"no curated.csv in .*: run `fullshot curate"):
        data.rows("SELECT * FROM curated")


def test_nothing_of_it_is_left(workspace: Workspace) -> None:
    with workspace.open() as data:
        data.create("ones", "SELECT 1 AS one")
        assert list(workspace.root.glob(".spill-*/*"))
    assert not list(workspace.root.glob(".spill-*"))


def test_what_a_killed_command_spilled_is_removed_by_the_next(workspace: Workspace) -> None:
    killed = (
        "import os, signal, sys\n"
        "from fullshot.core.workspace import Workspace\n"
        "Workspace(sys.argv[1]).open().create('pairs', 'SELECT 1 AS one')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", killed, workspace.root], check=False).returncode == -9
    (left,) = workspace.root.glob(".spill-*")
    elsewhere = workspace / left.name.replace(left.name.split("-")[1], "00000000")
    elsewhere.mkdir()
    with workspace.open() as data:
        data.create("pairs", "SELECT 1 AS one")
        assert not left.exists()
        with workspace.open():  # of a process that lives
            assert data.rows("SELECT one FROM pairs") == [(1,)]
    assert list(workspace.root.glob(".spill-*")) == [elsewhere]


def test_what_is_too_much_for_the_memory_spills_though_nothing_else_was_kept_on_disk(tmp_path: Path) -> None:
    rows = "SELECT hash(i)::VARCHAR || repeat('x', 40) AS text FROM range(1000000) AS numbers(i)"
    with opened(spill_folder(tmp_path)) as connection:
        connection.execute("SET memory_limit = '24MiB'; SET threads = 1")
        numbered = f"SELECT row_number() OVER (ORDER BY text) AS row FROM ({rows})"
        assert connection.execute(f"SELECT max(row) FROM ({numbered})").fetchall() == [(1_000_000,)]


@pytest.mark.parametrize(("name", "other"), [("a*", "ab"), ("[x]", "x"), ("a?", "ab")])
def test_the_folders_name_is_no_pattern_for_others(workspace: Workspace, name: str, other: str) -> None:
    for folder, shop in ((name, "mine"), (other, "theirs")):
        (workspace / folder).mkdir()
        Workspace(workspace / folder).write("ledger", tables.frame("ledger", [{"host": shop}]))
    with Workspace(workspace / name).open() as data:
        data.create("hosts", "SELECT host FROM ledger")
        assert data.rows("SELECT host FROM hosts") == [("mine",)]


def test_a_folder_called_like_a_query_asks_for_no_table(workspace: Workspace) -> None:
    moved = workspace.root.rename(workspace.root.with_name("pictures from failures, join boxes"))
    with Workspace(moved).open() as data:
        data.create("chosen", "SELECT product_id -- it's not from boxes\nFROM images")
        assert len(data.rows("SELECT 'from ledger' AS \"from boxes\" FROM chosen")) == 4


def test_a_folder_called_like_a_column_and_its_value_is_no_column(workspace: Workspace) -> None:
    root = workspace / "host=theirs" / "day=1"
    root.mkdir(parents=True)
    Workspace(root).write("ledger", tables.frame("ledger", [{"host": "mine"}]))
    ledger = Workspace(root).read("ledger")
    assert list(ledger["host"]) == ["mine"]
    assert "day" not in ledger.columns


def test_not_a_number_is_not_known(workspace: Workspace) -> None:
    with workspace.open() as data:
        data.write("products", "SELECT * REPLACE ('nan'::DOUBLE AS price) FROM products")
        assert data.rows("SELECT count(price) FROM products") == [(0,)]
    box = {"image_id": SHA[0], "label": "top", "x_min": 0.0, "y_min": 0.0, "x_max": 1.0, "y_max": 1.0, "source": "shop"}
    with workspace.open() as data:
        data.create("drawn", tables.frame("boxes", [box]))
        with pytest.raises(BadTable, match="row 2 column x_max: expected a cell that is not empty"):
            data.write("boxes", "SELECT * REPLACE ('nan'::DOUBLE AS x_max) FROM drawn")


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
def test_a_table_that_is_damaged_between_what_is_looked_at_is_one_line(workspace: Workspace, place: float) -> None:
    with workspace.open() as data:
        data.write("labels", "SELECT i AS label, 's:' || hash(i) AS product_id FROM range(200000) AS numbers(i)")
        parquet = workspace / "exports/labels.parquet"
        content = bytearray(parquet.read_bytes())
        start = int(len(content) * place)
        content[start : start + 5000] = random.Random(place).randbytes(5000)
        parquet.write_bytes(content)
        with pytest.raises(StageFailed, match=r"^a file of a table is damaged, delete it and run this again: [^\n]*$"):
            data.rows("SELECT * FROM labels")


def test_ctrl_c_during_a_query_is_ctrl_c() -> None:
    def interrupted() -> None:
        raise RuntimeError("Query interrupted")  # what DuckDB makes of it

    with pytest.raises(KeyboardInterrupt), saying_what_failed():
        interrupted()


@pytest.mark.parametrize(
    ("error", "expected", "message"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt, "^$"),
        (sqlite3.DatabaseError("disk image is malformed"), StageFailed, r"disk image is malformed\.?$"),
    ],
)
def test_what_ends_rows_that_are_made_as_they_are_asked_for(
    workspace: Workspace, error: BaseException, expected: type[BaseException], message: str
) -> None:
    schema = pyarrow.schema([("number", pyarrow.int64())])

    def batches() -> Iterator[pyarrow.RecordBatch]:
        yield pyarrow.record_batch([pyarrow.array([1])], schema=schema)
        raise error

    with workspace.open() as data:
        data.give("numbers", pyarrow.RecordBatchReader.from_batches(schema, batches()))
        with pytest.raises(expected, match=message):
            data.create("kept_numbers", "SELECT * FROM numbers")
