"""``crawl --from-pages``: parse the kept pages again, without the network, after a parser was mended."""

from collections.abc import Callable, Mapping
from typing import Any

from web_poet import HttpResponse
from web_poet.exceptions import UseFallback

from fullshot.core import progress
from fullshot.core.errors import MissingInput
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.crawler import archive
from fullshot.crawler.archive import KeptPage
from fullshot.crawler.frontier.state import FILE, LISTING, State, Task, Validators
from fullshot.crawler.items import ListingFound, ProductFound, with_listed
from fullshot.crawler.merge import merge
from fullshot.crawler.pages import PageOptions, page_finder, rules
from fullshot.crawler.run import CrawlFailed

_STATE = "parse.db"


def parse_kept(workspace: Workspace, settings: Settings, shop: str | None = None) -> dict[str, Any]:
    """Parse every kept page again, and bring what is found into the tables.

    A picture that a page newly shows is not fetched: it is among the failures, of class ``not-fetched``, and the next
    crawl fetches it.

    Args:
        workspace: must hold pages that a crawl with ``keep_pages`` left.
        settings: its section ``crawl`` counts.
        shop: whose page object reads the pages; None: it goes by their addresses.

    Returns:
        Counts of what was parsed and of the tables.

    Raises:
        MissingInput: there are no kept pages.
        CrawlFailed: none of them could be read.
        UserError: no such shop.
    """
    workspace.must_be_there()
    if not any((workspace / archive.FOLDER).glob("*.warc.gz")):
        raise MissingInput(f"no pages in {workspace / archive.FOLDER}: run `fullshot crawl --keep-pages` first")
    options = PageOptions(workspace.taxonomy(), settings.crawl.image_size, settings.crawl.colours)
    rules(shop)
    with workspace.stage("crawl", settings) as stats:
        with State(workspace / FILE) as crawled:
            find = page_finder(shop, crawled.origins())
            listed = dict(crawled.rows("SELECT url, says FROM listed"))
        _forget(workspace)
        state = State(workspace / _STATE)
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
    workspace: Workspace, state: State, find: Callable[[str], Any], options: PageOptions, listed: Mapping[str, str]
) -> dict[str, int]:
    images = workspace.read_if_there("images")
    state.keep_pictures(images.to_dict("records"), lambda path: (workspace / path).is_file())
    products = workspace.read_if_there("products")
    last = dict(zip(products["product_id"], products["fetched_at"].fillna(""), strict=True))
    names = ("pages", "parsed products", "parsed listings", "superseded", "without product", "without data")
    counts = dict.fromkeys(names, 0)
    with progress.bar("parse", "pages") as advance:
        for kept in archive.pages(workspace / archive.FOLDER):
            counts["pages"] += 1
            counts[_parse(state, kept, find(kept.url), options, (listed, last))] += 1
            advance(counts["pages"], 0)
    counts["pictures not fetched"] = state.count("failures")
    return {name.replace(" ", "_"): count for name, count in counts.items()}


def _parse(
    state: State, kept: KeptPage, page: Any, options: PageOptions, known: tuple[Mapping[str, str], Mapping[str, str]]
) -> str:
    """Parse a page into the state; the name of the count that it belongs to.

    Args:
        state: where what is found goes.
        kept: the page.
        page: its page object's class.
        options: what the user asked of it.
        known: what listings said by address, and when each product was last fetched.
    """
    listed, last = known
    task = _task(state, kept.asked)
    try:
        found = page(HttpResponse(kept.url, body=kept.body), options).find()
    except UseFallback:
        state.done(task)
        return "without data"
    if isinstance(found, ListingFound):
        state.found_listing(task, found.urls, found.listed, [])
        return "parsed listings"
    if isinstance(found, ProductFound):
        if kept.fetched_at < last.get(found.product["product_id"], ""):
            state.done(task)
            return "superseded"  # a later crawl, which kept no pages, has found it changed
        product = with_listed(found.product, state.listed(kept.asked) or listed.get(kept.asked))
        missing = [link.url for link in found.images if not state.has_picture(link.url)]
        found = ProductFound(product, found.images, found.boxes)
        state.found_product(task, found, kept.fetched_at, Validators(), missing=False)
        for url in missing:
            why = ("not-fetched", "the page was parsed without the network")
            state.note_failure(url, task.url, why, kept.fetched_at)
        return "parsed products"
    if found.gone:
        state.found_page(task, kept.fetched_at, gone=True)
    else:
        state.done(task)
    return "without product"


def _task(state: State, url: str) -> Task:
    """The task of a page: the one that a listing queued, or else a new one."""
    state.add([url], LISTING)
    return state.task(url)
