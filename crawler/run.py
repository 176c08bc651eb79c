"""The stage ``crawl``: starts a crawl, or goes on with one that stopped."""

import json
import os
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
    new = not workspace.root.exists()
    workspace.root.mkdir(parents=True, exist_ok=True)
    try:
        with workspace.stage("crawl", settings) as stats:
            journal = Journal(workspace / "crawl.journal")
            journals.merge(workspace, journal)
            try:
                stats |= _in_own_process(workspace, settings, urls, shop, journal)
            finally:
                counts = journals.merge(workspace, journal)
            stats |= {name: counts[name] for name in ("products", "images", "boxes")}
            if stats["problems"] and not stats["products_fetched"] + stats["products_already_there"]:
                raise StageFailed("; ".join(stats["problems"]))
    except StageFailed:
        if new:
            _remove_if_empty(workspace)
        raise
    if stats["problems"]:
        raise StageFailed("; ".join(stats["problems"]))
    if not stats["finished"]:
        raise StageFailed(f"the crawl was stopped: run the same command to go on (log: {_log(workspace)})")
    return dict(stats)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
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
    # A product is visited again where a picture of it failed, or is gone from the store.
    incomplete = products["url"].isin(workspace.read_if_there("failures")["page"].dropna())
    incomplete |= products["product_id"].isin(images["product_id"][[not here for here in there]])
    stored = set(images["url"][there].dropna())
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
        [sys.executable, "-m", "crawler"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    result: dict[str, Any] = {}
    try:
        if child.stdin is None or child.stdout is None:
            raise StageFailed("the crawl's process has no pipes")
        child.stdin.write(json.dumps(job).encode() + b"\n")
        child.stdin.flush()
        with progress.bar("crawl", "products") as advance:
            for line in child.stdout:
                said = json.loads(line)
                if "progress" in said:
                    advance(*said["progress"])
                result = said.get("done", result)
        child.wait()
    except KeyboardInterrupt:
        # The child was interrupted too; it closes its connections and writes what it has.
        child.wait(timeout=30)
        raise
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if not result:
        raise StageFailed(f"the crawl's process ended with code {child.returncode}: see {_log(workspace)}")
    return result


def _remove_if_empty(workspace: Workspace) -> None:
    """A crawl that found nothing leaves no workspace behind that was not there before."""
    if any(workspace.table(name).is_file() for name in ("products", "images", "boxes")):
        return
    for path in sorted(workspace.root.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    workspace.root.rmdir()
