"""What a crawl can choose by name: shops, renderers, frontiers. They load when they are asked for; help shows names."""

from typing import TYPE_CHECKING, Protocol

from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from fullshot.core.interfaces import Frontier, Renderer
    from fullshot.core.settings import CrawlSettings
    from fullshot.crawler.database import Database
    from fullshot.crawler.frontier.task import RequestState, Task
    from fullshot.crawler.pages.base import ShopPage
    from fullshot.crawler.rendering.page import RenderedPage, RenderRequest


def _check_page(loaded: object) -> None:
    from fullshot.crawler.pages.base import ShopPage

    if not (isinstance(loaded, type) and issubclass(loaded, ShopPage)):
        raise TypeError(f"expected a subclass of fullshot.crawler.ShopPage, got {loaded!r}")
    missing = [name for name in ("patterns", "parser", "data_script") if not hasattr(loaded, name)]
    if missing:
        raise TypeError(f"expected the attributes patterns, parser and data_script, got none named {missing[0]}")


SHOPS: "Registry[type[ShopPage]]" = Registry(
    "shop",
    "fullshot.shops",
    {
        "myntra": "fullshot.crawler.pages.myntra:MyntraPage",
        "schema_org": "fullshot.crawler.pages.schema_org:SchemaOrgPage",
    },
    _check_page,
)
"""The page object of a shop by its name, as ``--shop`` takes it."""


class RendererClass(Protocol):
    """A renderer's class."""

    def __call__(self, crawler: "Crawler") -> "Renderer[RenderRequest, RenderedPage]":
        """Make the renderer of one crawl; the browser may start with the first page.

        Raises:
            RendererMissing: something that it needs is not on this machine.
        """


RENDERERS: Registry[RendererClass] = Registry(
    "renderer",
    "fullshot.renderers",
    {
        "playwright": "fullshot.crawler.rendering.playwright:PlaywrightRenderer",
        "selenium": "fullshot.crawler.rendering.selenium.renderer:SeleniumRenderer",
    },
    keeps("fullshot.core.interfaces:Renderer"),
)
"""A renderer's class by the name that ``crawl.renderer`` gives it."""


class FrontierClass(Protocol):
    """A frontier's class."""

    def from_settings(self, settings: "CrawlSettings", database: "Database") -> "Frontier[Task, RequestState]":
        """Open the frontier of one workspace.

        Args:
            settings: such as the address of a server.
            database: the workspace's ``crawl.db``. A frontier may keep its requests in it, as SQLite's does; one that
                keeps them elsewhere tells workspaces apart by ``database.path``.
        """


FRONTIERS: Registry[FrontierClass] = Registry(
    "frontier",
    "fullshot.frontiers",
    {"sqlite": "fullshot.crawler.frontier.sqlite:SqliteFrontier"},
    keeps("fullshot.core.interfaces:Frontier"),
)
"""A frontier's class by the name that ``crawl.frontier`` gives it."""
