"""``crawl --from-pages``: parse the kept pages again, without the network, after a parser was mended."""

from typing import Any

from web_poet import HttpResponse
from web_poet.exceptions import UseFallback

from crawler import archive
from crawler.archive import KeptPage
from crawler.items import ListingFound, ProductFound, with_listed
from crawler.merge import merge
from crawler.pages import PageOptions, page_finder
from crawler.state import LISTING, State, Task, Validators
from fullshot import progress
from fullshot.errors import MissingInput
from fullshot.settings import Settings
from fullshot.workspace import Workspace

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
        UserError: no such shop.
    """
    workspace.must_be_there()
    if not any((workspace / archive.FOLDER).glob("*.warc.gz")):
        raise MissingInput(f"no pages in {workspace / archive.FOLDER}: run `fullshot crawl --keep-pages` first")
    options = PageOptions(workspace.taxonomy(), settings.crawl.image_size, settings.crawl.colours)
    (workspace / _STATE).unlink(missing_ok=True)
    with workspace.stage("crawl", settings) as stats, State(workspace / _STATE) as state:
        images = workspace.read_if_there("images")
        state.keep_pictures(images.to_dict("records"), lambda path: (workspace / path).is_file())
        counts = dict.fromkeys(("pages", "parsed products", "parsed listings", "without product", "without data"), 0)
        find = page_finder(shop)
        with progress.bar("parse", "pages") as advance:
            for kept in archive.pages(workspace / archive.FOLDER):
                counts["pages"] += 1
                counts[_parse(state, kept, find(kept.url), options)] += 1
                advance(counts["pages"], 0)
        stats |= {name.replace(" ", "_"): count for name, count in counts.items()}
        stats["pictures_not_fetched"] = state.count("failures")
        stats |= merge(workspace, state)
        state.close()
        for path in workspace.root.glob(f"{_STATE}*"):
            path.unlink()
    return dict(stats)


def _parse(state: State, kept: KeptPage, page: Any, options: PageOptions) -> str:
    """Parse a page into the state; the name of the count that it belongs to."""
    task = _task(state, kept.url)
    try:
        found = page(HttpResponse(kept.url, body=kept.body), options).find()
    except UseFallback:
        state.done(task)
        return "without data"
    if isinstance(found, ListingFound):
        state.found_listing(task, found.urls, found.listed, [])
        return "parsed listings"
    if isinstance(found, ProductFound):
        product = with_listed(found.product, task.listed)
        missing = [link.url for link in found.images if not state.has_picture(link.url)]
        state.found_product(
            task, ProductFound(product, found.images, found.boxes), kept.fetched_at, Validators(), missing=False
        )
        for url in missing:
            state.note_failure(
                url, task.url, ("not-fetched", "the page was parsed without the network"), kept.fetched_at
            )
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
