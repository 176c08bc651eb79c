"""A found product's way to the disk: its pictures into the store, then its line into the journal."""

from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.pipelines.media import MediaPipeline
from twisted.python.failure import Failure

from crawler.failures import classify
from crawler.items import ProductFound
from crawler.job import Job
from fullshot import storage, workspace
from fullshot.storage import NotAnImage


class Pictures(MediaPipeline):
    """Fetches the pictures of a product, each once, and stores them by content address."""

    LOG_FAILED_RESULTS = False

    def __init__(self, *, crawler: Crawler) -> None:
        super().__init__(crawler=crawler)
        self.job: Job = crawler.settings["FULLSHOT_JOB"]

    def get_media_requests(self, item: ProductFound, info: MediaPipeline.SpiderInfo) -> list[Request]:
        """A request a picture."""
        return [Request(link.url, meta={"page": item.product["url"]}) for link in item.images]

    def file_path(self, request: Request, response: Any = None, info: Any = None, *, item: Any = None) -> str:
        """What a request's picture is called here: its address. The store names it by its bytes."""
        return request.url

    def media_to_download(self, request: Request, info: MediaPipeline.SpiderInfo, *, item: Any = None) -> Any:
        """A picture whose row and bytes are there is not fetched again."""
        return self.file_path(request) if request.url in self.job.pictures else None

    def media_downloaded(
        self, response: Response, request: Request, info: MediaPipeline.SpiderInfo, *, item: Any = None
    ) -> Any:
        """Store the picture.

        Raises:
            ValueError: the host answered with an error, or with something that is no picture.
        """
        if response.status != 200:
            raise _BadAnswer(response.status)
        stored = storage.put(self.job.root, response.body)
        self.job.journal.picture(request.url, stored, workspace.now())
        self.job.pictures.add(request.url)
        self.crawler.stats.inc_value("fullshot/pictures")
        return self.file_path(request)

    def media_failed(self, failure: Failure, request: Request, info: MediaPipeline.SpiderInfo) -> Any:
        """Write down why a picture is missing; its product goes on without it."""
        why = _picture_failure(failure)
        self.job.journal.failure(request.url, "picture", why, workspace.now(), request.meta["page"])
        self.crawler.stats.inc_value("fullshot/failures")
        failure.raiseException()


class _BadAnswer(ValueError):
    def __init__(self, status: int) -> None:
        super().__init__(f"answered {status}")
        self.status = status


def _picture_failure(failure: Failure) -> tuple[str, str]:
    if isinstance(failure.value, _BadAnswer):
        return f"http-{failure.value.status}", str(failure.value)
    if isinstance(failure.value, NotAnImage):
        return "not-an-image", str(failure.value)
    return classify(failure)


class Journalled:
    """Writes a product down once its pictures are in the store."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.job: Job = crawler.settings["FULLSHOT_JOB"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Journalled":
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: ProductFound) -> ProductFound:
        """The product is done when this line is on the disk."""
        self.job.journal.product(item)
        self.crawler.stats.inc_value("fullshot/products")
        self.job.say_progress(self.crawler)
        return item
