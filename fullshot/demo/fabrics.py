"""Cloth: woven and printed patterns, chest prints, and how a piece of cloth is painted and shaded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from fullshot.demo.canvas import Canvas, fill, stroke
from fullshot.demo.geometry import Point, number
from fullshot.demo.palette import darker, lighter, lightness, mix


@dataclass(frozen=True)
class Fabric:
    """Paint of a garment: `pattern` in `second` (and `third`) on `colour`; `scale` is the pattern's size, 1 usual."""

    colour: str
    pattern: str = "solid"
    second: str = "#ffffff"
    third: str = "#000000"
    scale: float = 1.0


def _bars(rows: Sequence[tuple[float, float, str]], size: float, upright: bool) -> tuple[float, float, str]:
    """Tile of stripes: `(start, width, colour)` each."""
    return size, size, "".join(
        f'<rect x="{s}" y="0" width="{w}" height="{size}" fill="{c}"/>'
        if upright
        else f'<rect x="0" y="{s}" width="{size}" height="{w}" fill="{c}"/>'
        for s, w, c in rows
    )


def _flower(x: float, y: float, r: float, petal: str, heart: str, turn: float) -> str:
    petals = "".join(
        f'<circle cx="{number(x + r * math.cos(turn + k * 1.2566))}" cy="{number(y + r * math.sin(turn + k * 1.2566))}" r="{number(r * 0.72)}" fill="{petal}"/>'
        for k in range(5)
    )
    return petals + f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(r * 0.5)}" fill="{heart}"/>'


def _tile(fabric: Fabric) -> tuple[float, float, str] | None:
    """Width, height and markup of the pattern's tile in figure units."""
    b, a, c = fabric.colour, fabric.second, fabric.third
    match fabric.pattern:
        case "stripes":
            return _bars([(0, 14, a)], 30, False)
        case "thin stripes":
            return _bars([(0, 4.5, a)], 14, False)
        case "double stripes":
            return _bars([(0, 16, a), (22, 5, c)], 46, False)
        case "pinstripes":
            return _bars([(0, 2.6, a)], 17, True)
        case "bold pinstripes":
            return _bars([(0, 9, a), (15, 3, c)], 30, True)
        case "gingham":
            half = f'fill="{a}" fill-opacity="0.6"'
            return 24, 24, f'<rect width="12" height="24" {half}/><rect width="24" height="12" {half}/>'
        case "plaid":
            return 56, 56, (
                f'<rect width="22" height="56" fill="{a}" fill-opacity="0.6"/><rect width="56" height="22" fill="{a}" fill-opacity="0.6"/>'
                f'<rect x="36" width="4" height="56" fill="{c}" fill-opacity="0.85"/><rect y="36" width="56" height="4" fill="{c}" fill-opacity="0.85"/>'
                f'<rect x="9" width="3" height="56" fill="{b}"/><rect y="9" width="56" height="3" fill="{b}"/>'
            )
        case "windowpane":
            return 40, 40, f'<rect width="3" height="40" fill="{a}"/><rect width="40" height="3" fill="{a}"/>'
        case "dots":
            return 26, 26, f'<circle cx="6.5" cy="6.5" r="4.3" fill="{a}"/><circle cx="19.5" cy="19.5" r="4.3" fill="{a}"/>'
        case "big dots":
            return 52, 52, f'<circle cx="13" cy="13" r="10" fill="{a}"/><circle cx="39" cy="39" r="10" fill="{c}"/>'
        case "floral":
            leaves = "".join(f'<ellipse cx="{x}" cy="{y}" rx="9" ry="3.6" fill="{c}" transform="rotate({r} {x} {y})"/>' for x, y, r in ((30, 22, 40), (8, 40, -30), (52, 50, 100), (36, 60, 10)))
            return 64, 64, leaves + _flower(16, 18, 7, a, c, 0.3) + _flower(46, 34, 9, a, lighter(a, 0.5), 1.0) + _flower(20, 52, 6, lighter(a, 0.35), c, 2.0) + _flower(52, 8, 4.5, a, c, 0.0)
        case "leaves":
            return 60, 60, "".join(f'<g transform="translate({x} {y}) rotate({r})"><path d="M0 -15C9 -6 9 6 0 15C-9 6 -9 -6 0 -15Z" fill="{p}"/><path d="M0 -13V19" stroke="{b}" stroke-width="1.4"/></g>' for x, y, r, p in ((15, 18, 35, a), (43, 16, -40, c), (30, 46, 80, a), (54, 48, 10, c)))
        case "chevron":
            return 36, 22, f'<path d="M-4 16L9 5L27 21L45 5" transform="translate(0 -3)" fill="none" stroke="{a}" stroke-width="6"/>'
        case "argyle":
            return 52, 76, f'<path d="M26 0L52 38L26 76L0 38Z" fill="{a}"/><path d="M0 0L52 76M52 0L0 76" stroke="{c}" stroke-width="1.8"/>'
        case "camo":
            rng = Random("camo")
            blobs = ""
            for paint in (a, c, darker(b, 0.3)):
                for _ in range(6):
                    x, y, r = rng.uniform(8, 72), rng.uniform(8, 72), rng.uniform(5, 10)
                    blobs += f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{r * 1.5:.1f}" ry="{r * 0.7:.1f}" fill="{paint}" transform="rotate({rng.randrange(-40, 40)} {x:.1f} {y:.1f})"/><circle cx="{x + r * 0.8:.1f}" cy="{y + r * 0.4:.1f}" r="{r * 0.6:.1f}" fill="{paint}"/>'
            return 80, 80, blobs
        case "triangles":
            return 44, 38, f'<path d="M0 38L22 0L44 38Z" fill="{a}"/><path d="M11 19H33L22 38Z" fill="{c}"/>'
        case "stars":
            return 44, 44, "".join(f'<path d="{star(x, y, 8, 3.4)}" fill="{a}"/>' for x, y in ((11, 11), (33, 33)))
        case "melange":
            rng = Random("melange")
            return 60, 60, "".join(f'<rect x="{rng.uniform(0, 54):.1f}" y="{rng.uniform(0, 59):.1f}" width="{rng.uniform(2, 6):.1f}" height="1" fill="{a}" fill-opacity="{rng.uniform(0.25, 0.6):.2f}"/>' for _ in range(130))
        case "denim":
            return 4, 4, f'<path d="M-1 5L5 -1M-1 1L1 -1M3 5L5 3" stroke="{lighter(b, 0.25)}" stroke-width="0.9" stroke-opacity="0.55"/>'
        case "cord":
            return 9, 9, f'<rect width="3" height="9" fill="{darker(b, 0.3)}"/><rect x="5" width="2" height="9" fill="{lighter(b, 0.2)}"/>'
        case "cable knit":
            k = darker(b, 0.22)
            return 30, 24, f'<path d="M4 0C4 8 16 4 16 12C16 20 4 16 4 24M16 0C16 8 4 4 4 12C4 20 16 16 16 24" fill="none" stroke="{k}" stroke-width="2.2"/><path d="M23 0V24M27 0V24" stroke="{k}" stroke-width="1.2" stroke-opacity="0.7"/>'
        case "waffle":
            return 9, 9, f'<rect x="1" y="1" width="6" height="6" fill="{darker(b, 0.1)}"/><path d="M0 0H9M0 0V9" stroke="{lighter(b, 0.22)}" stroke-width="1"/>'
        case _:
            return None


