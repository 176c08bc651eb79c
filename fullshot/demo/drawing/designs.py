"""Makes a design from a template: which colours go together, and what a pattern means for each garment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from fullshot.demo.drawing.bottoms import Bottom
from fullshot.demo.drawing.cuts import Top
from fullshot.demo.drawing.lasts import Shoe
from fullshot.demo.drawing.palette import CLOTH, contrast, darker, lighter, lightness
from fullshot.demo.drawing.patterns import MOTIFS, Fabric
from fullshot.demo.drawing.wardrobe import DENIM, Template


@dataclass(frozen=True)
class OnePiece:
    """The design of a dress or jumpsuit: a bodice and what hangs from its waist."""

    bodice: Top
    lower: Bottom
    belt: str = ""


Design = Top | Bottom | Shoe | OnePiece


@dataclass(frozen=True)
class DescribedDesign:
    """A design with the words that describe it."""

    template: Template
    design: Design
    colour: str
    pattern: str


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
    if parts.get("neck") in ("crew", "polo", "henley", "stand", "hood") or parts["kind"] in (
        "tshirt",
        "sweatshirt",
        "sweater",
    ):
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
    cloth = (
        "denim"
        if jeans or pattern == "denim"
        else "solid"
        if pattern in ("stripe", "turnup", "fade", "clean", "rips")
        else pattern
    )
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
        bottom = replace(
            bottom, fade={"fade": 0.6, "rips": 0.35, "turnup": 0.2}.get(pattern, 0.08), rips=pattern == "rips"
        )
    if parts["kind"] == "skirt" and "seam" not in parts and pattern == "solid" and not parts.get("pleats"):
        bottom = replace(bottom, seam="hem band", trim=_beside(rng, colour))
    return bottom


def _make_shoe(rng: Random, template: Template, colour: str, pattern: str) -> Shoe:
    kind = template.parts["kind"]
    accent = _beside(rng, colour, 0.25)
    sporty = kind in ("sneaker", "runner", "hightop", "slipon")
    sole = (
        rng.choice(("#f4f3ef", "#f4f3ef", "#e3d3b2", "#2a2a2d", "#b07a45", accent))
        if sporty
        else rng.choice(("#2b2320", "#5b3a26", "#8a5d38", "#1f1f22"))
    )
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
    bodice = Top(
        kind="blouse",
        fabric=fabric,
        trim=darker(colour, 0.08) if parts["neck"] != "shirt" else colour,
        neck=parts["neck"],
        sleeve=parts["sleeve"],
        fit="fitted",
        hem=412.0,
        front=parts.get("front", "none"),
        tucked=True,
        folds=folds,
    )
    kind = "trousers" if "cut" in parts else "skirt"
    lower = Bottom(
        kind=kind,
        fabric=fabric,
        trim=darker(colour, 0.1),
        cut=parts.get("cut", "straight"),
        length=parts["length"],
        rise=384.0,
        flare=parts.get("flare", 0.0),
        folds=folds,
        pockets="slant" if kind == "trousers" else "none",
        seam=parts.get("front", ""),
    )
    return OnePiece(bodice, lower, belt)


_WORDS = {
    "stripes": "Striped", "thin stripes": "Striped", "double stripes": "Striped", "pinstripes": "Striped", "bold pinstripes": "Striped",
    "gingham": "Checked", "plaid": "Checked", "windowpane": "Checked", "dots": "Polka Dots", "big dots": "Polka Dots",
    "floral": "Floral", "leaves": "Tropical", "chevron": "Geometric", "argyle": "Geometric", "triangles": "Geometric",
    "camo": "Camouflage", "melange": "Melange", "denim": "Washed", "cord": "Self Design", "cable knit": "Self Design",
    "waffle": "Self Design", "ombre": "Ombre", "print": "Printed", "fade": "Faded", "rips": "Distressed", "stripe": "Side Striped",
}  # fmt: skip


def make_design(rng: Random, template: Template, wear: str, colour: str, turn: int) -> DescribedDesign:
    """The `turn`-th design of `template` in the colour of that name."""
    pattern = template.patterns[turn % len(template.patterns)]
    jeans = template.parts.get("kind") == "jeans" or pattern in ("denim", "fade")
    paint = DENIM.get(colour, CLOTH[colour]) if jeans else CLOTH[colour]
    makers: dict[str, Any] = {"top": _make_top, "bottom": _make_bottom, "foot": _make_shoe, "long": _make_one_piece}
    design: Design = makers[wear](rng, template, paint, pattern)
    if wear == "foot":
        word = {"fabric": "Printed", "none": "Solid"}.get(pattern, "Colourblocked")
    else:
        word = "Colourblocked" if pattern.startswith("block:") else _WORDS.get(pattern, "Solid")
    return DescribedDesign(template, design, colour, word)
