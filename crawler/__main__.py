"""The process that a crawl runs in: ``python -m crawler``, its job on standard input."""

import json
import os
import sys
from pathlib import Path

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings as ScrapySettings

from crawler.job import Job, say
from crawler.journal import Journal
from crawler.spider import ShopSpider
from fullshot import __version__, taxonomy
from fullshot.process import end_with_stdin
from fullshot.settings import CrawlSettings


def user_agent(settings: CrawlSettings) -> str:
    """The User-Agent header: the project, its version and how to reach whoever runs it."""
    contact = f" (+{settings.contact})" if settings.contact else ""
    return f"{settings.user_agent}/{__version__}{contact}"


def scrapy_settings(job: Job, log: Path) -> ScrapySettings:
    """Scrapy's settings for one crawl."""
    settings = ScrapySettings()
    settings.setmodule("crawler.scrapy_settings")
    wanted = job.settings
    settings.update(
        {
            "FULLSHOT_JOB": job,
            "USER_AGENT": user_agent(wanted),
            "ROBOTSTXT_OBEY": wanted.obey_robots,
            "ROBOTSTXT_USER_AGENT": wanted.user_agent,
            "DOWNLOAD_DELAY": wanted.delay,
            "RANDOMIZE_DOWNLOAD_DELAY": False,
            "CONCURRENT_REQUESTS": max(16, wanted.concurrency),
            "CONCURRENT_REQUESTS_PER_DOMAIN": wanted.concurrency,
            "AUTOTHROTTLE_ENABLED": wanted.autothrottle,
            "AUTOTHROTTLE_START_DELAY": wanted.delay,
            "AUTOTHROTTLE_TARGET_CONCURRENCY": float(wanted.concurrency),
            "DOWNLOAD_TIMEOUT": wanted.timeout,
            "LOG_FILE": str(log),
            "LOG_FILE_APPEND": True,
        }
    )
    return settings


def main() -> None:
    """Run the job on standard input."""
    # Unbuffered: what follows the job's line on the pipe is the thread's to wait for.
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(sys.stdin.fileno(), 1 << 20) or sys.exit(1)
    given = json.loads(line)
    end_with_stdin()
    root = Path(given["root"])
    job = Job(
        root=root,
        shop=given["shop"],
        urls=given["urls"],
        settings=CrawlSettings.model_validate(given["settings"]),
        taxonomy=taxonomy.load(root / "taxonomy.toml"),
        journal=Journal(Path(given["journal"])),
        pictures=set(given["pictures"]),
        products=set(given["products"]),
    )
    process = AsyncCrawlerProcess(scrapy_settings(job, Path(given["log"])))
    crawler = process.create_crawler(ShopSpider)
    process.crawl(crawler)
    process.start()
    stats = crawler.stats.get_stats()
    say(
        {
            "done": {
                "finished": stats.get("finish_reason") == "finished",
                "requests": stats.get("downloader/request_count", 0),
                "retries": stats.get("retry/count", 0),
                "products_fetched": stats.get("fullshot/products", 0),
                "products_already_there": stats.get("fullshot/skipped", 0),
                "pictures_fetched": stats.get("fullshot/pictures", 0),
                "failures": stats.get("fullshot/failures", 0),
                "errors": stats.get("log_count/ERROR", 0),
                "problems": job.problems,
            }
        }
    )


if __name__ == "__main__":
    main()
