"""The stage ``crawl``: starts a crawl, or goes on with one that stopped."""

import shutil
import time
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from fullshot.core import progress
from fullshot.core.clock import now
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.settings import CrawlSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.crawler import health
from fullshot.crawler.browser import find_renderer
from fullshot.crawler.frontier.state import FILE, LISTING, PAGE, State
from fullshot.crawler.merge import merge
from fullshot.crawler.pages import SHOPS, rules
from fullshot.crawler.politeness import host_of
from fullshot.crawler.process import Child

CHECKPOINT_SECONDS = 600.0
"""How often the tables are brought up to date while a crawl runs."""


class CrawlFailed(StageFailed):
    """A crawl ran, and something failed; what it found is kept.

    Args:
        problems: a line each.
        stats: as :func:`crawl` returns them.
    """

    def __init__(self, problems: list[str], stats: dict[str, Any]) -> None:
        super().__init__("; ".join(problems))
        self.stats = stats


def crawl(
    workspace: Workspace,
    settings: Settings,
    urls: list[str],
    shop: str | None = None,
    *,
    update: bool = False,
    retry_failed: str | None = None,
    child: Child | None = None,
) -> dict[str, Any]:
    """Crawl listings and product pages into ``products``, ``images``, ``boxes``, ``failures`` and ``ledger``.

    What is there is not fetched again, so a crawl that was stopped, or killed, goes on when it is called again.

    Args:
        workspace: where the tables and pictures go; made if it is not there.
        settings: its section ``crawl`` counts.
        urls: listings, sitemaps and product pages to start from, http or https; none are needed to go on with a crawl
            that was stopped, to update, or to retry.
        shop: whose page object reads the pages; None: it goes by their addresses.
        update: visit known products again: prices and stock are brought up to date, what is gone is marked.
        retry_failed: take only what failed before, of this class; ``all``: of any.
        child: the process that it is to run in, where it was started ahead of time.

    Returns:
        Counts of this run and of the tables, and the verdicts of the health checks.

    Raises:
        UserError: no such shop, an address that is not one, or nothing to do.
        CrawlFailed: a start address yielded nothing, a host blocked the crawl, or a health check failed.
    """
    rules(shop)
    if update and retry_failed:
        raise UserError("expected one of update and retry_failed, got both")
    for url in urls:
        _check_url(url)
    renderer = settings.crawl.renderer
    if renderer in ("playwright", "selenium") and find_renderer(renderer) is None:
        raise UserError(
            f"renderer {renderer} lacks a package, a Chromium or a chromedriver: run `fullshot doctor --fix`"
        )
    workspace.taxonomy()  # said here, if it is bad, and not by the crawl's own process
    new = not workspace.root.exists()
    if new and (update or retry_failed or not urls):
        raise UserError("expected the address of a listing or a product page to start from, got none")
    workspace.root.mkdir(parents=True, exist_ok=True)
    with workspace.stage("crawl", settings) as stats, State(workspace / FILE) as state:
        mode = "update" if update else f"retry:{retry_failed}" if retry_failed else "crawl"
        resumed = _begin(workspace, state, urls, shop, mode)
        before = workspace.read_if_there("products")
        stats |= {"finished": False, "resumed": resumed, "problems": []}
        stats |= _in_own_process(workspace, settings.crawl, state, child)
        stats |= _summary(workspace, settings.crawl, state, merge(workspace, state))
        stats["products_changed"] = _changed(before, workspace.read_if_there("products"))
        problems = _problems(workspace, stats, mode)
        if stats["finished"]:
            state.clear()
            if problems and new and not stats["products"]:
                # A crawl that found nothing leaves no workspace behind that was not there before.
                state.close()
                shutil.rmtree(workspace.root)
                raise CrawlFailed(problems, dict(stats))
    if problems:
        raise CrawlFailed(problems, dict(stats))
    return dict(stats)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise UserError(f"expected an address that begins with http:// or https://, got {url!r}")


