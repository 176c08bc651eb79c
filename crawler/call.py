"""What a crawl is asked to do, checked before Scrapy, a page object or a table is loaded."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from fullshot.core.errors import MissingInput, UserError
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.crawler.archive import FOLDER
from fullshot.crawler.browser import find_renderer
from fullshot.crawler.registries import FRONTIERS, RENDERERS, SHOPS


def check_call(
    workspace: Workspace,
    settings: Settings,
    urls: Sequence[str],
    shop: str | None = None,
    *,
    update: bool = False,
    retry_failed: str | None = None,
) -> None:
    """Check what a crawl is asked to do; arguments are those of :func:`fullshot.crawler.crawl`.

    Raises:
        UserError: no such shop, renderer or frontier, an address that is not one, nothing to start from, or a bad
            ``taxonomy.toml``.
    """
    if shop is not None:
        SHOPS.check(shop)
    if update and retry_failed:
        raise UserError("expected one of update and retry_failed, got both")
    for url in urls:
        _check_url(url)
    check_renderer(settings.crawl.renderer)
    FRONTIERS.check(settings.crawl.frontier)
    workspace.taxonomy()  # a bad one is reported here, not by the crawl's own process
    if not workspace.root.exists() and (update or retry_failed or not urls):
        raise UserError("expected the address of a listing or a product page to start from, got none")


def check_archived(workspace: Workspace, shop: str | None = None) -> None:
    """Check what there is to parse again; arguments are those of :func:`fullshot.crawler.parse_archived`.

    Raises:
        MissingInput: there are no saved pages.
        UserError: no such shop.
    """
    if shop is not None:
        SHOPS.check(shop)
    workspace.must_be_there()
    if not any((workspace / FOLDER).glob("*.warc.gz")):
        raise MissingInput(f"no pages in {workspace / FOLDER}: run `fullshot crawl --keep-pages` first")


def check_renderer(name: str) -> None:
    """See that a crawl can use what its setting ``renderer`` names.

    Raises:
        UserError: there is no such renderer; says which there are. Or this machine lacks something that it needs.
    """
    if name in ("auto", "http"):
        return
    if name in ("playwright", "selenium"):
        if find_renderer(name) is None:
            raise UserError(
                f"renderer {name} lacks a package, a Chromium or a chromedriver: run `fullshot doctor --fix`"
            )
    elif name in RENDERERS.names():
        RENDERERS.get(name)
    else:
        raise UserError(f"expected the renderer to be one of auto, http, {', '.join(RENDERERS.names())}, got {name!r}")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise UserError(f"expected an address that begins with http:// or https://, got {url!r}")
