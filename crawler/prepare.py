"""What a crawl begins with: the tables of its workspace, and the requests to make first."""

from fullshot.core.clock import now
from fullshot.core.errors import UserError
from fullshot.core.workspace import Workspace
from fullshot.crawler.addresses import host_of
from fullshot.crawler.frontier import LISTING, PAGE
from fullshot.crawler.merge import merge
from fullshot.crawler.registries import SHOPS
from fullshot.crawler.state import CrawlState


def prepare(workspace: Workspace, state: CrawlState, urls: list[str], shop: str | None, mode: str) -> bool:
    """Make the state ready for a crawl: what there is, and what to ask for first.

    Args:
        workspace: holds the tables.
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
        raise UserError(f"nothing is left to do in {workspace.root}: expected an address to start from, or --update")
    failures = _select_failures(workspace, mode) if mode.startswith("retry:") else None
    if before is not None:
        state.note_abandoned(now())
        merge(workspace, state)
    state.clear()
    products = _read_tables(workspace, state, mode)
    if not state.origins():
        # Without its state, a workspace's own products say which hosts it was crawled from, and as whose.
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


def _select_failures(workspace: Workspace, mode: str) -> tuple[list[str], list[str]]:
    """The pages to ask for again, and the pictures that failed otherwise and are not to be asked for."""
    failures = workspace.read_if_there("failures")
    wanted = mode.removeprefix("retry:")
    if wanted == "all":
        chosen = failures
    else:
        chosen = failures[failures["class"] == wanted]
        if chosen.empty:
            there = ", ".join(sorted(set(failures["class"]))) or "none at all"
            raise UserError(f"no failure of class {wanted!r} in {workspace.root}: there are {there}")
    others = failures[(failures["kind"] == "picture") & ~failures["url"].isin(chosen["url"])]
    return chosen["page"].fillna(chosen["url"]).drop_duplicates().to_list(), others["url"].to_list()


def _read_tables(workspace: Workspace, state: CrawlState, mode: str) -> list[tuple[str, str]]:
    """Tell the state which pictures and products there are already.

    Returns:
        Address and parser of each product.
    """

    def is_there(path: str) -> bool:
        return (workspace / path).is_file()

    if not any(workspace.table(name).is_file() for name in ("products", "images", "failures")):
        state.add_pictures([], is_there)
        return []
    images = workspace.read_if_there("images")
    failures = workspace.read_if_there("failures")
    products = workspace.read_if_there("products")
    products = products[products["url"].notna()]
    # One that was stored and then found unreadable is fetched again.
    bad = failures[failures["class"] == "not-an-image"]["url"]
    state.add_pictures(images.to_dict("records"), is_there, bad)
    # A product is visited again where a picture of it failed or is gone from the store, or where it was gone itself.
    lost = images["product_id"][[not is_there(path) for path in images["path"]]]
    again = products["url"].isin(failures["page"].dropna()) | products["product_id"].isin(lost)
    done = products[~again & products["gone_at"].isna()]
    pages = zip(products["url"], products["product_id"], strict=True)
    incomplete = [*failures["page"].dropna(), *products[products["product_id"].isin(lost)]["url"]]
    state.add_products(pages, done["product_id"] if mode == "crawl" else [], incomplete)
    return list(zip(products["url"], products["parser"], strict=True))
