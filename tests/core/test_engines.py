"""Engines: what becomes of work, and of the processes that do it."""

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from fullshot.core.engines import map_shards, shards
from fullshot.core.engines.processes import ProcessEngine
from fullshot.core.errors import StageFailed


def double(rows: Sequence[int]) -> list[int]:
    return [2 * row for row in rows]


@pytest.mark.parametrize("processes", [1, 2])
def test_shards_give_the_same_however_many_processes(processes: int) -> None:
    parts = shards(range(7), 3)
    assert [len(part) for part in parts] == [3, 3, 1]
    results = dict(map_shards(double, parts, processes))
    assert [row for number in sorted(results) for row in results[number]] == [0, 2, 4, 6, 8, 10, 12]


def end_itself(rows: Sequence[int]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_are_ended_again_and_again_fail_the_stage() -> None:
    with pytest.raises(StageFailed, match=r"a worker process was ended again and again, .*: run with fewer processes"):
        list(map_shards(end_itself, [[1], [2]], 2))


def end_once(rows: Sequence[Path]) -> list[str]:
    """Ends its process the first time that it sees a shard."""
    for path in rows:
        if not path.exists():
            path.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return [path.name for path in rows]


def test_the_work_of_a_worker_that_is_ended_is_done_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = dict(map_shards(end_once, [[tmp_path / "a"], [tmp_path / "b"]], 2))
    assert found == {0: ["a"], 1: ["b"]}
    assert "a worker process was ended; its work is done again" in capfd.readouterr().err


def leave_a_mark(folder: Path) -> None:
    (folder / str(os.getpid())).touch()


def marks(rows: Sequence[Path]) -> set[str]:
    return {path.name for folder in rows for path in folder.iterdir()}


def test_workers_prepare_before_there_is_work(tmp_path: Path) -> None:
    with ProcessEngine(2) as workers:
        workers.start(functools.partial(leave_a_mark, tmp_path))
        while not any(tmp_path.iterdir()):
            multiprocessing.Event().wait(0.05)
        found = dict(workers.map(marks, [[tmp_path]]))  # one shard, and still not in this process
    assert found[0]
    assert str(os.getpid()) not in found[0]


def test_workers_that_were_started_do_what_else_they_are_told(tmp_path: Path) -> None:
    with ProcessEngine(2) as workers:
        workers.start(functools.partial(leave_a_mark, tmp_path))
        found = dict(workers.map(own_number, [[1], [2]]))
        workers.start(functools.partial(leave_a_mark, tmp_path))
        found |= dict(workers.map(own_number, [[1], [2], [3]]))
    assert len({*found.values(), *map(int, marks([tmp_path]))}) <= 2


def test_one_process_is_this_one(tmp_path: Path) -> None:
    with ProcessEngine(1) as workers:
        workers.start(functools.partial(leave_a_mark, tmp_path))
        assert not any(tmp_path.iterdir())
        assert dict(workers.map(own_number, [[1], [2]])) == {0: os.getpid(), 1: os.getpid()}
        workers.let_go()


def own_number(rows: Sequence[int]) -> int:
    return os.getpid()


def test_workers_that_were_let_go_end_while_this_process_goes_on() -> None:
    with ProcessEngine(2) as workers:
        found = dict(workers.map(own_number, [[1], [2]]))
        workers.let_go()
        for pid in found.values():
            assert pid != os.getpid()
            while _runs(pid):
                multiprocessing.Event().wait(0.05)


_HOLDER = """
import sys, multiprocessing, os
from fullshot.core.engines import map_shards
def hold(rows):
    with open(sys.argv[1] + "." + str(os.getpid()), "w"):
        pass
    while True:
        pass
if __name__ == "__main__":
    list(map_shards(hold, [[1], [2]], 2))
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