def _begin(workspace: Workspace, state: State, urls: list[str], shop: str | None, mode: str) -> bool:
    """Make the state ready for a crawl.

    Args:
        workspace: holds what there is.
        state: of its crawl.
        urls: where the user starts.
        shop: what the user names their hosts as.
        mode: ``crawl``, ``update`` or ``retry:`` and a class; a crawl that was stopped is gone on with in its own mode.

    Returns:
        Whether it goes on with one that was stopped.

    Raises:
        UserError: there is nothing to do.
    """
    before = state.meta("mode")
    if mode == "crawl" and not urls:
        mode = before or mode
    if before == mode:
        state.start_at({host_of(url) for url in urls} or state.origins(), shop)
        state.add(urls, LISTING, start=True)
        return True
    if mode == "crawl" and not urls:
        raise UserError(f"nothing is left to do in {workspace.root}: expected an address to start from, or --update")
    failures = _failures_of(workspace, mode) if mode.startswith("retry:") else None
    if before is not None:
        state.note_unfinished(now())
        merge(workspace, state)
    state.clear()
    products = _take_stock(workspace, state, mode)
    if not state.origins():
        # Without its state, a workspace's own products say which hosts it was crawled from, and as whose.
        for host, parser in {host_of(url): str(parser).partition("@")[0] for url, parser in products}.items():
            state.start_at([host], parser if parser in SHOPS else None)
    state.start_at({host_of(url) for url in urls} or state.origins(), shop)
    state.add(urls, LISTING, start=True)
    if failures is not None:
        state.exclude(failures[1])
        state.add(failures[0], PAGE)
    elif mode == "update":
        origins = state.origins()
        state.add((url for url in state.pages() if host_of(url) in origins), PAGE)
    state.note("mode", mode)  # the last step: a kill before it leaves no crawl to go on with
    return False


def _failures_of(workspace: Workspace, mode: str) -> tuple[list[str], list[str]]:
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


def _take_stock(workspace: Workspace, state: State, mode: str) -> list[tuple[str, str]]:
    """Say which pictures and products are there already.

    Returns:
        Address and parser of each product.
    """

    def is_there(path: str) -> bool:
        return (workspace / path).is_file()

    if not any(workspace.table(name).is_file() for name in ("products", "images", "failures")):
        state.keep_pictures([], is_there)
        return []
    images = workspace.read_if_there("images")
    failures = workspace.read_if_there("failures")
    products = workspace.read_if_there("products")
    products = products[products["url"].notna()]
    # One that was stored and then found unreadable is fetched again.
    bad = failures[failures["class"] == "not-an-image"]["url"]
    state.keep_pictures(images.to_dict("records"), is_there, bad)
    # A product is visited again where a picture of it failed or is gone from the store, or where it was gone itself.
    lost = images["product_id"][[not is_there(path) for path in images["path"]]]
    again = products["url"].isin(failures["page"].dropna()) | products["product_id"].isin(lost)
    done = products[~again & products["gone_at"].isna()]
    pages = zip(products["url"], products["product_id"], strict=True)
    incomplete = [*failures["page"].dropna(), *products[products["product_id"].isin(lost)]["url"]]
    state.know(pages, done["product_id"] if mode == "crawl" else [], incomplete)
    return list(zip(products["url"], products["parser"], strict=True))


def _in_own_process(workspace: Workspace, settings: CrawlSettings, state: State, child: Child | None) -> dict[str, Any]:
    (workspace / "runs").mkdir(exist_ok=True)
    log = workspace / "runs" / "crawl.log"
    job = {"root": str(workspace.root.resolve()), "log": str(log.resolve())}
    result: dict[str, Any] = {}
    checkpoint = time.monotonic()
    try:
        with child or Child() as process, progress.bar("crawl", "products") as advance:
            for said in process.run({**job, "settings": settings.model_dump()}):
                if "progress" in said:
                    _show(advance, said["progress"])
                result = said.get("done", result)
                if time.monotonic() > checkpoint + CHECKPOINT_SECONDS:
                    merge(workspace, state)
                    checkpoint = time.monotonic()
    finally:
        if not result:
            merge(workspace, state)
    if not result:
        raise StageFailed(f"the crawl's process ended with code {process.returncode}: see {log}; run it again to go on")
    return result


