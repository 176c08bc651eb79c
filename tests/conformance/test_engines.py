"""What every engine does, whichever it is."""

from collections.abc import Sequence

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


def test_an_unknown_engine_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"expected the engine to be one of processes.*, got 'spark'"):
        open_engine("spark")
