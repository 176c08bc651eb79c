"""What a crawl begins with: the tables of its workspace, and the requests to make first."""

from collections.abc import Iterator

import pyarrow as pa

from fullshot.core.clock import now
from fullshot.core.dataset import Dataset
from fullshot.core.errors import UserError
from fullshot.crawler.addresses import host_of
from fullshot.crawler.frontier import LISTING, PAGE
from fullshot.crawler.merge import merge
from fullshot.crawler.registries import SHOPS
from fullshot.crawler.state import PICTURE_COLUMNS, CrawlState


def prepare(data: Dataset, state: CrawlState, urls: list[str], shop: str | None, mode: str) -> bool:
    """Make the state ready for a crawl: what there is, and what to ask for first.

    Args:
        data: the tables.
        state: of its crawl.
        urls: where the user starts.
        shop: whose pages the user says they are.
        mode: ``crawl``, ``update`` or ``retry:`` and a class; a crawl that was stopped goes on in its own mode.

    Returns:
        Whether a crawl that was stopped goes on.

    Raises:
        UserError: there is nothing to do, or the requests of a crawl that was stopped are in another frontier.
    """
    before = state.meta("mode")
    frontier = state.meta("frontier") or "sqlite"  # version 0.1 knew no other
    if before is not None and frontier != state.frontier_name:
        raise UserError(
            f"the requests of the crawl that was stopped are in {frontier}: expected crawl.frontier to be that until it"
            f" is finished, got {state.frontier_name}"
        )
    if mode == "crawl" and not urls:
        mode = before or mode
    if before == mode:
        state.start_at({host_of(url) for url in urls} or state.origins(), shop)
        state.frontier.add(urls, LISTING, start=True)
        return True
    if mode == "crawl" and not urls:
        raise UserError(
            f"nothing is left to do in {data.workspace.root}: expected an address to start from, or --update"
        )
    failures = _select_failures(data, mode) if mode.startswith("retry:") else None
    if before is not None:
        state.note_abandoned(now())
        merge(data, state)
    state.clear()
    _read_tables(data, state, mode)
    if not state.origins():
        # Without its state, a workspace's own products say which hosts it was crawled from, and as whose.
        products = data.stream("SELECT url, parser FROM products WHERE url IS NOT NULL")
        for host, parser in {host_of(url): str(parser).partition("@")[0] for url, parser in products}.items():
            state.start_at([host], parser if parser in SHOPS.names() else None)
    state.start_at({host_of(url) for url in urls} or state.origins(), shop)
    state.frontier.add(urls, LISTING, start=True)
    if failures is not None:
        state.exclude(failures[1])
        state.frontier.add(failures[0], PAGE)
    elif mode == "update":
        origins = state.origins()
        state.frontier.add((url for url in state.pages() if host_of(url) in origins), PAGE)
    state.note("frontier", state.frontier_name)
    state.note("mode", mode)  # the last step: a kill before it leaves no crawl to go on with
    return False


def _select_failures(data: Dataset, mode: str) -> tuple[list[str], list[str]]:
    """The pages to ask for again, and the pictures that failed otherwise and are not to be asked for."""
    data.make_if_missing("failures")
    wanted = mode.removeprefix("retry:")
    chosen = "true" if wanted == "all" else "class = $wanted"
    named = {} if wanted == "all" else {"wanted": wanted}
    numbered = "SELECT *, row_number() OVER () AS row FROM failures"
    pages = data.rows(
        f"SELECT coalesce(page, url) FROM ({numbered}) WHERE {chosen} GROUP BY 1 ORDER BY min(row)", **named
    )
    if not pages and named:
        classes = data.rows("SELECT DISTINCT class FROM failures ORDER BY 1")
        there = ", ".join(name for (name,) in classes) or "none at all"
        raise UserError(f"no failure of class {wanted!r} in {data.workspace.root}: there are {there}")
    others = data.rows(
        f"SELECT url FROM failures WHERE kind = 'picture' AND url NOT IN (SELECT url FROM failures WHERE {chosen})",
        **named,
    )
    return [page for (page,) in pages], [url for (url,) in others]


def _read_tables(data: Dataset, state: CrawlState, mode: str) -> None:
    """Tell the state which pictures and products there are already."""

    def is_there(path: str) -> bool:
        return (data.workspace / path).is_file()

    def column(query: str) -> Iterator[str]:
        return (value for (value,) in data.stream(query))

    for name in ("products", "images", "failures"):
        data.make_if_missing(name)
    pictures = data.stream(f"SELECT {', '.join(PICTURE_COLUMNS)} FROM images WHERE url IS NOT NULL")
    # One that was stored and then found unreadable is fetched again.
    state.add_pictures(pictures, is_there, column("SELECT url FROM failures WHERE class = 'not-an-image'"))
    # A product is visited again where a picture of it failed or is gone from the store, or where it was gone itself.
    lost = [product for product, path in data.stream("SELECT product_id, path FROM images") if not is_there(path)]
    data.create("lost", pa.table({"product_id": pa.array(lost, pa.string())}))
    data.create(
        "again",
        "SELECT product_id FROM products WHERE url IN (SELECT page FROM failures WHERE page IS NOT NULL) "
        "OR product_id IN (SELECT product_id FROM lost) OR gone_at IS NOT NULL",
    )
    done = "SELECT product_id FROM products WHERE url IS NOT NULL AND product_id NOT IN (SELECT product_id FROM again)"
    state.add_products(
        data.stream("SELECT url, product_id FROM products WHERE url IS NOT NULL"),
        column(done) if mode == "crawl" else [],
        column(
            "SELECT page FROM failures WHERE page IS NOT NULL UNION SELECT url FROM products "
            "WHERE url IS NOT NULL AND product_id IN (SELECT product_id FROM lost)"
        ),
    )
