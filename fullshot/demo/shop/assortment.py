"""What the shop sells: brands, collections, products, and which pictures are taken of them."""

from __future__ import annotations

import math
from random import Random

from fullshot.demo.drawing.designs import DescribedDesign, make_design
from fullshot.demo.drawing.wardrobe import palette_of, templates
from fullshot.demo.shop.records import Picture, Product

FIRST_ID = 10001
COLLECTIONS = 38

# Invented; each makes one to four collections.
_BRANDS = (
    "Nordvale",
    "Kestrel Lane",
    "Amari",
    "Tidewell",
    "Brightmoor",
    "Oak & Ember",
    "Solenne",
    "Veldt",
    "Harbour Row",
    "Lumio",
    "Castella",
    "Fernhill",
    "Juniper Street",
)
_BASE_MRP = {
    "Tshirts": 999, "Shirts": 1799, "Tops": 1199, "Sweaters": 2299, "Sweatshirts": 1999, "Jackets": 3499, "Jeans": 2499, "Trousers": 1999,
    "Shorts": 1199, "Skirts": 1599, "Track Pants": 1499, "Casual Shoes": 2999, "Sports Shoes": 3999, "Formal Shoes": 3499, "Heels": 2299,
    "Flats": 1499, "Sandals": 1799, "Dresses": 2499, "Jumpsuit": 2799,
}  # fmt: skip
_SUB_CATEGORY = {"top": "Topwear", "bottom": "Bottomwear", "foot": "Shoes", "long": "Dress"}


class _Deck:
    """Deals colours so that a template does not come twice in one colour, and colours come equally often."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._left: dict[str, list[str]] = {}
        self._dealt: dict[str, int] = {}

    def deal(self, key: str, colours: tuple[str, ...]) -> str:
        left = self._left.get(key)
        if not left:
            left = list(colours)
            self._rng.shuffle(left)
        # Of the colours still free for this template, the one seen least so far.
        best = min(range(len(left)), key=lambda i: self._dealt.get(left[i], 0))
        colour = left.pop(best)
        self._left[key] = left
        self._dealt[colour] = self._dealt.get(colour, 0) + 1
        return colour


def has_one_piece(women_collection: int) -> bool:
    """Whether the n-th women's collection holds a one-piece: 12 of 19, spread evenly, the first among them."""
    return math.ceil(12 * (women_collection + 1) / 19) > math.ceil(12 * women_collection / 19)


def outfit_count(collection: int) -> int:
    """Outfits of a collection: 28 of 38 have five, the rest four."""
    return 5 if math.ceil(28 * (collection + 1) / 38) > math.ceil(28 * collection / 38) else 4