def _show(advance: progress.Advance, said: dict[str, Any]) -> None:
    note = f"{said['pictures']} pictures, {said['pages_per_second']:.3g} pages/s"
    if said["failures"]:
        note += f", {said['failures']} failed"
    if said["slowed"]:
        note += f", waiting for {', '.join(said['slowed'][:3])}"
    advance(said["products"], max(said["total"], said["products"]), note)


def _summary(workspace: Workspace, settings: CrawlSettings, state: State, counts: dict[str, int]) -> dict[str, Any]:
    """What a crawl found, from its state: the steps before a kill included."""
    ids = {product_id for (product_id,) in state.rows("SELECT product_id FROM products")}
    products = workspace.read_if_there("products")
    gone = int(products["gone_at"].notna().sum())
    found = products[products["product_id"].isin(ids)]
    covered = health.coverage(found, workspace.read_if_there("images"))
    hosts = sorted(host for (host,) in state.rows("SELECT DISTINCT host FROM requests WHERE rank > 0"))
    before = health.last_good_coverage(workspace / "runs", hosts)
    verdicts = health.judge(health.figures(state, found), covered, len(found), settings, before)
    failures = state.rows("SELECT class, count(*) FROM failures GROUP BY 1 ORDER BY 2 DESC")
    return {
        "products_fetched": len(found),
        "pictures_fetched": sum(
            count for (count,) in state.rows("SELECT count(*) FROM requests WHERE rank = 0 AND state = 'done'")
        ),
        "products_gone": gone,
        "pages_without_product": state.count("others"),
        "failures": dict(failures),
        "unknown_types": _unknown_types(found),
        "hosts": hosts,
        "products": counts["products"],
        "images": counts["images"],
        "boxes": counts["boxes"],
        "coverage": covered,
        "health": [verdict.as_json() for verdict in sorted(verdicts, key=lambda one: one.good)],
        "healthy": all(verdict.good for verdict in verdicts),
        "unhealthy": [str(verdict) for verdict in verdicts if not verdict.good],
    }


def _changed(before: pd.DataFrame, after: pd.DataFrame) -> int:
    """How many products have another price or stock than before."""
    columns = ["product_id", "price", "mrp", "sizes", "in_stock"]
    both = pd.concat([table[columns] for table in (before, after) if len(table)] or [before[columns]])
    rows = both.drop_duplicates()["product_id"].value_counts()
    return int((rows > 1).sum())


def _unknown_types(products: pd.DataFrame) -> dict[str, int]:
    """The product types that the taxonomy does not know, and how many products are of each."""
    unknown = products[products["product_type"].notna() & products["wear"].isna()]["product_type"]
    return {str(name): int(count) for name, count in unknown.value_counts().items()}


def _problems(workspace: Workspace, stats: dict[str, Any], mode: str) -> list[str]:
    problems = [*stats["problems"], *stats.pop("unhealthy")]
    if mode.startswith("retry:") and stats["failures"]:
        failed = ", ".join(f"{name} {count}" for name, count in stats["failures"].items())
        problems.append(f"failed again: {failed} (see {workspace.table('failures')})")
    if stats["stopped"]:
        problems.insert(0, f"{stats['stopped']}; the same command goes on with the crawl")
    elif not stats["finished"]:
        log = workspace / "runs" / "crawl.log"
        problems.insert(0, f"the crawl was stopped: run the same command to go on (log: {log})")
    return problems
