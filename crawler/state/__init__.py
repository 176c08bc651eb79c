"""What a workspace's crawl has done and has yet to do, in ``crawl.db``."""

from fullshot.crawler.database import FILE
from fullshot.crawler.state.crawl_state import CrawlState
from fullshot.crawler.state.history import PICTURE_COLUMNS, Validators

__all__ = ["FILE", "PICTURE_COLUMNS", "CrawlState", "Validators"]