def stock(seed: int, collections: int) -> tuple[Product, ...]:
    """All products, in the order of their ids; a smaller shop is the beginning of a larger one."""
    decks = {
        (wear, women): _Deck(Random(f"{seed}/deck/{wear}/{women}")) for wear in _SUB_CATEGORY for women in (False, True)
    }
    orders: dict[tuple[str, bool], list[int]] = {}
    turns: dict[tuple[str, bool], int] = {}
    products: list[Product] = []
    names: dict[str, int] = {}
    for collection in range(collections):
        women = collection % 2 == 1
        wears = ["top", "top", "bottom", "bottom", "foot", "foot"]
        if women and has_one_piece(collection // 2):
            wears.append("long")
        for wear in wears:
            key = (wear, women)
            pool = templates(wear, women)
            if key not in orders:
                orders[key] = list(range(len(pool)))
                Random(f"{seed}/order/{wear}/{women}").shuffle(orders[key])
            n = turns.get(key, 0)
            turns[key] = n + 1
            template = pool[orders[key][n % len(pool)]]
            colour = decks[key].deal(template.noun, palette_of(template))
            rng = Random(f"{seed}/product/{collection}/{len(products)}")
            cut = make_design(rng, template, wear, colour, n // len(pool))
            products.append(_product(rng, FIRST_ID + len(products), cut, wear, women, collection, names))
    return tuple(products)


def _brand(collection: int) -> str:
    """A brand's men's and women's collections lie next to each other; the first brands have more of them."""
    pairs = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 1, 2, 3, 4, 5)
    return _BRANDS[pairs[collection // 2 % len(pairs)]]


def _product(
    rng: Random, product_id: int, cut: DescribedDesign, wear: str, women: bool, collection: int, names: dict[str, int]
) -> Product:
    gender = "Women" if women else "Men"
    kind = cut.template.article_type
    brand = _brand(collection)
    name = " ".join(w for w in (brand, gender, cut.colour, cut.pattern, cut.template.noun) if w)
    names[name] = names.get(name, 0) + 1
    mrp = round(_BASE_MRP[kind] * rng.uniform(0.75, 1.6) / 100) * 100 - 1
    price = round(mrp * (1 - rng.choice((0.1, 0.2, 0.3, 0.4, 0.5, 0.6))))
    sold_out = rng.random() < 0.05
    sizes = tuple((label, not sold_out and rng.random() < 0.85) for label in _labels(wear, women))
    if not sold_out and not any(there for _, there in sizes):
        sizes = ((sizes[0][0], True), *sizes[1:])
    return Product(
        product_id=product_id,
        name=name,
        brand=brand,
        gender=gender,
        master_category="Footwear" if wear == "foot" else "Apparel",
        sub_category="Sandal" if kind == "Sandals" else _SUB_CATEGORY[wear],
        article_type=kind,
        wear=wear,
        colour=cut.colour,
        pattern=cut.pattern,
        price=price,
        mrp=mrp,
        rating=round(min(5.0, max(2.6, rng.gauss(4.1, 0.4))), 1),
        rating_count=round(10 ** rng.uniform(0.7, 3.6)),
        sizes=sizes,
        sold_out=sold_out,
        collection=collection,
        design=cut.design,
    )


def _labels(wear: str, women: bool) -> tuple[str, ...]:
    if wear == "foot":
        return tuple(f"UK{n}" for n in (range(3, 9) if women else range(6, 12)))
    if wear == "bottom":
        return tuple(str(n) for n in (range(26, 36, 2) if women else range(28, 40, 2)))
    return ("XS", "S", "M", "L", "XL") if women else ("S", "M", "L", "XL", "XXL")


def _outfits(products: list[Product], count: int) -> list[tuple[int, ...]]:
    """`count` combinations of a collection's products, every product in at least one."""
    by_wear: dict[str, list[int]] = {}
    for p in products:
        by_wear.setdefault(p.wear, []).append(p.product_id)
    top, bottom, foot = by_wear["top"], by_wear["bottom"], by_wear["foot"]
    picks = [(0, 0, 0), (1, 1, 1), (0, 1, 1), (1, 0, 0), (0, 0, 1)]
    outfits: list[tuple[int, ...]] = [(top[a], bottom[b], foot[c]) for a, b, c in picks[:count]]
    if "long" in by_wear:
        outfits[-1] = (by_wear["long"][0], foot[count % 2])
    return outfits


def shoot(products: tuple[Product, ...]) -> tuple[Picture, ...]:
    """All pictures: three of each product, then the outfit images of each collection."""
    collections: dict[int, list[Product]] = {}
    for p in products:
        collections.setdefault(p.collection, []).append(p)
    pictures: list[Picture] = []
    outfit_images: list[Picture] = []
    for collection, members in collections.items():
        outfits = _outfits(members, outfit_count(collection))
        for p in members:
            for kind in ("front", "detail"):
                pictures.append(Picture(f"{p.product_id}-{kind}.jpg", kind, (p.product_id,), False, (p.product_id,)))
            worn = [o for o in outfits if p.product_id in o]
            # The last outfit it is part of: the first already opens the outfit images.
            pictures.append(Picture(f"{p.product_id}-worn.jpg", "worn", (p.product_id,), False, worn[-1]))
        for outfit in outfits:
            name = f"look-{len(outfit_images) + 1:04d}.jpg"
            outfit_images.append(Picture(name, "outfit", outfit, True, outfit))
    return (*pictures, *outfit_images)
