"""The process that a crawl runs in: ``python -m fullshot.crawler``; see :mod:`fullshot.crawler.process`."""

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings as ScrapySettings

from fullshot import __version__
from fullshot.core import taxonomy
from fullshot.core.process import end_with_stdin
from fullshot.core.settings import CrawlSettings
from fullshot.core.workspace import Workspace
from fullshot.crawler import archive, rendering
from fullshot.crawler.addresses import is_private_host
from fullshot.crawler.archive import PageArchive
from fullshot.crawler.browser import find_renderer
from fullshot.crawler.context import CrawlContext, send_to_parent
from fullshot.crawler.frontier import RequestState
from fullshot.crawler.pages import PageOptions, rules
from fullshot.crawler.politeness import Politeness
from fullshot.crawler.spider import ShopSpider
from fullshot.crawler.state import FILE, CrawlState


def user_agent(settings: CrawlSettings) -> str:
    """The User-Agent header: the project, its version and how to reach whoever runs it."""
    contact = f" (+{settings.contact})" if settings.contact else ""
    return f"{settings.user_agent}/{__version__}{contact}"


def scrapy_settings(context: CrawlContext, log: Path) -> ScrapySettings:
    """Scrapy's settings for one crawl."""
    settings = ScrapySettings()
    settings.setmodule("fullshot.crawler.scrapy_settings")
    crawl = context.settings
    settings.update(
        {
            "FULLSHOT_CONTEXT": context,
            "FULLSHOT_HOSTS": context.allowed,
            "USER_AGENT": user_agent(crawl),
            "ROBOTSTXT_OBEY": crawl.obey_robots,
            "ROBOTSTXT_USER_AGENT": crawl.user_agent,
            "DOWNLOAD_DELAY": crawl.delay,
            "DOWNLOAD_DELAY_JITTER": 0.0,
            "CONCURRENT_REQUESTS": max(16, crawl.concurrency),
            "CONCURRENT_REQUESTS_PER_DOMAIN": crawl.concurrency,
            "AUTOTHROTTLE_ENABLED": crawl.autothrottle,
            "AUTOTHROTTLE_START_DELAY": crawl.delay,
            "AUTOTHROTTLE_TARGET_CONCURRENCY": float(crawl.concurrency),
            "DOWNLOAD_TIMEOUT": crawl.timeout,
            "DOWNLOAD_MAXSIZE": crawl.max_page_bytes,
            "SCRAPY_POET_RULES": rules(shops=context.shops),
            "LOG_FILE": str(log),
            "LOG_FILE_APPEND": True,
        }
    )
    if crawl.renderer != "http":
        settings.update(rendering.scrapy_settings(concurrency=crawl.concurrency, allow_private=context.allow_private))
    return settings


def make_context(job: dict[str, Any]) -> CrawlContext:
    """What a crawl needs, from the job that the parent process gives."""
    root = Path(job["root"])
    settings = CrawlSettings.model_validate(job["settings"])
    state = CrawlState(root / FILE, settings)
    origins = state.origins()
    # Only hosts that the user named: what a page says may add none.
    allowed = state.page_hosts() & origins.keys()
    options = PageOptions(taxonomy.load(root / "taxonomy.toml"), settings.image_size, settings.colours)
    name = f"crawl-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"
    return CrawlContext(
        root=root,
        blobs=Workspace(root).blobs,
        shops=origins,
        settings=settings,
        options=options,
        state=state,
        politeness=Politeness(settings.backoff, state.hosts(), state.renderers),
        allowed=allowed,
        allow_private=any(is_private_host(host.rpartition(":")[0]) for host in allowed),
        archive=PageArchive(root / archive.FOLDER, name) if settings.keep_pages else None,
        browser=find_renderer("auto") if settings.renderer == "auto" else None,
        found=state.products_found(),
        skipped=state.products_skipped(),
    )


def main() -> None:
    """Run the job on standard input."""
    # What is loaded by now stays; what a page leaves behind has few cycles. Worth a tenth of the processor time.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    # Read without a buffer: a thread waits for the end of the pipe, which must not be read ahead.
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(sys.stdin.fileno(), 1 << 20) or sys.exit(1)
    job = json.loads(line)
    end_with_stdin()
    context = make_context(job)
    process = AsyncCrawlerProcess(scrapy_settings(context, Path(job["log"])))
    crawler = process.create_crawler(ShopSpider)
    process.crawl(crawler)
    started = time.monotonic()
    process.start()
    stats = crawler.stats.get_stats()
    seconds = time.monotonic() - started
    in_flight = context.state.requests(RequestState.IN_FLIGHT)
    send_to_parent(
        {
            "done": {
                "finished": stats.get("finish_reason") == "finished" and not in_flight,
                "stopped": context.stopped or None,
                "requests": context.requests,
                "retries": sum(host.retries for host in context.politeness.hosts()),
                "products_already_there": context.skipped,
                "errors": stats.get("log_count/ERROR", 0),
                "seconds": round(seconds, 1),
                "pages_per_second": round(context.pages / max(seconds, 1e-3), 1),
                "problems": context.problems,
            }
        }
    )


if __name__ == "__main__":
    main()
