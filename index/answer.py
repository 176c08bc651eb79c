"""The answer to a photo: as plain values, for a terminal, and the files that it can be drawn into."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullshot.core.errors import UserError

if TYPE_CHECKING:
    from rich.console import JustifyMethod, RenderableType

    from fullshot.core.boxes import Box

FORMATS = (".png", ".jpg", ".jpeg", ".webp", ".pdf", ".svg")
"""What an answer can be drawn into."""

_SIGNS = {"INR": "₹", "EUR": "€", "USD": "$", "GBP": "£"}


@dataclass(frozen=True)
class LookAlike:
    """A product of the shop: its facts (None: not known), and how near its nearest picture comes.

    ``path`` is of that picture, relative to the workspace; ``score`` and ``distance`` are those of
    :class:`fullshot.index.catalog.Hit`.
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

    box: "Box"
    look_alikes: list[LookAlike]


@dataclass(frozen=True)
class Recommendation:
    """The answer to a photo.

    Attributes:
        photo: its path.
        garments: in it.
        notes: say in words what could not be answered, or not as usual.
        detector: the run whose weights found the boxes, ``starter``, or empty: there was none.
    """

    photo: str
    garments: list[Garment]
    notes: list[str] = field(default_factory=list)
    detector: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values: ``photo``, ``garments`` (``box``, ``look_alikes``), ``notes`` and ``detector``."""
        return asdict(self)

    def table(self) -> "RenderableType":
        """The answer for a terminal: a table a garment that has look-alikes, then the notes."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        parts: list[RenderableType] = []
        for garment in self.garments:
            if not garment.look_alikes:
                continue
            table = Table.grid(padding=(0, 2))
            justify: JustifyMethod
            for justify in ("right", "right", "left"):
                # Not broken over lines: a link is there to be clicked or copied.
                table.add_column(justify=justify, no_wrap=True)
            for product in garment.look_alikes:
                shows_brand = not product.brand or product.brand in product.title
                # Text, not markup: a name may hold square brackets.
                name = Text(product.title if shows_brand else f"{product.brand}: {product.title}")
                name.append(f"\n{product.url or ''}", "dim")
                table.add_row(Text(f"{product.score:.2f}"), Text(product.cost), name)
            parts.append(Text(f"{garment.box.label} ({garment.box.source})", "bold"))
            parts.append(table)
        return Group(*parts, *(Text(f"note: {note}") for note in self.notes))


def format_of(output: Path) -> str:
    """The format that a file's name asks for.

    Raises:
        UserError: it is a folder, or a format that cannot be written.
    """
    if output.is_dir():
        raise UserError(f"expected a file for the picture of the answer, got a folder: {output}")
    if output.suffix.lower() not in FORMATS:
        raise UserError(f"expected the picture of the answer to end in {', '.join(FORMATS)}, got {output.name}")
    return output.suffix.lower().lstrip(".")
