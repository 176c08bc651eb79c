"""The answer to a photo: as plain values, and for a terminal."""

from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fullshot.boxes import Box

_SIGNS = {"INR": "₹", "EUR": "€", "USD": "$", "GBP": "£"}


@dataclass(frozen=True)
class LookAlike:
    """A product of the shop: its facts (None: not known), and how near its nearest picture comes.

    ``path`` is of that picture, relative to the workspace; ``score`` and ``distance`` are those of
    :class:`index.catalog.Hit`.
    """

    product_id: str
    name: str | None
    brand: str | None
    price: float | None
    currency: str | None
    url: str | None
    score: float
    distance: float
    image_id: str
    path: str

    @property
    def title(self) -> str:
        """Its name; its id where the shop gives none."""
        return self.name or self.product_id

    @property
    def cost(self) -> str:
        """The price with its currency, such as ``₹1,299``; empty where it is not known."""
        if self.price is None:
            return ""
        currency = self.currency or ""
        return f"{_SIGNS[currency]}{self.price:,.0f}" if currency in _SIGNS else f"{self.price:,.2f} {currency}".strip()


@dataclass(frozen=True)
class Garment:
    """A garment in the photo, and what the shop has that looks like it, best first."""

    box: Box
    look_alikes: list[LookAlike]


@dataclass(frozen=True)
class Recommendation:
    """The answer to a photo; ``notes`` say in words what could not be answered, or not as usual."""

    photo: str
    garments: list[Garment]
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values: ``photo``, ``garments`` (``box``, ``look_alikes``) and ``notes``."""
        return asdict(self)

    def table(self) -> RenderableType:
        """The answer for a terminal."""
        parts: list[RenderableType] = []
        for garment in self.garments:
            table = Table(title=f"{garment.box.label} ({garment.box.source})", title_justify="left", expand=False)
            for column in ("score", "name", "brand", "price", "link"):
                table.add_column(column, overflow="fold", justify="right" if column in ("score", "price") else "left")
            for found in garment.look_alikes:
                price = f"{found.price:g} {found.currency or ''}".strip() if found.price is not None else ""
                # Text, not markup: a name may hold square brackets.
                cells = (
                    f"{found.score:.2f}",
                    found.name or found.product_id,
                    found.brand or "",
                    price,
                    found.url or "",
                )
                table.add_row(*map(Text, cells))
            parts.append(table)
        return Group(*parts, *(Text(f"note: {note}") for note in self.notes))