def star(x: float, y: float, outer: float, inner: float) -> str:
    """Closed path of a five-pointed star."""
    points = []
    for k in range(10):
        r = outer if k % 2 == 0 else inner
        a = -math.pi / 2 + k * math.pi / 5
        points.append(f"{number(x + r * math.cos(a))} {number(y + r * math.sin(a))}")
    return "M" + "L".join(points) + "Z"


def paints(canvas: Canvas, fabric: Fabric, origin: Point = (0.0, 0.0), angle: float = 0.0) -> list[str]:
    """Fills to lay over each other: the ground, then the pattern turned with the limb it lies on."""
    if fabric.pattern == "ombre":
        grade = canvas.gradient([(0, fabric.colour), (0.25, fabric.colour), (1, fabric.second)], origin[0], origin[1], origin[0], origin[1] + 330 * fabric.scale)
        return [f"url(#{grade})"]
    tile = _tile(fabric)
    if tile is None:
        return [fabric.colour]
    w, h, markup = tile
    pattern = canvas.define(
        f'<pattern id="{{id}}" patternUnits="userSpaceOnUse" width="{w}" height="{h}" '
        f'patternTransform="translate({number(origin[0])} {number(origin[1])}) rotate({number(angle)}) scale({fabric.scale:.2f})">{markup}</pattern>'
    )
    return [fabric.colour, f"url(#{pattern})"]


def coat(d: str, layers: Sequence[str]) -> str:
    """`d` filled with every layer of paint."""
    return "".join(f'<path d="{d}" fill="{paint}"/>' for paint in layers)


def drape(
    canvas: Canvas,
    tag: str,
    colour: str,
    shapes: Sequence[str],
    art: str,
    shades: Sequence[tuple[str, float]] = (),
    lights: Sequence[tuple[str, float]] = (),
    details: str = "",
    depth: float = 1.0,
    transform: str = "",
) -> None:
    """Draw a piece of cloth cut to `shapes`.

    Args:
        tag: Whose silhouette it is.
        colour: Main colour; decides how strong shade and light must be to be seen on it.
        shapes: Path data; the piece is their union.
        art: Markup that paints the piece (ground and pattern), before shading.
        shades: Open paths and widths of soft shadows: edges turned from the light, folds.
        lights: The same for soft light.
        details: Markup of seams and trims, over the shading, clipped to the piece.
        depth: Strength of the shading.
        transform: Transform of the group that the piece is drawn in, for its silhouette.
    """
    light = lightness(colour)
    shade_ink, shade_strength = darker(colour, 0.75), (0.40 + 0.18 * (1 - light)) * depth
    light_ink, light_strength = lighter(colour, 0.75), (0.30 if light > 0.25 else 0.24) * depth
    soft = "".join(stroke(d, shade_ink, w, shade_strength) for d, w in shades)
    soft += "".join(stroke(d, light_ink, w, light_strength) for d, w in lights)
    outline = darker(colour, 0.5) if light > 0.2 else mix(colour, "#000000", 0.5)
    canvas.add(
        f'<g clip-path="url(#{canvas.clip(shapes)})">{art}',
        f'<g filter="url(#{canvas.blur(4.5)})">{soft}</g>' if soft else "",
        details,
        "".join(stroke(d, outline, 2.0, 0.45) for d in shapes) if len(shapes) == 1 else "",
        "</g>",
    )
    canvas.silhouette(tag, *shapes, transform=transform)


