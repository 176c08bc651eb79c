"""What a collection may hold: templates of garments, and how one becomes a design in a given colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from fullshot.demo.bottoms import Bottom
from fullshot.demo.fabrics import MOTIFS, Fabric
from fullshot.demo.palette import CLOTH, contrast, darker, lighter, lightness
from fullshot.demo.records import Design, OnePiece
from fullshot.demo.shoes import Shoe
from fullshot.demo.tops import Top


@dataclass(frozen=True)
class Template:
    """A kind of product: Myntra's article type, the noun in its name, its patterns, and fixed parts of its design."""

    article_type: str
    noun: str
    patterns: tuple[str, ...]
    parts: dict[str, Any]


@dataclass(frozen=True)
class Cut:
    """A design with the words that describe it."""

    template: Template
    design: Design
    colour: str
    pattern: str


def _t(article_type: str, noun: str, patterns: str, **parts: Any) -> Template:
    return Template(article_type, noun, tuple(patterns.split(",")), parts)


# `print`, `block:…` are no cloth: they are worked into the design by `_make_top`.
MEN_TOPS = (
    _t("Tshirts", "Cotton T-shirt", "print,block:band,stripes,print,camo,block:chest stripes", kind="tshirt"),
    _t("Shirts", "Casual Shirt", "plaid,gingham,solid,windowpane,denim,dots", kind="shirt", neck="shirt", sleeve="long", front="buttons", finish="curved", pocket="chest", hem=512.0),
    _t("Tshirts", "Polo T-shirt", "solid,stripes,block:yoke,double stripes,block:halves", kind="tshirt", neck="polo", front="placket"),
    _t("Sweatshirts", "Hooded Sweatshirt", "print,solid,block:yoke,melange", kind="sweatshirt", neck="hood", sleeve="long", fit="loose", finish="rib", pocket="kangaroo", hem=528.0),
    _t("Sweaters", "Pullover Sweater", "cable knit,argyle,double stripes,chevron,waffle", kind="sweater", sleeve="long", finish="rib", hem=520.0),
    _t("Jackets", "Bomber Jacket", "solid,block:yoke,solid,camo", kind="jacket", neck="stand", sleeve="long", front="zip", finish="rib", pocket="slant", fit="loose", hem=512.0),
    _t("Shirts", "Resort Shirt", "leaves,floral,double stripes,triangles", kind="shirt", neck="shirt", sleeve="short", front="buttons", fit="loose", hem=520.0),
    _t("Tshirts", "Henley T-shirt", "solid,thin stripes,block:raglan,waffle", kind="tshirt", neck="henley", sleeve="long", front="placket"),
    _t("Sweatshirts", "Sweatshirt", "block:bottom,print,block:raglan,melange,block:halves", kind="sweatshirt", sleeve="long", finish="rib", fit="loose", hem=522.0),
    _t("Tshirts", "V-Neck T-shirt", "thin stripes,block:chest stripes,ombre,solid", kind="tshirt", neck="v", fit="slim"),
    _t("Jackets", "Trucker Jacket", "denim,solid,cord", kind="denim jacket", neck="shirt", sleeve="long", front="buttons", pocket="flap", hem=504.0),
    _t("Tshirts", "Oversized T-shirt", "print,block:halves,print,ombre", kind="tshirt", sleeve="elbow", fit="oversized", hem=545.0, print_size=1.25),
)
WOMEN_TOPS = (
    _t("Tops", "Puff Sleeve Top", "floral,dots,solid,gingham,leaves", kind="blouse", neck="square", sleeve="short", puff=18.0, fit="slim", hem=486.0),
    _t("Tshirts", "T-shirt", "print,stripes,block:band,print,block:halves", kind="tshirt", fit="slim", sleeve="short", hem=500.0),
    _t("Shirts", "Casual Shirt", "pinstripes,solid,bold pinstripes,dots,plaid", kind="shirt", neck="shirt", sleeve="long", front="buttons", fit="regular", finish="curved", hem=505.0),
    _t("Tops", "Peplum Top", "solid,floral,dots,chevron", kind="blouse", neck="scoop", sleeve="three-quarter", finish="peplum", fit="fitted", hem=472.0),
    _t("Sweaters", "Turtle Neck Sweater", "cable knit,stripes,waffle,double stripes", kind="sweater", neck="turtle", sleeve="long", finish="rib", fit="regular", hem=500.0),
    _t("Tops", "Strappy Top", "solid,leaves,thin stripes,big dots,ombre", kind="blouse", neck="straps", sleeve="none", fit="slim", hem=482.0),
    _t("Sweatshirts", "Cropped Sweatshirt", "print,block:yoke,solid,block:raglan", kind="sweatshirt", sleeve="long", finish="rib", fit="loose", hem=446.0),
    _t("Tops", "Boat Neck Top", "double stripes,stripes,thin stripes,solid", kind="tshirt", neck="boat", sleeve="three-quarter", fit="slim", hem=500.0),
    _t("Jackets", "Denim Jacket", "denim,cord,solid", kind="denim jacket", neck="shirt", sleeve="long", front="buttons", pocket="flap", fit="regular", hem=470.0),
    _t("Tops", "Wrap Top", "solid,leaves,floral,big dots", kind="blouse", neck="v", sleeve="three-quarter", front="wrap", fit="fitted", hem=480.0),
    _t("Sweatshirts", "Hooded Sweatshirt", "print,solid,block:bottom,melange", kind="sweatshirt", neck="hood", sleeve="long", fit="loose", finish="rib", pocket="kangaroo", hem=510.0),
    _t("Jackets", "Blazer", "solid,plaid,windowpane,pinstripes", kind="jacket", neck="lapel", sleeve="long", pocket="slant", fit="regular", hem=525.0, front="buttons"),
    _t("Tops", "Tank Top", "block:band,print,ombre,stripes", kind="tshirt", neck="scoop", sleeve="none", fit="slim", hem=495.0),
)
MEN_BOTTOMS = (
    _t("Jeans", "Slim Fit Jeans", "fade,rips,turnup,clean", kind="jeans", cut="slim", pockets="scoop"),
    _t("Trousers", "Chinos", "solid,turnup,windowpane,solid", kind="trousers", cut="slim"),
    _t("Shorts", "Regular Fit Shorts", "solid,leaves,stripes,plaid", kind="shorts", cut="relaxed", length=0.47),
    _t("Track Pants", "Track Pants", "stripe,solid,stripe,melange", kind="track", cut="jogger", drawstring=True),
    _t("Trousers", "Cargo Trousers", "solid,camo", kind="trousers", cut="relaxed", pockets="cargo"),
    _t("Jeans", "Straight Fit Jeans", "clean,fade,turnup,rips", kind="jeans", cut="straight", pockets="scoop"),
    _t("Trousers", "Formal Trousers", "pinstripes,solid,plaid,gingham", kind="trousers", cut="tapered", crease=True),
    _t("Shorts", "Cargo Shorts", "solid,camo", kind="shorts", cut="relaxed", length=0.5, pockets="cargo"),
    _t("Trousers", "Corduroy Trousers", "cord", kind="trousers", cut="straight"),
    _t("Shorts", "Sports Shorts", "stripe,solid,stripe", kind="shorts", cut="wide", length=0.38, drawstring=True),
)
WOMEN_BOTTOMS = (
    _t("Jeans", "Skinny Fit Jeans", "fade,rips,clean,turnup", kind="jeans", cut="skinny", pockets="scoop", rise=400.0),
    _t("Skirts", "A-Line Skirt", "floral,solid,dots,gingham,leaves", kind="skirt", flare=62.0, length=0.3, rise=388.0),
    _t("Trousers", "Wide Leg Trousers", "solid,bold pinstripes,solid,plaid", kind="trousers", cut="wide", crease=True, rise=390.0),
    _t("Skirts", "Pleated Midi Skirt", "solid,stripes,ombre,solid", kind="skirt", flare=74.0, length=0.62, pleats=14, rise=388.0),
    _t("Track Pants", "Joggers", "stripe,solid,melange,stripe", kind="track", cut="jogger", drawstring=True, rise=402.0),
    _t("Jeans", "Flared Jeans", "clean,fade,rips", kind="jeans", cut="flared", pockets="scoop", rise=394.0),
    _t("Shorts", "High-Rise Shorts", "solid,fade,dots,plaid", kind="shorts", cut="straight", length=0.27, rise=392.0, turnup=True),
    _t("Skirts", "Pencil Skirt", "plaid,solid,chevron,windowpane", kind="skirt", flare=-14.0, length=0.48, seam="slit", rise=388.0),
    _t("Trousers", "Cigarette Trousers", "solid,pinstripes,gingham,floral", kind="trousers", cut="slim", length=0.93, rise=392.0),
    _t("Skirts", "Button-Front Skirt", "denim,cord,solid", kind="skirt", flare=34.0, length=0.26, seam="buttons", rise=390.0),
    _t("Skirts", "Tiered Maxi Skirt", "leaves,floral,big dots,solid", kind="skirt", flare=88.0, length=0.93, seam="tiers", rise=388.0),
)
MEN_SHOES = (
    _t("Casual Shoes", "Sneakers", "stripes,heel tab,panel,toe,none", kind="sneaker"),
    _t("Formal Shoes", "Leather Formal Shoes", "none,toe,two tone", kind="oxford"),
    _t("Sports Shoes", "Running Shoes", "swoop,zigzag,panel,stripes", kind="runner"),
    _t("Casual Shoes", "Chelsea Boots", "none,heel tab", kind="chelsea"),
    _t("Casual Shoes", "High-Top Sneakers", "panel,stripes,toe,swoop", kind="hightop"),
    _t("Casual Shoes", "Loafers", "none,two tone,toe", kind="loafer"),
    _t("Sandals", "Comfort Sandals", "none", kind="sandal"),
    _t("Casual Shoes", "Lace-Up Boots", "none,toe,heel tab", kind="boot"),
    _t("Casual Shoes", "Slip-On Sneakers", "fabric,panel,toe,fabric", kind="slipon"),
    _t("Formal Shoes", "Brogues", "two tone,none,toe", kind="brogue"),
)
WOMEN_SHOES = (
    _t("Casual Shoes", "Sneakers", "heel tab,stripes,toe,panel", kind="sneaker"),
    _t("Heels", "Pumps", "none,two tone,toe,fabric", kind="heel", heel=34.0),
    _t("Flats", "Ballerinas", "none,toe,fabric,two tone", kind="flat"),
    _t("Sports Shoes", "Running Shoes", "swoop,panel,zigzag,stripes", kind="runner"),
    _t("Heels", "Heeled Boots", "none,two tone,heel tab", kind="heelboot", heel=30.0),
    _t("Sandals", "Strappy Sandals", "none", kind="sandal"),
    _t("Casual Shoes", "High-Top Sneakers", "panel,toe,swoop", kind="hightop"),
    _t("Casual Shoes", "Slip-On Sneakers", "fabric,toe,fabric", kind="slipon"),
    _t("Casual Shoes", "Loafers", "none,two tone", kind="loafer"),
    _t("Casual Shoes", "Combat Boots", "none,toe", kind="boot"),
)
ONE_PIECES = (
    _t("Dresses", "Fit and Flare Dress", "floral,dots,solid,gingham", neck="scoop", sleeve="short", flare=70.0, length=0.42),
    _t("Dresses", "Maxi Dress", "leaves,stripes,floral", neck="straps", sleeve="none", flare=84.0, length=0.96),
    _t("Jumpsuit", "Basic Jumpsuit", "solid,pinstripes,thin stripes", neck="v", sleeve="short", cut="wide", length=1.0),
    _t("Dresses", "Shirt Dress", "plaid,solid,denim", neck="shirt", sleeve="three-quarter", flare=34.0, length=0.4, front="buttons"),
    _t("Dresses", "Sheath Dress", "solid,chevron,big dots", neck="boat", sleeve="cap", flare=-10.0, length=0.48),
    _t("Dresses", "Skater Dress", "stripes,leaves,ombre", neck="square", sleeve="elbow", flare=92.0, length=0.33),
)

