"""The process that a crawl runs in: ``python -m fullshot.crawler``, its job on standard input."""

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
from fullshot.crawler.archive import Archive
from fullshot.crawler.browser import find_renderer
from fullshot.crawler.context import Job, say
from fullshot.crawler.frontier.state import FILE, State
from fullshot.crawler.pages import PageOptions, rules
from fullshot.crawler.politeness import Hosts
from fullshot.crawler.spider import ShopSpider


def user_agent(settings: CrawlSettings) -> str:
    """The User-Agent header: the project, its version and how to reach whoever runs it."""
    contact = f" (+{settings.contact})" if settings.contact else ""
    return f"{settings.user_agent}/{__version__}{contact}"


def scrapy_settings(job: Job, log: Path) -> ScrapySettings:
    """Scrapy's settings for one crawl."""
    settings = ScrapySettings()
    settings.setmodule("fullshot.crawler.scrapy_settings")
    wanted = job.settings
    settings.update(
        {
            "FULLSHOT_JOB": job,
            "FULLSHOT_HOSTS": job.allowed,
            "USER_AGENT": user_agent(wanted),
            "ROBOTSTXT_OBEY": wanted.obey_robots,
            "ROBOTSTXT_USER_AGENT": wanted.user_agent,
            "DOWNLOAD_DELAY": wanted.delay,
            "DOWNLOAD_DELAY_JITTER": 0.0,
            "CONCURRENT_REQUESTS": max(16, wanted.concurrency),
            "CONCURRENT_REQUESTS_PER_DOMAIN": wanted.concurrency,
            "AUTOTHROTTLE_ENABLED": wanted.autothrottle,
            "AUTOTHROTTLE_START_DELAY": wanted.delay,
            "AUTOTHROTTLE_TARGET_CONCURRENCY": float(wanted.concurrency),
            "DOWNLOAD_TIMEOUT": wanted.timeout,
            "DOWNLOAD_MAXSIZE": wanted.max_page_bytes,
            "SCRAPY_POET_RULES": rules(shops=job.shops),
            "LOG_FILE": str(log),
            "LOG_FILE_APPEND": True,
        }
    )
    if wanted.renderer != "http":
        settings.update(rendering.scrapy_settings(concurrency=wanted.concurrency, allow_private=job.allow_private))
    return settings


def make_job(given: dict[str, Any]) -> Job:
    """The job that the parent process gives."""
    root = Path(given["root"])
    settings = CrawlSettings.model_validate(given["settings"])
    state = State(root / FILE)
    origins = state.origins()
    # Only hosts that the user named: what a page says may add none.
    allowed = {host for (host,) in state.rows("SELECT DISTINCT host FROM requests WHERE rank > 0")} & origins.keys()
    options = PageOptions(taxonomy.load(root / "taxonomy.toml"), settings.image_size, settings.colours)
    name = f"crawl-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"
    return Job(
        root=root,
        blobs=Workspace(root).blobs,
        shops=origins,
        settings=settings,
        options=options,
        state=state,
        hosts=Hosts(settings.backoff, state.hosts(), state.renderers),
        allowed=allowed,
        allow_private=any(is_private_host(host.rpartition(":")[0]) for host in allowed),
        archive=Archive(root / archive.FOLDER, name) if settings.keep_pages else None,
        browser=find_renderer("auto") if settings.renderer == "auto" else None,
        found=state.found(),
        skipped=state.skipped(),
    )


def main() -> None:
    """Run the job on standard input."""
    # What is loaded by now stays; what a page leaves behind has few cycles. Worth a tenth of the processor time.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    # Unbuffered: what follows the job's line on the pipe is the thread's to wait for.
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(sys.stdin.fileno(), 1 << 20) or sys.exit(1)
    given = json.loads(line)
    end_with_stdin()
    job = make_job(given)
    process = AsyncCrawlerProcess(scrapy_settings(job, Path(given["log"])))
    crawler = process.create_crawler(ShopSpider)
    process.crawl(crawler)
    started = time.monotonic()
    process.start()
    stats = crawler.stats.get_stats()
    seconds = time.monotonic() - started
    say(
        {
            "done": {
                "finished": stats.get("finish_reason") == "finished" and not job.state.under_way(),
                "stopped": job.stopped or None,
                "requests": job.asked,
                "retries": sum(host.retries for host in job.hosts.all()),
                "products_already_there": job.skipped,
                "errors": stats.get("log_count/ERROR", 0),
                "seconds": round(seconds, 1),
                "pages_per_second": round(job.pages / max(seconds, 1e-3), 1),
                "problems": job.problems,
            }
        }
    )


if __name__ == "__main__":
    main()
