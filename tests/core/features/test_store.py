"""The store of what is made from pixels."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from fullshot.core.engines import open_engine
from fullshot.core.errors import StageFailed
from fullshot.core.features import FeatureStore
from fullshot.core.features.jobs import Part
from tests.core.features.conftest import SCHEMA, measure, opened

Put = Callable[[int], dict[str, str | int]]


def reds(table: pyarrow.Table) -> list[float | None]:
    found: list[float | None] = table["red"].to_pylist()
    return found


def file_of(root: Path, keys: pyarrow.Table, row: int) -> Path:
    return root / str(keys["path"][row].as_py())


@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_missing_is_made_once(root: Path, store: FeatureStore, keys: pyarrow.Table, processes: int) -> None:
    with open_engine(processes=processes) as workers:
        rows = store.fill(keys, measure, workers, "colour", most=16)
    assert rows.made == 40
    assert reds(rows.read(["red"])) == list(range(40))  # in the order of the keys
    assert opened(root) == sorted(keys["image_id"].to_pylist())
    again = store.fill(keys.slice(10, 5), measure)
    assert (again.made, reds(again.read(["red"]))) == (0, [10, 11, 12, 13, 14])
    assert reds(store.look_up(keys).read(["red"])) == list(range(40))
    assert opened(root) == []


def test_columns_come_as_arrays(store: FeatureStore, keys: pyarrow.Table) -> None:
    rows = store.fill(keys, measure, most=16)
    corner, mean = rows.array("corner"), rows.array("mean")
    assert (corner.shape, mean.shape) == ((40, 3), (40, 3))
    assert (corner.dtype, mean.dtype) == (np.dtype(np.uint8), np.dtype(np.float32))
    assert corner.tolist() == [[red, 10, 20] for red in range(40)] == mean.tolist()
    assert rows.array("red").tolist() == list(range(40))
    assert rows.take(np.array([7, 3])).array("corner").tolist() == [[7, 10, 20], [3, 10, 20]]


def test_a_large_array_is_mapped_from_a_file(
    store: FeatureStore, keys: pyarrow.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = store.fill(keys, measure)
    monkeypatch.setattr("fullshot.core.features.rows.MEMORY_BYTES", 8)
    assert isinstance(rows.array("corner"), np.memmap)
    assert rows.array("corner")[:, 0].tolist() == list(range(40))


def test_new_keys_alone_are_made(root: Path, store: FeatureStore, keys: pyarrow.Table) -> None:
    store.fill(keys.slice(0, 30), measure)
    opened(root)
    rows = store.fill(keys, measure)
    assert rows.made == 10
    assert opened(root) == sorted(keys["image_id"].to_pylist()[30:])
    assert reds(rows.read(["red"])) == list(range(40))


def test_a_key_that_stands_twice_is_made_once(root: Path, store: FeatureStore, keys: pyarrow.Table) -> None:
    twice = pyarrow.concat_tables([keys.slice(0, 2), keys.slice(0, 2)])
    assert reds(store.fill(twice, measure).read(["red"])) == [0, 1, 0, 1]
    assert len(opened(root)) == 2


def test_without_keys_there_are_no_rows(store: FeatureStore, keys: pyarrow.Table) -> None:
    rows = store.fill(keys.slice(0, 0), measure)
    assert (len(rows), rows.made, rows.read(["red"]).num_rows) == (0, 0, 0)
    assert rows.array("corner").shape == (0, 3)
    assert not store.look_up(keys).is_present.any()
    assert reds(store.look_up(keys.slice(0, 2)).read(["red"])) == [None, None]
    assert store.missing(keys).num_rows == 40
    assert not store.folder.exists()


def test_other_versions_and_kinds_are_not_seen(root: Path, store: FeatureStore, keys: pyarrow.Table) -> None:
    store.fill(keys, measure)
    for other in (FeatureStore(root, "colours", "2", SCHEMA, "x"), FeatureStore(root, "shades", "1", SCHEMA, "x")):
        assert not other.look_up(keys).is_present.any()
    with pytest.raises(ValueError, match="expected letters"):
        FeatureStore(root, "../images", "1", SCHEMA, "x")


# Boxes


def boxed(keys: pyarrow.Table, boxes: list[tuple[float | None, ...]]) -> pyarrow.Table:
    for number, name in enumerate(("x_min", "y_min", "x_max", "y_max")):
        keys = keys.append_column(name, pyarrow.array([box[number] for box in boxes], pyarrow.float64()))
    return keys


def test_rows_of_boxes(root: Path, keys: pyarrow.Table) -> None:
    store = FeatureStore(root, "crops", "1", SCHEMA, "crop", boxed=True)
    picture = keys.slice(5, 1)
    three = pyarrow.concat_tables([picture, keys.slice(6, 1), picture])
    asked = boxed(three, [(0, 0, 4, 4), (None,) * 4, (float("nan"),) * 4])
    rows = store.fill(asked, measure)
    assert (rows.made, reds(rows.read(["red"]))) == (3, [5, 6, 5])
    opened(root)
    # -0.0 is 0.0, and a box that is not there is the whole picture, however it is written.
    same = boxed(three, [(-0.0, 0, 4, 4), (float("nan"),) * 4, (None,) * 4])
    assert store.fill(same, measure).made == 0
    other = boxed(three, [(0, 0, 4, 3.5), (None,) * 4, (None,) * 4])
    assert store.fill(other, measure).made == 1
    assert opened(root) == picture["image_id"].to_pylist()


def test_the_boxes_of_a_picture_are_made_together(root: Path, keys: pyarrow.Table) -> None:
    store = FeatureStore(root, "crops", "1", SCHEMA, "crop", boxed=True)
    many = pyarrow.concat_tables([keys] * 3)
    asked = boxed(many, [(0.0, 0.0, 1.0 + row // 40, 4.0) for row in range(120)])
    sizes: list[int] = []

    def counted(jobs):  # type: ignore[no-untyped-def]
        sizes.append(len(jobs))
        assert all(sum(job.image_id == one.image_id for one in jobs) == 3 for job in jobs)
        return measure(jobs)

    assert store.fill(asked, counted, most=10).made == 120
    assert set(sizes) == {12}


def test_a_part_takes_its_own_rows_along(root: Path, keys: pyarrow.Table) -> None:
    parts = Part.cut(root, keys, 7)
    assert [len(part) for part in parts] == [7, 7, 7, 7, 7, 5]
    sent = pickle.dumps(parts[2])
    assert len(sent) < 3000
    assert list(pickle.loads(sent)) == list(parts[2])  # noqa: S301
    assert [job.image_id for part in parts for job in part] == keys["image_id"].to_pylist()


def test_the_last_parts_for_several_workers_are_ever_smaller(root: Path, keys: pyarrow.Table) -> None:
    many = pyarrow.concat_tables([keys] * 5)
    many = many.set_column(0, "image_id", pyarrow.array([f"{row:03d}" for row in range(len(many))]))
    parts = Part.cut(root, many, 40, 2)
    assert [len(part) for part in parts] == [40, 40, 30, 23, 17, 13, 10, 7, 5, 4, 4, 4, 3]
    assert [job.image_id for part in parts for job in part] == many["image_id"].to_pylist()


# Files that change


def test_a_picture_that_cannot_be_read_is_asked_again_when_its_file_changed(
    root: Path, store: FeatureStore, keys: pyarrow.Table
) -> None:
    path = file_of(root, keys, 3)
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    rows = store.fill(keys, measure)
    [row] = rows.unreadable().to_pylist()
    assert (row["image_id"], row["path"], row["unreadable"]) == (
        keys["image_id"][3].as_py(),
        keys["path"][3].as_py(),
        "not-an-image",
    )
    assert row["message"]
    assert np.flatnonzero(~rows.is_readable).tolist() == [3]
    assert reds(rows.read(["red"]))[2:5] == [2, None, 4]
    assert rows.array("corner")[3].tolist() == [0, 0, 0]
    opened(root)
    again = store.fill(keys, measure)
    assert (again.made, opened(root), again.unreadable().num_rows) == (0, [], 1)
    path.write_bytes(whole)
    mended = store.fill(keys, measure)
    assert (mended.made, mended.unreadable().num_rows, reds(mended.read(["red"]))[3]) == (1, 0, 3)


def test_a_picture_that_vanished_is_noticed(root: Path, store: FeatureStore, keys: pyarrow.Table) -> None:
    store.fill(keys, measure)
    path = file_of(root, keys, 3)
    away = path.rename(root / "away.png")
    opened(root)
    assert np.flatnonzero(~store.look_up(keys).is_present).tolist() == [3]
    assert reds(store.look_up(keys, of_any_file=True).read(["red"])) == list(range(40))
    rows = store.fill(keys, measure)
    assert [row["unreadable"] for row in rows.unreadable().to_pylist()] == ["missing"]
    assert store.fill(keys, measure).made == 0
    assert opened(root) == []  # nothing is opened to see that a file is not there
    away.rename(path)
    back = store.fill(keys, measure)
    assert (back.made, back.unreadable().num_rows) == (1, 0)


def test_a_picture_that_was_replaced_is_made_again(root: Path, store: FeatureStore, keys: pyarrow.Table) -> None:
    store.fill(keys, measure)
    path = file_of(root, keys, 3)
    path.write_bytes(file_of(root, keys, 9).read_bytes().ljust(path.stat().st_size, b"\0"))
    rows = store.fill(keys, measure)
    assert (rows.made, reds(rows.read(["red"]))[3]) == (1, 9)


def test_a_workspace_that_was_copied_keeps_its_rows(
    root: Path, store: FeatureStore, keys: pyarrow.Table, tmp_path: Path
) -> None:
    store.fill(keys, measure)
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    for row in range(40):
        os.utime(file_of(copy, keys, row), (1, 1))
    there = FeatureStore(copy, "colours", "1", SCHEMA, "colour")
    opened(copy)
    assert there.look_up(keys).is_present.all()
    rows = there.fill(keys, measure)
    assert (rows.made, reds(rows.read(["red"])), opened(copy)) == (0, list(range(40)), [])
    # From then on the files are not even hashed.
    for row in range(40):
        file_of(copy, keys, row).write_bytes(b"x" * file_of(copy, keys, row).stat().st_size)
        os.utime(file_of(copy, keys, row), (1, 1))
    assert there.fill(keys, measure).made == 0


# Damage, kills, and others at work


def test_a_shard_that_there_is_no_memory_for_is_not_damaged(
    store: FeatureStore, keys: pyarrow.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise pyarrow.ArrowMemoryError("malloc of size 1 failed")

    store.fill(keys, measure)
    shards = sorted(store.folder.iterdir())
    monkeypatch.setattr(pyarrow.parquet.ParquetFile, "read", full)
    with pytest.raises(StageFailed, match=r"^not enough memory to read .*\.parquet$"):
        store.fill(keys, measure)
    assert sorted(store.folder.iterdir()) == shards


def test_a_damaged_shard_is_named_and_its_rows_made_again(
    root: Path, store: FeatureStore, keys: pyarrow.Table, capfd: pytest.CaptureFixture[str]
) -> None:
    store.fill(keys, measure, most=10)
    shards = sorted(store.folder.glob("*.parquet"))
    assert len(shards) == 4
    shards[1].write_bytes(shards[1].read_bytes()[:-30])
    opened(root)
    assert store.look_up(keys).is_present.sum() == 30
    [line] = capfd.readouterr().err.splitlines()
    assert str(shards[1]) in line
    assert f"`fullshot colour {root}`" in line
    rows = store.fill(keys, measure)
    assert (rows.made, len(opened(root)), reds(rows.read(["red"]))) == (10, 10, list(range(40)))
    [line] = capfd.readouterr().err.splitlines()
    assert str(shards[1]) in line
    assert store.fill(keys, measure).made == 0
    assert capfd.readouterr().err == ""


def test_damaged_shards_are_one_line(
    root: Path, store: FeatureStore, keys: pyarrow.Table, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = store.fill(keys, measure, most=10)
    for shard in store.folder.glob("*.parquet"):
        shard.write_bytes(shard.read_bytes()[:-30])
    many = f"fullshot: 4 files in {store.folder} are damaged"
    assert not store.look_up(keys).is_present.any()
    assert capfd.readouterr().err == f"{many}: their rows count as missing, `fullshot colour {root}` makes them again\n"
    # Also where they are damaged only after they were looked up.
    assert reds(rows.read(["red"])) == list(range(40))
    assert capfd.readouterr().err == f"{many}: their rows are made again\n"
    store.fill(keys, measure, most=10)
    [shard] = store.folder.glob("*.parquet")
    shard.write_bytes(b"PAR1")
    assert store.fill(keys, measure, most=10).made == 40
    assert capfd.readouterr().err == f"fullshot: {shard} is damaged: its rows are made again\n"
    for shard in store.folder.glob("*.parquet"):
        shard.write_bytes(b"PAR1")
    assert store.fill(keys, measure).made == 40
    assert capfd.readouterr().err == f"{many}: their rows are made again\n"


def flip(path: Path, column: str) -> None:
    """Turn over a bit inside a column's data."""
    chunk = pyarrow.parquet.ParquetFile(path).metadata.row_group(0)
    [column_chunk] = [chunk.column(n) for n in range(chunk.num_columns) if chunk.column(n).path_in_schema == column]
    content = bytearray(path.read_bytes())
    content[column_chunk.data_page_offset + column_chunk.total_compressed_size - 2] ^= 1
    path.write_bytes(content)


