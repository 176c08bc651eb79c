"""The stage ``crawl``: starts a crawl, or goes on with one that stopped."""

import shutil
from typing import Any

from fullshot.core import progress
from fullshot.core.dataset import Dataset
from fullshot.core.errors import StageFailed
from fullshot.core.settings import CrawlSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.crawler import changes, health
from fullshot.crawler.call import check_call
from fullshot.crawler.checkpoints import Checkpoints
from fullshot.crawler.frontier import PICTURE, RequestState
from fullshot.crawler.merge import merge
from fullshot.crawler.prepare import prepare
from fullshot.crawler.process import CrawlerProcess
from fullshot.crawler.state import FILE, CrawlState

_MANY = 20_000
"""Products whose tables take some seconds to write."""


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
    process: CrawlerProcess | None = None,
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
        process: the one to run in, where it was started ahead of time.

    Returns:
        Counts of this run and of the tables, and the verdicts of the health checks.

    Raises:
        UserError: no such shop, renderer or frontier, an address that is not one, or nothing to do.
        CrawlFailed: a start address yielded nothing, a host blocked the crawl, or a health check failed.
    """
    check_call(workspace, settings, urls, shop, update=update, retry_failed=retry_failed)
    new = not workspace.root.exists()
    workspace.root.mkdir(parents=True, exist_ok=True)
    with (
        workspace.stage("crawl", settings) as stats,
        CrawlState(workspace / FILE, settings.crawl) as state,
        workspace.open() as data,
    ):
        mode = "update" if update else f"retry:{retry_failed}" if retry_failed else "crawl"
        resumed = prepare(data, state, urls, shop, mode)
        changes.note_offers(data)
        stats |= {"finished": False, "resumed": resumed, "problems": []}
        stats |= _run_process(data, settings.crawl, state, process)
        stats |= _summary(data, settings.crawl, state, _write_tables(data, state))
        stats["products_changed"] = changes.changed(data)
        problems = _problems(workspace, stats, mode)
        if stats["finished"]:
            state.clear()
            if problems and new and not stats["products"]:
                # A crawl that found nothing leaves no workspace behind that was not there before.
                state.close()
                data.close()
                shutil.rmtree(workspace.root)
                raise CrawlFailed(problems, dict(stats))
    if problems:
        raise CrawlFailed(problems, dict(stats))
    return dict(stats)


def _run_process(
    data: Dataset, settings: CrawlSettings, state: CrawlState, started: CrawlerProcess | None
) -> dict[str, Any]:
    """Crawl in a process of its own, and keep the tables up to date beside it; how it ended."""
    workspace = data.workspace
    (workspace / "runs").mkdir(exist_ok=True)
    log = workspace / "runs" / "crawl.log"
    job = {"root": str(workspace.root.resolve()), "log": str(log.resolve())}
    result: dict[str, Any] = {}
    checkpoints = Checkpoints(workspace, settings)
    try:
        with started or CrawlerProcess() as process, progress.bar("crawl", "products") as advance:
            for message in process.run({**job, "settings": settings.model_dump()}):
                if "progress" in message:
                    _show(advance, message["progress"])
                result = message.get("done", result)
                checkpoints.begin_if_due()
    finally:
        checkpoints.end()
        if not result:
            _write_tables(data, state)
    if not result:
        raise StageFailed(f"the crawl's process ended with code {process.returncode}: see {log}; run it again to go on")
    return result


def _write_tables(data: Dataset, state: CrawlState) -> dict[str, int]:
    if state.count("products") < _MANY:
        return merge(data, state)
    with progress.bar("write the tables", "tables") as advance:
        return merge(data, state, advance)


def _show(advance: progress.Advance, counts: dict[str, Any]) -> None:
    note = f"{counts['pictures']} pictures, {counts['pages_per_second']:.3g} pages/s"
    if counts["failures"]:
        note += f", {counts['failures']} failed"
    if counts["slowed"]:
        note += f", waiting for {', '.join(counts['slowed'][:3])}"
    advance(counts["products"], max(counts["total"], counts["products"]), note)


def _summary(data: Dataset, settings: CrawlSettings, state: CrawlState, counts: dict[str, int]) -> dict[str, Any]:
    """What a crawl found, from its state: the steps before a kill included."""
    ((gone,),) = data.rows("SELECT count(gone_at) FROM merged_products")
    data.create("crawled", "SELECT * FROM merged_products WHERE product_id IN (SELECT key FROM found_lines)")
    covered, found = health.coverage(data)
    hosts = sorted(state.page_hosts())
    before = health.last_good_coverage(data.workspace / "runs", hosts)
    verdicts = health.evaluate(health.figures(state, data), covered, found, settings, before)
    failures = state.rows("SELECT class, count(*) FROM failures GROUP BY 1 ORDER BY 2 DESC")
    return {
        "products_fetched": found,
        "pictures_fetched": state.requests(RequestState.DONE, PICTURE),
        "products_gone": gone,
        "pages_without_product": state.count("others"),
        "failures": dict(failures),
        "unknown_types": _unknown_types(data),
        "hosts": hosts,
        "products": counts["products"],
        "images": counts["images"],
        "boxes": counts["boxes"],
        "coverage": covered,
        "health": [verdict.as_json() for verdict in sorted(verdicts, key=lambda one: one.good)],
        "healthy": all(verdict.good for verdict in verdicts),
        "unhealthy": [str(verdict) for verdict in verdicts if not verdict.good],
    }


def _unknown_types(data: Dataset) -> dict[str, int]:
    """The product types that the taxonomy does not know, and how many products are of each."""
    return dict(
        data.rows(
            "SELECT product_type, count(*) FROM crawled WHERE product_type IS NOT NULL AND wear IS NULL "
            "GROUP BY 1 ORDER BY 2 DESC, min(product_id)"
        )
    )


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