# Colours each kind of cloth comes in; everything else comes in all of them.
_DENIM = {"Blue": "#4c76ab", "Navy Blue": "#2b3c62", "Black": "#2a2b30", "Grey": "#83878e", "White": "#eeeeea", "Charcoal": "#494d55", "Turquoise Blue": "#8db6cf", "Teal": "#3c6a7c", "Beige": "#cfc0a4", "Olive": "#6d6d48"}
DENIM_COLOURS = tuple(_DENIM)
LEATHER = ("Black", "Brown", "Tan", "Maroon", "Navy Blue", "Beige", "Rust", "Charcoal", "Olive", "White", "Grey", "Mustard", "Teal")


def palette_of(template: Template) -> tuple[str, ...]:
    """Names of the colours that `template` is made in."""
    kind = template.parts.get("kind")
    if kind == "jeans" or template.patterns[0] == "denim":
        return DENIM_COLOURS
    if kind in ("oxford", "brogue", "loafer", "chelsea", "boot", "heelboot"):
        return LEATHER
    return tuple(CLOTH)


def _beside(rng: Random, base: str, least: float = 0.3) -> str:
    """A colour that is told from `base`: a neutral more often than not, as in shops."""
    neutral = [CLOTH[n] for n in ("White", "Off White", "Black", "Navy Blue", "Grey", "Beige")]
    pool = neutral if rng.random() < 0.5 else list(CLOTH.values())
    fit = [c for c in pool if contrast(c, base) >= least] or [c for c in CLOTH.values() if contrast(c, base) >= least]
    return rng.choice(fit)