def test_a_bit_that_turned_over_is_noticed_when_it_is_read(
    root: Path, store: FeatureStore, keys: pyarrow.Table, capfd: pytest.CaptureFixture[str]
) -> None:
    store.fill(keys, measure, most=10)
    path = sorted(store.folder.glob("*.parquet"))[2]
    flip(path, "corner")
    opened(root)
    with pytest.raises(StageFailed, match=rf"{path.name}: .*run `fullshot colour {root}` again"):
        store.look_up(keys).array("corner")
    assert reds(store.look_up(keys).read(["red"])) == list(range(40))
    rows = store.fill(keys, measure)
    assert rows.made == 0
    assert rows.array("corner")[:, 0].tolist() == list(range(40))
    assert len(opened(root)) == 10
    assert path.name in capfd.readouterr().err
    assert store.fill(keys, measure).made == 0


KILLED = """
import os, signal, sys
from pathlib import Path
import pyarrow
from fullshot.core.features import FeatureStore
from fullshot.core.features.jobs import Part
from tests.core.features.conftest import SCHEMA, measure
root = Path(sys.argv[1])
shards = []

def ends(jobs):
    shards.append(jobs)
    if len(shards) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return measure(jobs)

keys = pyarrow.parquet.read_table(root / "keys.parquet")
FeatureStore(root, "colours", "1", SCHEMA, "colour").fill(keys, ends, most=10)
"""


