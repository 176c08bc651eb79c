"""What the built-in shop consists of: products, pictures and boxes."""

from __future__ import annotations

from dataclasses import dataclass

from fullshot.demo.drawing.designs import Design


@dataclass(frozen=True)
class Product:
    """One product as the shop lists it; words (colour, types) are Myntra's own.

    Attributes:
        product_id: From 10001 up.
        wear: `top`, `bottom`, `foot` or `long`.
        price: Rupees, below `mrp`.
        sizes: Label and whether it is on sale, in order.
        collection: Which collection (a brand's line for one gender) it belongs to; outfits stay within one.
        design: What it is drawn from, on its own and worn.
    """

    product_id: int
    name: str
    brand: str
    gender: str
    master_category: str
    sub_category: str
    article_type: str
    wear: str
    colour: str
    pattern: str
    price: int
    mrp: int
    rating: float
    rating_count: int
    sizes: tuple[tuple[str, bool], ...]
    sold_out: bool
    collection: int
    design: Design


@dataclass(frozen=True)
class Box:
    """Bounding box of one garment as visible, in pixels from the top left corner."""

    product_id: int
    wear: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float


@dataclass(frozen=True)
class Picture:
    """One picture of the shop.

    Attributes:
        name: File name, `10001-front.jpg` or `look-0007.jpg`.
        kind: `front`, `detail`, `worn` or `outfit`.
        product_ids: The product it belongs to; of an outfit image, everything worn.
        full_shot: Whether it shows a person from head to feet.
        outfit: Everything that is worn on it, whole or cut off; on `front` and `detail` the product alone.
    """

    name: str
    kind: str
    product_ids: tuple[int, ...]
    full_shot: bool
    outfit: tuple[int, ...]


@dataclass(frozen=True)
class Studio:
    """The whole shop; drawing a picture needs nothing else."""

    seed: int
    products: tuple[Product, ...]
    pictures: tuple[Picture, ...]

    def product(self, product_id: int) -> Product:
        """The product with that id. Ids are given in the order of `products`."""
        return self.products[product_id - self.products[0].product_id]