def motif(name: str, a: str, b: str) -> str:
    """A chest print about 100 wide round the origin."""
    match name:
        case "mountain":
            return f'<circle r="50" fill="{b}"/><path d="M-45 22L-12 -28L8 4L20 -12L45 22A50 50 0 0 1 -45 22Z" fill="{a}"/><circle cx="20" cy="-26" r="9" fill="{a}"/>'
        case "sun":
            rays = "".join(f'<rect x="-3.5" y="-52" width="7" height="18" rx="3" transform="rotate({k * 30})"/>' for k in range(12))
            return f'<g fill="{a}">{rays}</g><circle r="27" fill="{a}"/><circle r="18" fill="{b}"/>'
        case "wave":
            return "".join(f'<path d="M-50 {y}q12.5 -22 25 0t25 0t25 0t25 0" fill="none" stroke="{p}" stroke-width="9"/>' for y, p in ((-22, a), (0, b), (22, a)))
        case "star":
            return f'<path d="{star(0, 0, 52, 21)}" fill="{a}"/><path d="{star(0, 0, 26, 10.5)}" fill="{b}"/>'
        case "bolt":
            return f'<path d="M8 -52L-34 8H-6L-16 52L34 -14H4Z" fill="{a}" stroke="{b}" stroke-width="5"/>'
        case "heart":
            return f'<path d="M0 44C-70 -6 -38 -52 0 -22C38 -52 70 -6 0 44Z" fill="{a}"/><path d="M0 24C-34 -2 -20 -26 0 -10" fill="none" stroke="{b}" stroke-width="6"/>'
        case "rings":
            return "".join(f'<circle r="{r}" fill="none" stroke="{p}" stroke-width="8"/>' for r, p in ((46, a), (31, b), (15, a)))
        case "bars":
            return "".join(f'<rect x="-50" y="{y}" width="{w}" height="11" fill="{p}"/>' for y, w, p in ((-34, 100, a), (-16, 74, b), (2, 90, a), (20, 56, b)))
        case "palm":
            return f'<circle r="50" fill="{b}"/><path d="M-4 46C2 16 2 0 -2 -18L6 -20C10 2 9 20 6 46Z" fill="{a}"/>' + "".join(f'<path d="M2 -18C14 -34 32 -32 42 -16C28 -24 14 -22 2 -18Z" fill="{a}" transform="rotate({r} 2 -18)"/>' for r in (0, -50, -110, -160, 40, 165))
        case "number":
            return f'<path d="M-44 -36H-6V-24L-24 40H-38L-21 -22H-44Z" fill="{a}"/><path d="M6 -36H44V-24L26 40H12L29 -22H6Z" fill="{b}"/>'
        case "diamond":
            return f'<path d="M0 -52L40 0L0 52L-40 0Z" fill="{a}"/><path d="M0 -30L23 0L0 30L-23 0Z" fill="{b}"/><path d="M0 -12L9 0L0 12L-9 0Z" fill="{a}"/>'
        case "flower":
            return _flower(0, 0, 26, a, b, 0.3)
        case "cat":
            return f'<path d="M-38 -44L-14 -26H14L38 -44V6C38 34 20 46 0 46S-38 34 -38 6Z" fill="{a}"/><circle cx="-15" cy="0" r="6" fill="{b}"/><circle cx="15" cy="0" r="6" fill="{b}"/><path d="M-10 20Q0 30 10 20" stroke="{b}" stroke-width="5" fill="none"/>'
        case "moon":
            return f'<path d="M20 -46A48 48 0 1 0 20 46A38 38 0 1 1 20 -46Z" fill="{a}"/><path d="{star(22, 0, 15, 6)}" fill="{b}"/>'
        case "grid":
            return "".join(f'<rect x="{-46 + 32 * i}" y="{-46 + 32 * j}" width="26" height="26" fill="{a if (i + j) % 2 else b}"/>' for i in range(3) for j in range(3))
        case _:
            return fill("M0 0", a)


MOTIFS = ("mountain", "sun", "wave", "star", "bolt", "heart", "rings", "bars", "palm", "number", "diamond", "flower", "cat", "moon", "grid")
