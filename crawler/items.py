"""What a page yields: a product with its pictures and boxes, a listing, or nothing."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class PictureLink:
    """A picture that a product page shows."""

    url: str
    position: int
    view: str


@dataclass(frozen=True)
class ShopBox:
    """A box that the shop itself draws round a garment.

    ``x, y, width, height`` are percent of the picture at ``url``, from its top left corner.
    """

    url: str
    label: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ProductFound:
    """A product page: a row of ``products`` (``fetched_at`` still open), pictures, boxes."""

    product: dict[str, Any]
    images: list[PictureLink] = field(default_factory=list)
    boxes: list[ShopBox] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As ``fullshot parse`` prints it."""
        return {"kind": "product", **asdict(self)}


@dataclass(frozen=True)
class ListingFound:
    """A listing page: the product pages it links to, the next page, and how many products there are in all."""

    urls: list[str]
    next: str | None
    total: int

    def as_json(self) -> dict[str, Any]:
        """As ``fullshot parse`` prints it."""
        return {"kind": "listing", **asdict(self)}


@dataclass(frozen=True)
class NothingFound:
    """A page without product or listing, and why it is taken for one."""

    reason: str

    def as_json(self) -> dict[str, Any]:
        """As ``fullshot parse`` prints it."""
        return {"kind": "none", "reason": self.reason}


Found = ProductFound | ListingFound | NothingFound