def _fabric(rng: Random, colour: str, pattern: str) -> Fabric:
    if pattern == "denim":
        return Fabric(colour, "denim")
    if pattern == "melange":
        return Fabric(colour, "melange", lighter(colour, 0.6) if lightness(colour) < 0.6 else darker(colour, 0.5))
    if pattern == "camo":
        return Fabric(colour, "camo", darker(colour, 0.45), lighter(colour, 0.35))
    second = _beside(rng, colour)
    third = _beside(rng, colour, 0.2)
    while contrast(third, second) < 0.15:
        third = rng.choice(list(CLOTH.values()))
    return Fabric(colour, pattern, second, third, rng.choice((0.85, 1.0, 1.2)))


def _make_top(rng: Random, template: Template, colour: str, pattern: str) -> Top:
    parts = dict(template.parts)
    cloth = pattern if pattern not in ("print",) and not pattern.startswith("block:") else "solid"
    fabric = _fabric(rng, colour, cloth)
    trim = colour
    if parts.get("neck") in ("crew", "polo", "henley", "stand", "hood") or parts["kind"] in ("tshirt", "sweatshirt", "sweater"):
        trim = _beside(rng, colour) if rng.random() < 0.5 else darker(colour, 0.12)
    if parts["kind"] in ("shirt", "denim jacket") or parts.get("neck") == "lapel":
        trim = colour
    top = Top(fabric=fabric, trim=trim, folds=rng.randrange(10**6), **parts)
    if pattern == "print":
        ink = _beside(rng, colour, 0.35)
        other = _beside(rng, colour, 0.25)
        while contrast(other, ink) < 0.2:
            other = rng.choice(list(CLOTH.values()))
        top = replace(top, print_name=rng.choice(MOTIFS), print_colours=(ink, other))
    if pattern.startswith("block:"):
        top = replace(top, block=pattern.removeprefix("block:"), block_colour=_beside(rng, colour))
    return top


