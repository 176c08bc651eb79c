"""``crawl --from-pages``: parse the saved pages again, without the network, after a parser was fixed."""

from collections.abc import Callable, Mapping
from typing import Any

from web_poet import HttpResponse
from web_poet.exceptions import UseFallback

from fullshot.core import progress
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
from fullshot.crawler.state import FILE, CrawlState, Validators

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
        with CrawlState(workspace / FILE) as crawled:
            find = page_finder(shop, crawled.origins())
            listed = dict(crawled.rows("SELECT url, says FROM listed"))
        _forget(workspace)
        state = CrawlState(workspace / _STATE)
        try:
            stats |= _parse_all(workspace, state, find, options, listed)
            stats |= merge(workspace, state)
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
    workspace: Workspace, state: CrawlState, find: Callable[[str], Any], options: PageOptions, listed: Mapping[str, str]
) -> dict[str, int]:
    images = workspace.read_if_there("images")
    state.add_pictures(images.to_dict("records"), lambda path: (workspace / path).is_file())
    products = workspace.read_if_there("products")
    last = dict(zip(products["product_id"], products["fetched_at"].fillna(""), strict=True))
    names = ("pages", "parsed products", "parsed listings", "superseded", "without product", "without data")
    counts = dict.fromkeys(names, 0)
    with progress.bar("parse", "pages") as advance:
        for page in archive.pages(workspace / archive.FOLDER):
            counts["pages"] += 1
            counts[_parse(state, page, find(page.url), options, (listed, last))] += 1
            advance(counts["pages"], 0)
    counts["pictures not fetched"] = state.count("failures")
    return {name.replace(" ", "_"): count for name, count in counts.items()}


def _parse(
    state: CrawlState,
    page: ArchivedPage,
    page_object: Any,
    options: PageOptions,
    known: tuple[Mapping[str, str], Mapping[str, str]],
) -> str:
    """Parse a page into the state; the name of the count that it belongs to.

    Args:
        state: where what is found goes.
        page: the page.
        page_object: its page object's class.
        options: what the user asked of it.
        known: what listings say of products, by address; and when each product was last fetched.
    """
    listed, last_fetched = known
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
        if page.fetched_at < last_fetched.get(found.product["product_id"], ""):
            state.found_nothing_new(task)
            return "superseded"  # a later crawl, which kept no pages, has found it changed
        product = with_listed(found.product, state.listed(page.asked) or listed.get(page.asked))
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
