"""The stage ``crawl``: starts a crawl, or goes on with one that stopped."""

import contextlib
import json
import shutil
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

from crawler import journal as journals
from crawler.journal import Journal
from crawler.pages import page_of
from fullshot import progress
from fullshot.errors import StageFailed, UserError
from fullshot.settings import Settings
from fullshot.workspace import Workspace


def crawl(workspace: Workspace, settings: Settings, urls: list[str], shop: str = "myntra") -> dict[str, Any]:
    """Crawl listings and product pages into ``products``, ``images``, ``boxes`` and ``failures``.

    What is there is not fetched again, so a crawl that was stopped, or killed, goes on when it is called again.

    Args:
        workspace: where the tables and pictures go; made if it is not there.
        settings: its section ``crawl`` counts.
        urls: listings and product pages to start from, http or https.
        shop: whose page object reads them.

    Returns:
        Counts of this run and of the tables.

    Raises:
        UserError: no such shop, or an address that is not one.
        StageFailed: a start address did not answer, or holds nothing of this shop. What the others yielded is kept.
    """
    page_of(shop)
    for url in urls:
        _check_url(url)
    if not urls:
        raise UserError("expected the address of a listing or a product page to start from, got none")
    workspace.taxonomy()  # said here, if it is bad, and not by the crawl's own process
    new = not workspace.root.exists()
    workspace.root.mkdir(parents=True, exist_ok=True)
    with workspace.stage("crawl", settings) as stats:
        journal = Journal(workspace / "crawl.journal")
        journals.merge(workspace, journal)
        try:
            stats |= _in_own_process(workspace, settings, urls, shop, journal)
        finally:
            counts = journals.merge(workspace, journal)
        stats |= {name: counts[name] for name in ("products", "images", "boxes")}
        if stats["problems"] and new and not counts["products"]:
            # A crawl that found nothing leaves no workspace behind that was not there before.
            shutil.rmtree(workspace.root)
            raise StageFailed("; ".join(stats["problems"]))
    if stats["problems"]:
        raise StageFailed("; ".join(stats["problems"]))
    if not stats["finished"]:
        raise StageFailed(f"the crawl was stopped: run the same command to go on (log: {_log(workspace)})")
    return dict(stats)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise UserError(f"expected an address that begins with http:// or https://, got {url!r}")


def _log(workspace: Workspace) -> str:
    return str(workspace / "runs" / "crawl.log")


def _in_own_process(
    workspace: Workspace, settings: Settings, urls: list[str], shop: str, journal: Journal
) -> dict[str, Any]:
    (workspace / "runs").mkdir(exist_ok=True)
    images = workspace.read_if_there("images")
    there = [(workspace / path).is_file() for path in images["path"]]
    products = workspace.read_if_there("products")
    failures = workspace.read_if_there("failures")
    # A product is visited again where a picture of it failed, or is gone from the store.
    incomplete = products["url"].isin(failures["page"].dropna())
    incomplete |= products["product_id"].isin(images["product_id"][[not here for here in there]])
    # One that was stored and then found unreadable is fetched again.
    stored = set(images["url"][there].dropna()) - set(failures["url"])
    pictures = (line for line in journal.lines() if line["kind"] == "picture")
    stored |= {line["url"] for line in pictures if (workspace / line["path"]).is_file()}
    job = {
        "root": str(workspace.root.resolve()),
        "journal": str(journal.path.resolve()),
        "log": str((workspace / "runs").resolve() / "crawl.log"),
        "shop": shop,
        "urls": urls,
        "settings": settings.crawl.model_dump(),
        "pictures": sorted(stored),
        "products": sorted(products["url"][~incomplete].dropna()),
    }
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "crawler"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    result: dict[str, Any] = {}
    try:
        if child.stdin is None or child.stdout is None:
            raise StageFailed("the crawl's process has no pipes")
        child.stdin.write(json.dumps(job).encode() + b"\n")
        child.stdin.flush()
        with progress.bar("crawl", "products") as advance:
            for line in child.stdout:
                with contextlib.suppress(ValueError):
                    said = json.loads(line)
                    if "progress" in said:
                        advance(*said["progress"])
                    result = said.get("done", result)
        child.wait()
    except BrokenPipeError:
        child.wait()
    finally:
        # Whatever it has found is in the journal: it need not be asked to end.
        child.kill()
        child.wait()
    if not result:
        raise StageFailed(f"the crawl's process ended with code {child.returncode}: see {_log(workspace)}")
    return result