def _make_bottom(rng: Random, template: Template, colour: str, pattern: str) -> Bottom:
    parts = dict(template.parts)
    jeans = parts["kind"] == "jeans"
    cloth = "denim" if jeans or pattern == "denim" else "solid" if pattern in ("stripe", "turnup", "fade", "clean", "rips") else pattern
    if pattern == "fade":
        cloth = "denim"
    fabric = _fabric(rng, colour, cloth)
    trim = "#c58a3d" if jeans else darker(colour, 0.1)
    if parts.get("drawstring"):
        trim = _beside(rng, colour) if pattern == "stripe" or rng.random() < 0.4 else darker(colour, 0.12)
    if parts.get("seam") == "buttons":
        trim = _beside(rng, colour)
    bottom = Bottom(fabric=fabric, trim=trim, folds=rng.randrange(10**6), **parts)
    if pattern == "stripe":
        bottom = replace(bottom, stripe=trim)
    if pattern == "turnup":
        bottom = replace(bottom, turnup=True)
    if jeans or pattern in ("fade", "denim"):
        bottom = replace(bottom, fade={"fade": 0.6, "rips": 0.35, "turnup": 0.2}.get(pattern, 0.08), rips=pattern == "rips")
    if parts["kind"] == "skirt" and "seam" not in parts and pattern == "solid" and not parts.get("pleats"):
        bottom = replace(bottom, seam="hem band", trim=_beside(rng, colour))
    return bottom


