"""What a collection may hold: templates of garments, and the colours each is made in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fullshot.demo.drawing.palette import CLOTH


@dataclass(frozen=True)
class Template:
    """A kind of product: Myntra's article type, the noun in its name, its patterns, and fixed parts of its design."""

    article_type: str
    noun: str
    patterns: tuple[str, ...]
    parts: dict[str, Any]


def _t(article_type: str, noun: str, patterns: str, **parts: Any) -> Template:
    return Template(article_type, noun, tuple(patterns.split(",")), parts)


# `print`, `block:…` are no cloth: they are worked into the design by `designs.py`.
# fmt: off
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
# fmt: on

# Colours each kind of cloth comes in; everything else comes in all of them.
DENIM = {
    "Blue": "#4c76ab",
    "Navy Blue": "#2b3c62",
    "Black": "#2a2b30",
    "Grey": "#83878e",
    "White": "#eeeeea",
    "Charcoal": "#494d55",
    "Turquoise Blue": "#8db6cf",
    "Teal": "#3c6a7c",
    "Beige": "#cfc0a4",
    "Olive": "#6d6d48",
}


DENIM_COLOURS = tuple(DENIM)


LEATHER = (
    "Black",
    "Brown",
    "Tan",
    "Maroon",
    "Navy Blue",
    "Beige",
    "Rust",
    "Charcoal",
    "Olive",
    "White",
    "Grey",
    "Mustard",
    "Teal",
)


def palette_of(template: Template) -> tuple[str, ...]:
    """Names of the colours that `template` is made in."""
    kind = template.parts.get("kind")
    if kind == "jeans" or template.patterns[0] == "denim":
        return DENIM_COLOURS
    if kind in ("oxford", "brogue", "loafer", "chelsea", "boot", "heelboot"):
        return LEATHER
    return tuple(CLOTH)


def templates(wear: str, women: bool) -> Sequence[Template]:
    """Templates of a wear for one gender."""
    return {
        ("top", False): MEN_TOPS, ("top", True): WOMEN_TOPS, ("bottom", False): MEN_BOTTOMS, ("bottom", True): WOMEN_BOTTOMS,
        ("foot", False): MEN_SHOES, ("foot", True): WOMEN_SHOES, ("long", True): ONE_PIECES,
    }[wear, women]  # fmt: skip
