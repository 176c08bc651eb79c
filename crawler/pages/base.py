"""What every shop's page object has in common."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from url_matcher import Patterns
from web_poet import HttpResponse, WebPage

from fullshot.core.taxonomy import Taxonomy, built_in
from fullshot.crawler.items import Found


@dataclass(frozen=True)
class PageOptions:
    """What the user asked of the pages.

    Attributes:
        taxonomy: product type → wear, the shop's word → gender.
        image_size: height in pixels asked of the image host; 0: the picture as it is kept there.
        colours: whether a product's other colours are to be visited too.
    """

    taxonomy: Taxonomy = field(default_factory=built_in)
    image_size: int = 0
    colours: bool = False


class ShopPage(WebPage[Any]):
    """A page of a shop; a module in this folder derives one for each shop, and names the addresses it reads.

    Args:
        response: the page.
        options: what the user asked.

    Attributes:
        patterns: the addresses that it reads; the more particular pattern wins.
        parser: name and version of what reads the page, such as ``myntra@1``; raised when it reads otherwise.
        data_script: JavaScript, a function's body, for a browser that renders the page: returns whether the data is
            there, and has then left it in the page's mark-up, where :meth:`find` looks for it.
        always_has_data: whether every page of the shop has data, so that one without it means that the crawl is taken
            for a bot; else it may just be a page about something else.
    """

    patterns: ClassVar[Patterns]
    parser: ClassVar[str]
    data_script: ClassVar[str]
    always_has_data: ClassVar[bool] = False

    def __init__(self, response: HttpResponse, options: PageOptions) -> None:
        super().__init__(response)
        self.options = options

    async def to_item(self) -> Found:
        """See :meth:`find`."""
        return self.find()

    @abstractmethod
    def find(self) -> Found:
        """The product, the listing, or why there is neither.

        Raises:
            web_poet.exceptions.UseFallback: the page lacks the data that every page of the shop has: it is built by
                script, or the shop shows something else to a visitor that it takes for a bot.
        """
