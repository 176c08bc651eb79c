"""Engines map a function over shards of rows: processes of this machine, or whatever another package brings."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from fullshot.core.engines.shards import cores, shards
from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from fullshot.core.interfaces import Engine

__all__ = ["ENGINES", "cores", "map_shards", "open_engine", "shards"]

Row = TypeVar("Row")
Result = TypeVar("Result")

ENGINES: "Registry[Callable[[int], Engine]]" = Registry(
    "engine",
    "fullshot.engines",
    {"processes": "fullshot.core.engines.processes:ProcessEngine"},
    keeps("fullshot.core.interfaces:Engine"),
)
"""An engine by its name; each is made with how many shards are worked on at once (0: as it sees fit)."""


def open_engine(name: str = "processes", processes: int = 0) -> "Engine":
    """An engine, to be used as a context manager.

    Args:
        name: of the settings' ``engine.name``.
        processes: how many shards at once; 0: as the engine sees fit, 1: this process does the work.

    Raises:
        UserError: there is no engine of that name; says which there are.
    """
    return ENGINES.get(name)(processes)


def map_shards(
    function: Callable[[Sequence[Row]], Result],
    parts: Sequence[Sequence[Row]],
    processes: int = 0,
    engine: str = "processes",
) -> Iterator[tuple[int, Result]]:
    """Apply a function to every shard by an engine that lives no longer; see :func:`open_engine`."""
    with open_engine(engine, processes) as opened:
        yield from opened.map(function, parts)
