"""A crawl of given requests in a process of its own: ``python crawl.py``, its job as a line of JSON on standard input.

It prints a line of JSON for each request, in the order in which they end, and a last one with Scrapy's counts.
"""

import json
import os
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

from fullshot.crawler.rendering import HANDLER, scrapy_settings

SETTINGS: dict[str, Any] = {
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "RETRY_ENABLED": False,
    "DOWNLOAD_HANDLERS": {"http": HANDLER, "https": HANDLER},
    "USER_AGENT": "fullshot-test/1.0",
    "LOG_LEVEL": "WARNING",
}


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Requests(scrapy.Spider):
    name = "requests"
    requests: list[dict[str, Any]]

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for number, meta in enumerate(self.requests):
            url = meta.pop("url")
            meta |= {"number": number, "handle_httpstatus_all": True}
            yield scrapy.Request(url, self.parse, errback=self.failed, meta=meta, dont_filter=True)

    def parse(self, response: Response) -> None:
        say(
            {
                "number": response.meta["number"],
                "url": response.url,
                "status": response.status,
                "flags": response.flags,
                "body": response.text,
                "retry_after": (response.headers.get("Retry-After") or b"").decode(),
                "meta": sorted(response.meta),
                "modules": sorted({"playwright", "selenium"} & set(sys.modules)),
            }
        )

    def failed(self, failure: Any) -> None:
        kind = type(failure.value)
        say(
            {
                "number": failure.request.meta["number"],
                "error": f"{kind.__module__}.{kind.__qualname__}",
                "message": str(failure.value),
                "meta": sorted(failure.request.meta),
            }
        )


def main() -> None:
    job = json.loads(sys.stdin.readline())

    def end_with_stdin() -> None:
        sys.stdin.read()
        os._exit(1)

    threading.Thread(target=end_with_stdin, daemon=True).start()
    settings = {**SETTINGS, **scrapy_settings(concurrency=job["concurrency"], allow_private=True), **job["settings"]}
    flags = job["flags"]
    settings["FULLSHOT_HOSTS"] = set(job["hosts"])
    settings["FULLSHOT_BROWSER_FLAGS"] += flags
    settings["PLAYWRIGHT_LAUNCH_OPTIONS"]["args"] += flags
    settings["CONCURRENT_REQUESTS_PER_DOMAIN"] = job["concurrency"] + job["plain_concurrency"]
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(Requests)
    process.crawl(crawler, requests=job["requests"])
    process.start()
    counts = crawler.stats.get_stats()
    say({"stats": {name: value for name, value in counts.items() if isinstance(value, int)}})


if __name__ == "__main__":
    main()
