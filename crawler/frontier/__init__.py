"""The requests that a crawl has still to make, in a store that survives a kill."""

from fullshot.core import interfaces
from fullshot.core.settings import CrawlSettings
from fullshot.crawler.database import Database
from fullshot.crawler.frontier.task import LISTING, PAGE, PICTURE, RequestState, Task
from fullshot.crawler.registries import FRONTIERS

__all__ = ["FRONTIERS", "LISTING", "PAGE", "PICTURE", "Frontier", "RequestState", "Task", "open_frontier"]

Frontier = interfaces.Frontier[Task, RequestState]


def open_frontier(settings: CrawlSettings, database: Database) -> Frontier:
    """The frontier that the settings choose.

    Raises:
        UserError: there is none of that name; says which there are.
    """
    return FRONTIERS.get(settings.frontier).from_settings(settings, database)
