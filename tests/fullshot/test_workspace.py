"""A workspace: its lock, the record of a stage, and what is said of what is missing."""

import functools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from fullshot import engine, tables
from fullshot.errors import MissingInput, StageFailed, UserError
from fullshot.workspace import Workspace


def test_a_stage_is_recorded_when_it_is_done(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write("products", tables.frame("products"))
    with workspace.stage("curate", workspace.settings(), [workspace.table("products")]) as stats:
        stats["images"] = 3
        assert not list(tmp_path.glob("runs/*"))
    (record,) = [json.loads(path.read_text()) for path in tmp_path.glob("runs/curate-*.json")]
    assert record["stats"] == {"images": 3}
    assert len(record["inputs"]["products.csv"]) == 64
    assert record["settings"]["crawl"]["delay"] == 1.0


def test_a_stage_that_fails_leaves_no_record(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(ZeroDivisionError), workspace.stage("curate", workspace.settings()):
        _ = 1 // 0
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("table", "verb"),
    [("images", "crawl"), ("curated", "curate"), ("boxes", "boxes import"), ("dataset2", "curate")],
)
def test_a_missing_table_names_the_verb_that_makes_it(tmp_path: Path, table: str, verb: str) -> None:
    with pytest.raises(MissingInput) as caught:
        Workspace(tmp_path).read(table)
    assert str(caught.value) == f"no {table}.csv in {tmp_path}: run `fullshot {verb} {tmp_path}` first"


def test_a_workspace_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "none")
    with pytest.raises(MissingInput, match="no workspace at"):
        workspace.read("images")
    with pytest.raises(MissingInput, match="no workspace at"), workspace.locked():
        pass
    assert not (tmp_path / "none").exists()


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="expected a workspace folder, got a file"):
        Workspace(tmp_path / "file")


def double(rows: Sequence[int]) -> list[int]:
    return [2 * row for row in rows]


@pytest.mark.parametrize("processes", [1, 2])
def test_shards_give_the_same_however_many_processes(processes: int) -> None:
    parts = engine.shards(range(7), 3)
    assert [len(part) for part in parts] == [3, 3, 1]
    results = dict(engine.map_shards(double, parts, processes))
    assert [row for number in sorted(results) for row in results[number]] == [0, 2, 4, 6, 8, 10, 12]


def end_itself(rows: Sequence[int]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_ended_fails_the_stage() -> None:
    with pytest.raises(StageFailed, match=r"a worker process was ended, .*: run with fewer processes"):
        list(engine.map_shards(end_itself, [[1], [2]], 2))


def leave_a_mark(folder: Path) -> None:
    (folder / str(os.getpid())).touch()


def marks(rows: Sequence[Path]) -> set[str]:
    return {path.name for folder in rows for path in folder.iterdir()}


def test_workers_prepare_before_there_is_work(tmp_path: Path) -> None:
    with engine.Workers(2) as workers:
        workers.start(functools.partial(leave_a_mark, tmp_path))
        while not any(tmp_path.iterdir()):
            multiprocessing.Event().wait(0.05)
        found = dict(workers.map(marks, [[tmp_path]]))  # one shard, and still not in this process
    assert found[0]
    assert str(os.getpid()) not in found[0]


def fail(*_: object) -> None:
    raise ValueError("no model")


def test_what_workers_cannot_prepare_is_told_by_the_work() -> None:
    with engine.Workers(2) as workers:
        workers.start(fail)
        assert dict(workers.map(double, [[1], [2]])) == {0: [2], 1: [4]}
        with pytest.raises(ValueError, match="no model"):
            list(workers.map(fail, [[1], [2]]))


def test_one_process_is_this_one(tmp_path: Path) -> None:
    with engine.Workers(1) as workers:
        workers.start(functools.partial(leave_a_mark, tmp_path))
        assert not any(tmp_path.iterdir())
        assert dict(workers.map(own_number, [[1], [2]])) == {0: os.getpid(), 1: os.getpid()}
        workers.let_go()


def own_number(rows: Sequence[int]) -> int:
    return os.getpid()


def test_workers_that_were_let_go_end_while_this_process_goes_on() -> None:
    with engine.Workers(2) as workers:
        found = dict(workers.map(own_number, [[1], [2]]))
        workers.let_go()
        for pid in found.values():
            assert pid != os.getpid()
            while _runs(pid):
                multiprocessing.Event().wait(0.05)


_HOLDER = """
import sys, multiprocessing, os
from fullshot import engine
def hold(rows):
    with open(sys.argv[1] + "." + str(os.getpid()), "w"):
        pass
    while True:
        pass
if __name__ == "__main__":
    list(engine.map_shards(hold, [[1], [2]], 2))
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "holder.py"
    script.write_text(_HOLDER)
    with subprocess.Popen([sys.executable, str(script), str(tmp_path / "pid")]) as parent:
        while len(list(tmp_path.glob("pid.*"))) < 2:
            assert parent.poll() is None
        parent.send_signal(signal.SIGKILL)
    workers = [int(path.suffix[1:]) for path in tmp_path.glob("pid.*")]
    while any(_runs(pid) for pid in workers):
        multiprocessing.Event().wait(0.05)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended but was not waited for is no longer running.
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
