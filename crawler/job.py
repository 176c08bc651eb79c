"""One crawl: what to fetch, what is there already, and how far it is.

The crawl runs in a process of its own (Scrapy's reactor starts once a process): it reads its job from standard input, a
line of JSON, and says its progress and its end on standard output, a line of JSON each.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scrapy.crawler import Crawler

from crawler.journal import Journal
from crawler.pages import page_of
from crawler.pages._base import ShopPage
from fullshot.settings import CrawlSettings
from fullshot.taxonomy import Taxonomy


@dataclass
class Job:
    """What the spider and the pipelines share.

    Attributes:
        pictures: addresses of pictures that are in the store.
        products: addresses of products that are done.
        totals: how many products each listing says it has.
        problems: why a start address yielded nothing, a line each.
    """

    root: Path
    shop: str
    urls: list[str]
    settings: CrawlSettings
    taxonomy: Taxonomy
    journal: Journal
    pictures: set[str] = field(default_factory=set)
    products: set[str] = field(default_factory=set)
    totals: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def page(self) -> type[ShopPage]:
        """The shop's page object."""
        return page_of(self.shop)

    def say_progress(self, crawler: Crawler) -> None:
        """Tell the parent process how many products are done."""
        done = int(crawler.stats.get_value("fullshot/products", 0))
        skipped = int(crawler.stats.get_value("fullshot/skipped", 0))
        total = sum(self.totals.values())
        if self.settings.max_products:
            total = min(total, self.settings.max_products)
        say({"progress": [done + skipped, max(total, done + skipped)]})


def say(line: dict[str, Any]) -> None:
    """A line to the parent process."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
