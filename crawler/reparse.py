"""``crawl --from-pages``: parse the saved pages again, without the network, after a parser was fixed."""

from collections.abc import Callable
from typing import Any

from web_poet import HttpResponse
from web_poet.exceptions import UseFallback

from fullshot.core import progress
from fullshot.core.dataset import Dataset
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.crawler import archive
from fullshot.crawler.archive import ArchivedPage
from fullshot.crawler.call import check_archived
from fullshot.crawler.frontier import LISTING, Task
from fullshot.crawler.items import ListingFound, ProductFound, with_listed
from fullshot.crawler.merge import merge
from fullshot.crawler.pages import PageOptions, page_finder, rules
from fullshot.crawler.run import CrawlFailed
from fullshot.crawler.state import FILE, PICTURE_COLUMNS, CrawlState, Validators

_STATE = "parse.db"


def parse_archived(workspace: Workspace, settings: Settings, shop: str | None = None) -> dict[str, Any]:
    """Parse every saved page again, and bring what is found into the tables.

    A picture that a page newly shows is not fetched: it is among the failures, of class ``not-fetched``, and the next
    crawl fetches it.

    Args:
        workspace: must hold pages that a crawl with ``keep_pages`` left.
        settings: its section ``crawl`` counts.
        shop: whose page object reads the pages; None: it goes by their addresses.

    Returns:
        Counts of what was parsed and of the tables.

    Raises:
        MissingInput: there are no saved pages.
        CrawlFailed: none of them could be read.
        UserError: no such shop.
    """
    check_archived(workspace, shop)
    options = PageOptions(workspace.taxonomy(), settings.crawl.image_size, settings.crawl.colours)
    rules(shop)
    with workspace.stage("crawl", settings) as stats:
        _forget(workspace)
        state = CrawlState(workspace / _STATE)
        try:
            with CrawlState(workspace / FILE) as crawled, workspace.open() as data:
                find = page_finder(shop, crawled.origins())
                stats |= _parse_all(data, state, find, options, crawled.listed)
                stats |= merge(data, state)
        finally:
            state.close()
            _forget(workspace)
    if not stats["parsed_products"] + stats["parsed_listings"]:
        raise CrawlFailed(["no page could be read: --shop says whose pages they are"], dict(stats))
    return dict(stats)


def _forget(workspace: Workspace) -> None:
    for path in workspace.root.glob(f"{_STATE}*"):
        path.unlink()


def _parse_all(
    data: Dataset,
    state: CrawlState,
    find: Callable[[str], Any],
    options: PageOptions,
    listed: Callable[[str], str | None],
) -> dict[str, int]:
    for name in ("images", "products"):
        data.make_if_missing(name)
    pictures = data.stream(f"SELECT {', '.join(PICTURE_COLUMNS)} FROM images WHERE url IS NOT NULL")
    state.add_pictures(pictures, lambda path: (data.workspace / path).is_file())
    state.add_fetched(data.stream("SELECT product_id, fetched_at FROM products WHERE fetched_at IS NOT NULL"))
    names = ("pages", "parsed products", "parsed listings", "superseded", "without product", "without data")
    counts = dict.fromkeys(names, 0)
    with progress.bar("parse", "pages") as advance:
        for page in archive.pages(data.workspace / archive.FOLDER):
            counts["pages"] += 1
            counts[_parse(state, page, find(page.url), options, listed)] += 1
            advance(counts["pages"], 0)
    counts["pictures not fetched"] = state.count("failures")
    return {name.replace(" ", "_"): count for name, count in counts.items()}


def _parse(
    state: CrawlState,
    page: ArchivedPage,
    page_object: Any,
    options: PageOptions,
    listed: Callable[[str], str | None],
) -> str:
    """Parse a page into the state; the name of the count that it belongs to.

    Args:
        state: where what is found goes.
        page: the page.
        page_object: its page object's class.
        options: what the user asked of it.
        listed: called with an address; what a listing said of the product there.
    """
    task = _task(state, page.asked)
    try:
        found = page_object(HttpResponse(page.url, body=page.body), options).find()
    except UseFallback:
        state.found_nothing_new(task)
        return "without data"
    if isinstance(found, ListingFound):
        state.found_listing(task, found.urls, found.listed, [])
        return "parsed listings"
    if isinstance(found, ProductFound):
        if page.fetched_at < state.last_fetched(found.product["product_id"]):
            state.found_nothing_new(task)
            return "superseded"  # a later crawl, which kept no pages, has found it changed
        product = with_listed(found.product, state.listed(page.asked) or listed(page.asked))
        missing = [link.url for link in found.images if not state.has_picture(link.url)]
        found = ProductFound(product, found.images, found.boxes)
        state.found_product(task, found, page.fetched_at, Validators(), follow=False)
        for url in missing:
            message = "the page was parsed without the network"
            state.note_failure(url, task.url, "not-fetched", message, page.fetched_at)
        return "parsed products"
    if found.gone:
        state.found_gone(task, page.fetched_at)
    else:
        state.found_nothing_new(task)
    return "without product"


def _task(state: CrawlState, url: str) -> Task:
    """The task of a page: the one that a listing queued, or else a new one."""
    state.frontier.add([url], LISTING)
    task = state.frontier.find(url)
    if task is None:
        raise RuntimeError(f"the frontier does not hold what was added: {url}")
    return task
