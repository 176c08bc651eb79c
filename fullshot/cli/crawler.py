"""``fullshot crawl`` and ``fullshot parse``: pages in."""

import json
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from fullshot.cli.console import command, print_stats
from fullshot.cli.options import JsonFlag, NamingCommand, WorkspaceArgument
from fullshot.core.errors import StageFailed, UserError


class PagesCommand(NamingCommand):
    """Its help names the shops and the renderers."""

    registries: ClassVar = {"{shops}": "fullshot.crawler:SHOPS", "{renderers}": "fullshot.crawler:RENDERERS"}


class CrawlCommand(PagesCommand):
    """``--retry-failed`` takes a class of failures, or none: then it means any class."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As click does it."""
        for place, word in enumerate(args):
            following = args[place + 1] if place + 1 < len(args) else "-"
            if word == "--retry-failed" and (following.startswith("-") or "://" in following):
                args = [*args[: place + 1], "all", *args[place + 1 :]]
        return super().parse_args(ctx, args)


@command
def crawl(
    workspace: WorkspaceArgument,
    urls: Annotated[
        list[str] | None,
        typer.Argument(metavar="URL…", help="listings, sitemaps and product pages to start from; none: go on"),
    ] = None,
    shop: Annotated[
        str | None, typer.Option(help="whose page object reads the pages: {shops}; by address if not given")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="visit known products again: prices, stock, what is not sold any more")
    ] = False,
    retry_failed: Annotated[
        str | None,
        typer.Option("--retry-failed", metavar="[CLASS]", help="take only what failed before, of this class or any"),
    ] = None,
    from_pages: Annotated[
        bool, typer.Option("--from-pages", help="parse the kept pages again, without the network")
    ] = False,
    keep_pages: Annotated[bool | None, typer.Option(help="keep every page, compressed, for --from-pages")] = None,
    renderer: Annotated[str | None, typer.Option(help="auto (a browser by need), http, {renderers}")] = None,
    max_products: Annotated[int | None, typer.Option(help="stop after so many; 0: all")] = None,
    colours: Annotated[bool | None, typer.Option(help="visit a product's other colours too")] = None,
    image_size: Annotated[int | None, typer.Option(help="height of pictures to ask for; 0: as kept")] = None,
    delay: Annotated[float | None, typer.Option(help="seconds between two requests to one host")] = None,
    concurrency: Annotated[int | None, typer.Option(help="requests under way to one host at once")] = None,
    autothrottle: Annotated[bool | None, typer.Option(help="slow down when the host slows down")] = None,
    obey_robots: Annotated[bool | None, typer.Option(help="do as robots.txt says")] = None,
    timeout: Annotated[float | None, typer.Option(help="seconds until a request is given up")] = None,
    user_agent: Annotated[str | None, typer.Option(help="product token of the User-Agent header")] = None,
    contact: Annotated[str | None, typer.Option(help="an address that the shop can reach you by")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Crawl a shop into products, images and boxes; or go on with a crawl that stopped."""
    from fullshot import crawler
    from fullshot.core.workspace import Workspace

    # Who stops a service sends this; it ends as by Ctrl-C, with the tables written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = {
        "keep_pages": keep_pages,
        "renderer": renderer,
        "max_products": max_products,
        "colours": colours,
        "image_size": image_size,
        "delay": delay,
        "concurrency": concurrency,
        "autothrottle": autothrottle,
        "obey_robots": obey_robots,
        "timeout": timeout,
        "user_agent": user_agent,
        "contact": contact,
    }
    if from_pages and (update or retry_failed or urls):
        raise UserError(
            "--from-pages asks the network for nothing: expected no address, no --update, no --retry-failed"
        )
    if update and retry_failed:
        raise UserError("expected one of --update and --retry-failed, got both")
    place = Workspace(workspace)
    settings = place.settings(crawl=given)
    how: dict[str, Any] = {"update": update, "retry_failed": retry_failed}
    if from_pages:
        crawler.check_archived(place, shop)
    else:
        crawler.check_call(place, settings, urls or [], shop, **how)
    # The crawl's process loads Scrapy while this one loads what the tables need.
    with nullcontext() if from_pages else crawler.CrawlerProcess() as process:
        try:
            if from_pages:
                stats = crawler.parse_archived(place, settings, shop)
            else:
                stats = crawler.crawl(place, settings, urls or [], shop, **how, process=process)
        except crawler.CrawlFailed as failed:
            if as_json or failed.stats["products"]:
                print_stats(failed.stats, as_json)
            raise
        print_stats(stats, as_json)


@command
def parse(
    url: Annotated[str, typer.Argument(metavar="URL", help="the page's address; links are resolved against it")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="the saved page; standard input if not given")
    ] = None,
    shop: Annotated[
        str | None, typer.Option(help="whose page object reads the page: {shops}; by address if not given")
    ] = None,
    image_size: Annotated[int, typer.Option(help="height of pictures to ask for; 0: as kept")] = 0,
) -> None:
    """Print what a saved page yields, as JSON."""
    from fullshot import crawler

    if file is not None and not file.is_file():
        raise UserError(f"expected a saved page, got no such file: {file}")
    if shop is not None:
        crawler.SHOPS.check(shop)
    body = file.read_bytes() if file else sys.stdin.buffer.read()
    found = crawler.parse(url, body, crawler.PageOptions(image_size=image_size), shop).as_json()
    print(json.dumps(found, ensure_ascii=False, indent=1))
    if found["kind"] == "none":
        raise StageFailed(f"{file or url}: {found['reason']}")
