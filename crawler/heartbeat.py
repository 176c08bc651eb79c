"""Once a second, a crawl reports its progress to the parent process and saves what it counts of each host."""

from time import monotonic

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.utils.asyncio import create_looping_call

from fullshot.crawler.context import CrawlContext, send_to_parent

SECONDS = 1.0


class Heartbeat:
    """The extension that Scrapy makes of it."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._context: CrawlContext = crawler.settings["FULLSHOT_CONTEXT"]
        self._loop = create_looping_call(self.beat)
        self._last = (monotonic(), 0)
        crawler.signals.connect(self._opened, signal=signals.spider_opened)
        crawler.signals.connect(self._closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Heartbeat":
        """As Scrapy makes it."""
        return cls(crawler)

    def _opened(self) -> None:
        self._loop.start(SECONDS, now=False)

    def _closed(self) -> None:
        self._loop.stop()
        self.beat()

    def beat(self) -> None:
        """Report progress, and save the counts of each host."""
        context = self._context
        slots = self._crawler.engine.downloader.slots
        for host in context.politeness.hosts():
            if slot := slots.get(host.name):
                host.delay = round(max(slot.delay, host.crawl_delay), 3)
        context.state.save_hosts(context.politeness.hosts())
        then, pages = self._last
        self._last = (monotonic(), context.pages)
        rate = (context.pages - pages) / max(self._last[0] - then, 1e-3)
        send_to_parent(
            {
                "progress": {
                    "products": context.found + context.skipped,
                    "total": context.total,
                    "pictures": context.pictures,
                    "pages_per_second": round(rate, 1),
                    "failures": context.state.count("failures"),
                    "slowed": context.politeness.slowed(),
                }
            }
        )
