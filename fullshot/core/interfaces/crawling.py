"""What a crawl is made of."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol, TypeVar

Item_co = TypeVar("Item_co", covariant=True)
ToRender_contra = TypeVar("ToRender_contra", contravariant=True)
Rendered_co = TypeVar("Rendered_co", covariant=True)
Task = TypeVar("Task")
State = TypeVar("State")


class Frontier(Protocol[Task, State]):
    """The requests of a crawl that are still to be made. Registry: :data:`fullshot.crawler.frontier.FRONTIERS`.

    It belongs to one workspace, outlives the process, and holds each address once. A request stays in it until its
    answer is read: what a kill interrupts is made again. When a host may be asked is not its business. The process
    that started a crawl reads it while the crawl's own process takes requests from it.

    What it would need in Redis: for each host a sorted set of what is queued (by rank, then by order of arrival); the
    tasks, and their numbers by address, as hashes; a script that takes the first of a set in one step; a prefix of keys
    for each workspace; and a pipeline (MULTI, EXEC) that :meth:`atomic` opens and executes.

    Attributes:
        queued: how many requests are queued, by host and rank, as far as this process knows since :meth:`recover`.
        pages_in_flight: how many requests of pages this process has taken and not ended.
    """

    @property
    def queued(self) -> Mapping[tuple[str, int], int]: ...

    @property
    def pages_in_flight(self) -> int: ...

    def recover(self) -> None:
        """Queue again what was in flight when the last process ended, and what failed in it; tries begin at 0."""

    def clear(self) -> None:
        """Forget every request."""

    def atomic(self) -> AbstractContextManager[None]:
        """Changes made within happen together when it ends, or not at all.

        What a request brought is committed within it, before it ends: a kill in between makes the request once more. A
        frontier in the same database has both in one transaction.
        """

    def add(self, urls: Iterable[str], rank: int, *, start: bool = False, page: str | None = None) -> None:
        """Queue the addresses that it does not hold yet.

        Args:
            urls: the addresses.
            rank: lower ones are taken first.
            start: whether the user gave them.
            page: of pictures, the page that shows them.
        """

    def skip(self, urls: Iterable[str], rank: int) -> None:
        """Hold addresses that this crawl does not ask for; those that it holds already stay as they are."""

    def take(self, host: str, last_rank: int) -> Task | None:
        """The next request to a host, in flight from now: of the lowest rank up to ``last_rank``, the first added."""

    def put_back(self, task: Task, renderer: str | None = None) -> None:
        """Queue a request in flight again where it stood, to be made with this renderer; its tries go on."""

    def done(self, task: Task) -> None:
        """A request needs no more."""

    def failed(self, task: Task) -> None:
        """A request came to nothing; :meth:`recover` queues it again."""

    def find(self, url: str) -> Task | None:
        """The request of an address; None where it holds none."""

    def tasks(self, *states: State) -> Iterator[Task]:
        """The requests in any of these states, in the order in which they were added."""

    def counts(self) -> Mapping[tuple[str, int, State], int]:
        """How many requests there are, by host, rank and state."""

    def close(self) -> None:
        """Let go of connections."""


class Renderer(Protocol[ToRender_contra, Rendered_co]):
    """Draws pages with a browser. Registry: :data:`fullshot.crawler.rendering.RENDERERS`.

    It is made with Scrapy's crawler as its only argument.
    """

    async def render(self, to_render: ToRender_contra) -> Rendered_co:
        """The page as it is once its scripts ran.

        Raises:
            OffHost: it leads to another host.
            DownloadTimeoutError: it did not come in time.
            DownloadFailedError: it did not come; BrowserDied is one of these.
        """

    async def close(self) -> None:
        """End the browser."""


class ShopPage(Protocol[Item_co]):
    """A page of a shop. Registry: :data:`fullshot.crawler.pages.SHOPS`.

    Attributes:
        patterns: the addresses that it reads (``url_matcher.Patterns``); the more particular pattern wins.
        parser: name and version of what reads the page, such as ``myntra@1``.
        data_script: JavaScript, a function's body: returns whether the page's data is there.
        always_has_data: whether every page of the shop has data, so that one without it means that the crawl is taken
            for a bot.
    """

    patterns: ClassVar[Any]
    parser: ClassVar[str]
    data_script: ClassVar[str]
    always_has_data: ClassVar[bool]

    def find(self) -> Item_co:
        """The product, the listing, or why there is neither; see :data:`fullshot.crawler.items.Found`."""
