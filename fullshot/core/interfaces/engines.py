"""What maps work over many rows."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Row = TypeVar("Row")
Result = TypeVar("Result")


class Engine(Protocol):
    """Maps a function over shards of rows; a context manager. Registry: :data:`fullshot.core.engines.ENGINES`.

    Attributes:
        count: shards that are worked on at once.
    """

    count: int

    def start(self, prepare: Callable[[], object]) -> None:
        """Start the workers before there is work for them, so that they load what they need meanwhile.

        Called again, the same workers do that as well.

        Args:
            prepare: run in them; importable by name. What it raises is passed over: the work will raise it again.
        """

    def map(
        self, function: Callable[[Sequence[Row]], Result], parts: Sequence[Sequence[Row]]
    ) -> Iterator[tuple[int, Result]]:
        """Apply a function to every shard.

        A shard whose worker was ended from outside is done again, so that the function must give the same when it is
        applied twice.

        Args:
            function: takes one shard; importable by name, as are its arguments.
            parts: the shards.

        Yields:
            A shard's number and its result, in the order in which they are done.

        Raises:
            StageFailed: workers were ended from outside again and again.
        """

    def let_go(self) -> None:
        """Let the workers end while this process goes on."""

    def __enter__(self) -> "Engine": ...

    def __exit__(self, *details: object) -> None: ...