def _make_shoe(rng: Random, template: Template, colour: str, pattern: str) -> Shoe:
    kind = template.parts["kind"]
    accent = _beside(rng, colour, 0.25)
    sporty = kind in ("sneaker", "runner", "hightop", "slipon")
    sole = rng.choice(("#f4f3ef", "#f4f3ef", "#e3d3b2", "#2a2a2d", "#b07a45", accent)) if sporty else rng.choice(("#2b2320", "#5b3a26", "#8a5d38", "#1f1f22"))
    if kind in ("boot", "chelsea") and rng.random() < 0.4:
        sole = rng.choice(("#e8dcc2", "#b98a55"))
    if kind in ("heel", "flat", "heelboot"):
        sole = darker(colour, 0.25) if rng.random() < 0.6 else rng.choice(("#2b2320", "#b98a55", accent))
    if contrast(sole, colour) < 0.06:
        sole = lighter(sole, 0.35) if lightness(sole) < 0.5 else darker(sole, 0.3)
    cloth = rng.choice(("gingham", "floral", "stripes", "dots", "camo", "leaves")) if pattern == "fabric" else "solid"
    fabric = replace(_fabric(rng, colour, cloth), scale=0.62)
    lace = rng.choice(("#f4f2ee", "#f4f2ee", "#2a2a2d", accent))
    if contrast(lace, colour) < 0.15:
        lace = lighter(colour, 0.7) if lightness(colour) < 0.5 else darker(colour, 0.6)
    if kind == "chelsea" and pattern == "none":
        accent = darker(colour, 0.45)
    return Shoe(fabric=fabric, sole=sole, accent=accent, lace=lace, mark=pattern, **template.parts)


def _make_one_piece(rng: Random, template: Template, colour: str, pattern: str) -> OnePiece:
    parts = template.parts
    fabric = _fabric(rng, colour, pattern)
    folds = rng.randrange(10**6)
    belt = rng.choice(("", darker(colour, 0.3), _beside(rng, colour)))
    bodice = Top(kind="blouse", fabric=fabric, trim=darker(colour, 0.08) if parts["neck"] != "shirt" else colour, neck=parts["neck"], sleeve=parts["sleeve"], fit="fitted", hem=412.0, front=parts.get("front", "none"), tucked=True, folds=folds)
    kind = "trousers" if "cut" in parts else "skirt"
    lower = Bottom(kind=kind, fabric=fabric, trim=darker(colour, 0.1), cut=parts.get("cut", "straight"), length=parts["length"], rise=384.0, flare=parts.get("flare", 0.0), folds=folds, pockets="slant" if kind == "trousers" else "none", seam=parts.get("front", ""))
    return OnePiece(bodice, lower, belt)


_WORDS = {
    "stripes": "Striped", "thin stripes": "Striped", "double stripes": "Striped", "pinstripes": "Striped", "bold pinstripes": "Striped",
    "gingham": "Checked", "plaid": "Checked", "windowpane": "Checked", "dots": "Polka Dots", "big dots": "Polka Dots",
    "floral": "Floral", "leaves": "Tropical", "chevron": "Geometric", "argyle": "Geometric", "triangles": "Geometric",
    "camo": "Camouflage", "melange": "Melange", "denim": "Washed", "cord": "Self Design", "cable knit": "Self Design",
    "waffle": "Self Design", "ombre": "Ombre", "print": "Printed", "fade": "Faded", "rips": "Distressed", "stripe": "Side Striped",
}  # fmt: skip


def make(rng: Random, template: Template, wear: str, colour: str, turn: int) -> Cut:
    """The `turn`-th design of `template` in the colour of that name."""
    pattern = template.patterns[turn % len(template.patterns)]
    jeans = template.parts.get("kind") == "jeans" or pattern in ("denim", "fade")
    paint = _DENIM.get(colour, CLOTH[colour]) if jeans else CLOTH[colour]
    makers: dict[str, Any] = {"top": _make_top, "bottom": _make_bottom, "foot": _make_shoe, "long": _make_one_piece}
    design: Design = makers[wear](rng, template, paint, pattern)
    if wear == "foot":
        word = {"fabric": "Printed", "none": "Solid"}.get(pattern, "Colourblocked")
    else:
        word = "Colourblocked" if pattern.startswith("block:") else _WORDS.get(pattern, "Solid")
    return Cut(template, design, colour, word)


def templates(wear: str, women: bool) -> Sequence[Template]:
    """Templates of a wear for one gender."""
    return {
        ("top", False): MEN_TOPS, ("top", True): WOMEN_TOPS, ("bottom", False): MEN_BOTTOMS, ("bottom", True): WOMEN_BOTTOMS,
        ("foot", False): MEN_SHOES, ("foot", True): WOMEN_SHOES, ("long", True): ONE_PIECES,
    }[wear, women]  # fmt: skip
