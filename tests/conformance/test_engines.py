"""What every engine does, whichever it is."""

import functools
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from fullshot.core.engines import ENGINES, open_engine, shards
from fullshot.core.errors import UserError
from fullshot.core.interfaces import Engine


@pytest.fixture(params=[(name, processes) for name in ENGINES.names() for processes in (1, 2)], ids=str)
def engine(request: pytest.FixtureRequest) -> Engine:
    name, processes = request.param
    return open_engine(name, processes)


def double(rows: Sequence[int]) -> list[int]:
    return [2 * row for row in rows]


def fail(rows: Sequence[int]) -> None:
    raise ValueError(f"no good: {rows[0]}")


def test_every_shard_is_answered_once(engine: Engine) -> None:
    with engine:
        found = list(engine.map(double, shards(range(7), 3)))
    assert sorted(found) == [(0, [0, 2, 4]), (1, [6, 8, 10]), (2, [12])]


def test_no_shard_is_no_work(engine: Engine) -> None:
    with engine:
        assert list(engine.map(double, [])) == []


def test_one_engine_maps_several_times(engine: Engine) -> None:
    with engine:
        assert [dict(engine.map(double, [[1], [2]])) for _ in range(2)] == [{0: [2], 1: [4]}] * 2


def test_what_the_function_raises_is_raised(engine: Engine) -> None:
    with engine, pytest.raises(ValueError, match="no good: 1"):
        list(engine.map(fail, [[1]]))


def test_work_goes_on_after_a_failure_and_after_a_map_that_was_left(engine: Engine) -> None:
    with engine:
        with pytest.raises(ValueError, match="no good"):
            list(engine.map(fail, [[1], [2]]))
        for _ in engine.map(double, [[1], [2], [3]]):
            break
        assert dict(engine.map(double, [[4], [5]])) == {0: [8], 1: [10]}


def end_once(rows: Sequence[Path]) -> list[str]:
    """Ends its worker the first time that it sees a shard."""
    for path in rows:
        if not path.exists():
            path.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return [path.name for path in rows]


def test_a_shard_whose_worker_was_ended_is_done_again(engine: Engine, tmp_path: Path) -> None:
    if engine.count == 1:
        pytest.skip("the work is done by this process")
    with engine:
        assert dict(engine.map(end_once, [[tmp_path / "a"], [tmp_path / "b"]])) == {0: ["a"], 1: ["b"]}


def leave_a_mark(folder: Path) -> None:
    (folder / "prepared").touch()


def test_workers_prepare_before_there_is_work(engine: Engine, tmp_path: Path) -> None:
    with engine:
        engine.start(functools.partial(leave_a_mark, tmp_path))
        if engine.count > 1:
            while not (tmp_path / "prepared").exists():
                time.sleep(0.05)
        assert dict(engine.map(double, [[1], [2]])) == {0: [2], 1: [4]}
        engine.let_go()


def test_what_workers_cannot_prepare_is_passed_over(engine: Engine) -> None:
    with engine:
        engine.start(functools.partial(fail, [1]))
        assert dict(engine.map(double, [[1], [2]])) == {0: [2], 1: [4]}


def test_an_unknown_engine_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"expected the engine to be one of processes.*, got 'spark'"):
        open_engine("spark")
