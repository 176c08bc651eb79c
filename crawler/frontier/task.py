"""A request of a crawl as the frontier holds it: where it leads, in which order it is made, and how far it is."""

from dataclasses import dataclass
from enum import StrEnum

PICTURE, PAGE, LISTING = range(3)
"""What an address leads to, in the order they are fetched in: what is begun is finished first, and a listing goes on
when there is nothing else to do. ``PAGE`` is a product page as far as is known."""


class RequestState(StrEnum):
    """How far a request is. The values are what SQLite frontiers have held since version 0.1."""

    QUEUED = "queued"
    IN_FLIGHT = "flying"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """A page whose product an earlier crawl has fetched: this one does not ask for it."""


@dataclass(frozen=True)
class Task:
    """A request to be made.

    Attributes:
        rank: one of :data:`PICTURE`, :data:`PAGE`, :data:`LISTING`.
        start: whether the user gave this address.
        page: of a picture, the address of a product page that shows it.
        renderer: the renderer to ask with, where it was found that one is needed.
        tries: how often it was taken, this time included.
    """

    id: int
    url: str
    host: str
    rank: int
    start: bool
    page: str | None
    renderer: str | None
    tries: int