def test_a_kill_costs_one_shard(root: Path, store: FeatureStore, keys: pyarrow.Table) -> None:
    pyarrow.parquet.write_table(keys, root / "keys.parquet")
    done = subprocess.run([sys.executable, "-c", "import pyarrow.parquet\n" + KILLED, str(root)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert store.look_up(keys).is_present.sum() == 20
    assert len(opened(root)) == 20
    rows = store.fill(keys, measure)
    assert (rows.made, len(opened(root)), reds(rows.read(["red"]))) == (20, 20, list(range(40)))


def test_two_commands_at_once(root: Path, store: FeatureStore, keys: pyarrow.Table) -> None:
    other = FeatureStore(root, "colours", "1", SCHEMA, "colour")

    def slowly(jobs):  # type: ignore[no-untyped-def]
        other.fill(keys, measure)  # is done by the time that this one has made its rows
        return measure(jobs)

    rows = store.fill(keys, slowly)
    assert reds(rows.read(["red"])) == list(range(40))
    for _ in range(20):
        other.fill(keys, measure)
    assert reds(rows.read(["red"])) == list(range(40)) == reds(store.look_up(keys).read(["red"]))


def test_what_another_command_merges_meanwhile_is_found(store: FeatureStore, keys: pyarrow.Table) -> None:
    for row in range(16):
        store.fill(keys.slice(row, 1), measure)
    before = set(store.folder.iterdir())
    early = store.look_up(keys)
    assert store.fill(keys.slice(0, 16), measure).made == 0
    assert not before & set(store.folder.iterdir())
    assert reds(early.read(["red"])) == [*range(16), *[None] * 24]
    for path in store.folder.iterdir():
        path.unlink()
    with pytest.raises(StageFailed, match="rows that were there are gone: run `fullshot colour"):
        early.read(["red"])


def test_many_small_shards_are_merged(store: FeatureStore, keys: pyarrow.Table) -> None:
    for row in range(40):
        store.fill(keys.slice(row, 1), measure)
        assert len(list(store.folder.iterdir())) <= 20
    rows = store.fill(keys, measure)
    assert (rows.made, reds(rows.read(["red"]))) == (0, list(range(40)))
    assert rows.array("corner")[:, 0].tolist() == list(range(40))


def test_of_rows_of_one_picture_the_newest_outlasts_a_merge(
    root: Path, store: FeatureStore, keys: pyarrow.Table
) -> None:
    path = file_of(root, keys, 0)
    whole = path.read_bytes()
    for turn in range(20):
        path.write_bytes(whole if turn % 2 else whole[: -turn - 1])
        store.fill(keys.slice(0, 1), measure)
    rows = store.fill(keys.slice(0, 1), measure)
    assert (rows.made, reds(rows.read(["red"]))) == (0, [0])


def test_a_merge_hides_no_newer_row(root: Path, store: FeatureStore, keys: pyarrow.Table) -> None:
    store.fill(keys.slice(0, 1), measure)
    Image.new("RGB", (8, 4), (99, 10, 20)).save(file_of(root, keys, 0))
    store.fill(keys.slice(0, 20), measure)  # a larger shard, with a newer row of the first picture
    for row in range(20, 36):
        store.fill(keys.slice(row, 1), measure)
        assert reds(store.look_up(keys.slice(0, 1), of_any_file=True).read(["red"])) == [99]
    store.fill(keys, measure)
    assert len(list(store.folder.iterdir())) < 8  # they were merged
    assert reds(store.look_up(keys, of_any_file=True).read(["red"])) == [99, *range(1, 40)]


def test_a_shard_that_lacks_a_column_is_made_again(root: Path, store: FeatureStore, keys: pyarrow.Table) -> None:
    store.fill(keys, measure)
    more = FeatureStore(root, "colours", "1", pyarrow.schema([*SCHEMA, ("blue", pyarrow.float32())]), "colour")
    assert not more.look_up(keys).is_present.any()
    fewer = FeatureStore(root, "colours", "1", pyarrow.schema([SCHEMA.field("red")]), "colour")
    assert fewer.look_up(keys).is_present.all()


def test_rows_without_a_stamp_hold_for_files_of_the_right_size(
    root: Path, store: FeatureStore, keys: pyarrow.Table
) -> None:
    store.fill(keys, measure)
    [path] = store.folder.glob("*.parquet")
    old = pyarrow.parquet.read_table(path).drop_columns(["file_bytes", "file_modified", "unreadable", "message"])
    pyarrow.parquet.write_table(old, store.folder / "0123456789abcdef.parquet")
    path.unlink()
    assert reds(store.look_up(keys).read(["red"])) == list(range(40))
    with file_of(root, keys, 4).open("ab") as file:
        file.write(b"\0")
    assert np.flatnonzero(~store.look_up(keys).is_present).tolist() == [4]
    assert store.look_up(keys.drop_columns("bytes")).is_present.all()
    assert store.fill(keys, measure).made == 1
    assert store.fill(keys, measure).made == 0


def test_a_path_that_can_be_no_files_is_of_a_missing_picture(store: FeatureStore) -> None:
    keys = pyarrow.table({"image_id": ["0" * 64], "path": ["images/0\0.jpg"]})
    assert store.fill(keys, measure).unreadable()["unreadable"].to_pylist() == ["missing"]
