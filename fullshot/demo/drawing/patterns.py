"""Woven and printed patterns as repeats of paths, and the prints on chests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from fullshot.demo.drawing.canvas import fill
from fullshot.demo.drawing.geometry import Point, number
from fullshot.demo.drawing.palette import darker, lighter


@dataclass(frozen=True)
class Fabric:
    """Paint of a garment: `pattern` in `second` (and `third`) on `colour`; `scale` is the pattern's size, 1 usual."""

    colour: str
    pattern: str = "solid"
    second: str = "#ffffff"
    third: str = "#000000"
    scale: float = 1.0


@dataclass(frozen=True)
class _Mark:
    """One mark of a tile: where it starts, its path relative to there, and its paint.

    A bar has no path but a width (`span`): it runs from edge to edge of what it is laid on.
    """

    x: float
    y: float
    path: str
    paint: str
    span: float = 0.0


@dataclass(frozen=True)
class Tile:
    """A repeat; a width (or height) of 0 says that its bars run all along."""

    width: float
    height: float
    marks: tuple[_Mark, ...]


def _rect(x: float, y: float, w: float, h: float, colour: str, opacity: float = 1.0) -> _Mark:
    return _Mark(x, y, f"h{w}v{h}h{-w}z", f'fill="{colour}" fill-opacity="{opacity}"')


def _disc(x: float, y: float, r: float, colour: str) -> _Mark:
    r = round(r, 1)
    return _Mark(x - r, y, f"a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z", f'fill="{colour}"')


def _shape(points: Sequence[Point], colour: str) -> _Mark:
    return _Mark(*points[0], _steps(points) + "z", f'fill="{colour}"')


def _pen(points: Sequence[Point], colour: str, width: float, opacity: float = 1.0) -> _Mark:
    return _Mark(
        *points[0], _steps(points), f'fill="none" stroke="{colour}" stroke-width="{width}" stroke-opacity="{opacity}"'
    )


def _steps(points: Sequence[Point]) -> str:
    return "l" + " ".join(f"{number(b[0] - a[0])} {number(b[1] - a[1])}" for a, b in pairwise(points))


def _leaf(x: float, y: float, long: float, wide: float, turn: float, colour: str) -> _Mark:
    """A pointed leaf round (x, y), `turn` degrees from upright."""
    a = math.radians(turn)

    def at(u: float, v: float) -> str:
        return f"{number(u * math.cos(a) - v * math.sin(a))} {number(u * math.sin(a) + v * math.cos(a))}"

    start = (x + long * math.sin(a), y - long * math.cos(a))
    path = f"c{at(wide, long * 0.6)} {at(wide, long * 1.4)} {at(0, 2 * long)}c{at(-wide, -long * 0.6)} {at(-wide, -long * 1.4)} {at(0, -2 * long)}z"
    return _Mark(*start, path, f'fill="{colour}"')


def _bars(rows: Sequence[tuple[float, float, str]], size: float, *, upright: bool = False) -> Tile:
    """Stripes: `(start, width, colour)` each, every `size`."""
    if upright:
        return Tile(size, 0, tuple(_Mark(s, 0, "", f'fill="{c}"', w) for s, w, c in rows))
    return Tile(0, size, tuple(_Mark(0, s, "", f'fill="{c}"', w) for s, w, c in rows))


def _flower(x: float, y: float, r: float, petal: str, heart: str, turn: float) -> tuple[_Mark, ...]:
    petals = [
        _disc(x + r * math.cos(turn + k * 1.2566), y + r * math.sin(turn + k * 1.2566), r * 0.72, petal)
        for k in range(5)
    ]
    return (*petals, _disc(x, y, r * 0.5, heart))


def _camo(colours: Sequence[str]) -> Tile:
    rng = Random("camo")
    marks = []
    for paint in colours:
        for _ in range(6):
            x, y, r = rng.uniform(0, 80), rng.uniform(0, 80), rng.uniform(5, 10)
            marks += [
                _leaf(x, y, r * 1.6, r * 1.3, rng.uniform(60, 120), paint),
                _disc(x + r * 0.9, y + r * 0.4, r * 0.7, paint),
            ]
    return Tile(80, 80, tuple(marks))


def _melange(colour: str) -> Tile:
    rng = Random("melange")
    return Tile(
        60,
        60,
        tuple(
            _rect(
                round(rng.uniform(0, 56), 1),
                round(rng.uniform(0, 59), 1),
                round(rng.uniform(3, 8), 1),
                1.1,
                colour,
                0.45,
            )
            for _ in range(90)
        ),
    )


def repeat_of(fabric: Fabric) -> Tile | None:
    """The pattern's repeat in figure units."""
    b, a, c = fabric.colour, fabric.second, fabric.third
    match fabric.pattern:
        case "stripes":
            return _bars([(0, 14, a)], 30)
        case "thin stripes":
            return _bars([(0, 4.5, a)], 14)
        case "double stripes":
            return _bars([(0, 16, a), (22, 5, c)], 46)
        case "pinstripes":
            return _bars([(0, 2.6, a)], 17, upright=True)
        case "bold pinstripes":
            return _bars([(0, 9, a), (15, 3, c)], 30, upright=True)
        case "cord":
            return _bars([(0, 2.4, darker(b, 0.3)), (5, 2, lighter(b, 0.2))], 9, upright=True)
        case "gingham":
            return Tile(24, 24, (_rect(0, 0, 12, 24, a, 0.6), _rect(0, 0, 24, 12, a, 0.6)))
        case "plaid":
            soft = (_rect(0, 0, 22, 56, a, 0.6), _rect(0, 0, 56, 22, a, 0.6))
            fine = (
                _rect(36, 0, 4, 56, c, 0.85),
                _rect(0, 36, 56, 4, c, 0.85),
                _rect(9, 0, 3, 56, b),
                _rect(0, 9, 56, 3, b),
            )
            return Tile(56, 56, soft + fine)
        case "windowpane":
            return Tile(40, 40, (_rect(0, 0, 3, 40, a), _rect(0, 0, 40, 3, a)))
        case "dots":
            return Tile(26, 26, (_disc(6.5, 6.5, 4.3, a), _disc(19.5, 19.5, 4.3, a)))
        case "big dots":
            return Tile(52, 52, (_disc(13, 13, 10, a), _disc(39, 39, 10, c)))
        case "floral":
            leaves = tuple(
                _leaf(x, y, 9, 4, t, c) for x, y, t in ((30, 22, 130), (8, 40, 60), (52, 50, 10), (36, 60, 100))
            )
            blooms = (
                _flower(16, 18, 7, a, c, 0.3),
                _flower(46, 34, 9, a, lighter(a, 0.5), 1.0),
                _flower(20, 52, 6, lighter(a, 0.35), c, 2.0),
                _flower(52, 8, 4.5, a, c, 0.0),
            )
            return Tile(64, 64, leaves + tuple(m for bloom in blooms for m in bloom))
        case "leaves":
            return Tile(
                60,
                60,
                tuple(
                    _leaf(x, y, 16, 9, t, p)
                    for x, y, t, p in ((15, 18, 35, a), (43, 16, -40, c), (30, 46, 80, a), (54, 48, 10, c))
                ),
            )
        case "chevron":
            return Tile(36, 22, (_shape([(0, 11), (18, 0), (36, 11), (36, 19), (18, 8), (0, 19)], a),))
        case "argyle":
            return Tile(
                52,
                76,
                (
                    _shape([(26, 0), (52, 38), (26, 76), (0, 38)], a),
                    _pen([(0, 0), (52, 76)], c, 1.8),
                    _pen([(52, 0), (0, 76)], c, 1.8),
                ),
            )
        case "camo":
            return _camo((a, c, darker(b, 0.3)))
        case "triangles":
            return Tile(44, 38, (_shape([(0, 38), (22, 0), (44, 38)], a), _shape([(11, 19), (33, 19), (22, 38)], c)))
        case "melange":
            return _melange(a)
        case "denim":
            twill = lighter(b, 0.25)
            return Tile(48, 5, (_pen([(0, 5), (48, -13)], twill, 1.0, 0.5),))
        case "cable knit":
            k = darker(b, 0.24)
            left, right = (
                [(4.0, 0.0), (6.0, 5.0), (14.0, 8.0), (16.0, 12.0), (14.0, 17.0), (6.0, 20.0), (4.0, 24.0)],
                [(16.0, 0.0), (14.0, 5.0), (6.0, 8.0), (4.0, 12.0), (6.0, 17.0), (14.0, 20.0), (16.0, 24.0)],
            )
            return Tile(
                30,
                24,
                (
                    _pen(left, k, 2.2),
                    _pen(right, k, 2.2),
                    _pen([(23, 0), (23, 24)], k, 1.2),
                    _pen([(27, 0), (27, 24)], k, 1.2),
                ),
            )
        case "waffle":
            return Tile(10, 10, (_rect(1, 1, 7, 7, darker(b, 0.12)), _rect(2, 2, 3, 3, darker(b, 0.2))))
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


def motif(name: str, a: str, b: str) -> str:
    """A chest print about 100 wide round the origin."""
    match name:
        case "mountain":
            return f'<circle r="50" fill="{b}"/><path d="M-45 22L-12 -28L8 4L20 -12L45 22A50 50 0 0 1 -45 22Z" fill="{a}"/><circle cx="20" cy="-26" r="9" fill="{a}"/>'
        case "sun":
            rays = "".join(
                f'<rect x="-3.5" y="-52" width="7" height="18" rx="3" transform="rotate({k * 30})"/>' for k in range(12)
            )
            return f'<g fill="{a}">{rays}</g><circle r="27" fill="{a}"/><circle r="18" fill="{b}"/>'
        case "wave":
            return "".join(
                f'<path d="M-50 {y}q12.5 -22 25 0t25 0t25 0t25 0" fill="none" stroke="{p}" stroke-width="9"/>'
                for y, p in ((-22, a), (0, b), (22, a))
            )
        case "star":
            return f'<path d="{star(0, 0, 52, 21)}" fill="{a}"/><path d="{star(0, 0, 26, 10.5)}" fill="{b}"/>'
        case "bolt":
            return f'<path d="M8 -52L-34 8H-6L-16 52L34 -14H4Z" fill="{a}" stroke="{b}" stroke-width="5"/>'
        case "heart":
            return f'<path d="M0 44C-70 -6 -38 -52 0 -22C38 -52 70 -6 0 44Z" fill="{a}"/><path d="M0 24C-34 -2 -20 -26 0 -10" fill="none" stroke="{b}" stroke-width="6"/>'
        case "rings":
            return "".join(
                f'<circle r="{r}" fill="none" stroke="{p}" stroke-width="8"/>' for r, p in ((46, a), (31, b), (15, a))
            )
        case "bars":
            return "".join(
                f'<rect x="-50" y="{y}" width="{w}" height="11" fill="{p}"/>'
                for y, w, p in ((-34, 100, a), (-16, 74, b), (2, 90, a), (20, 56, b))
            )
        case "palm":
            return (
                f'<circle r="50" fill="{b}"/><path d="M-4 46C2 16 2 0 -2 -18L6 -20C10 2 9 20 6 46Z" fill="{a}"/>'
                + "".join(
                    f'<path d="M2 -18C14 -34 32 -32 42 -16C28 -24 14 -22 2 -18Z" fill="{a}" transform="rotate({r} 2 -18)"/>'
                    for r in (0, -50, -110, -160, 40, 165)
                )
            )
        case "number":
            return f'<path d="M-44 -36H-6V-24L-24 40H-38L-21 -22H-44Z" fill="{a}"/><path d="M6 -36H44V-24L26 40H12L29 -22H6Z" fill="{b}"/>'
        case "diamond":
            return f'<path d="M0 -52L40 0L0 52L-40 0Z" fill="{a}"/><path d="M0 -30L23 0L0 30L-23 0Z" fill="{b}"/><path d="M0 -12L9 0L0 12L-9 0Z" fill="{a}"/>'
        case "flower":
            return "".join(
                f'<path d="M{number(m.x)} {number(m.y)}{m.path}" {m.paint}/>' for m in _flower(0, 0, 26, a, b, 0.3)
            )
        case "cat":
            return f'<path d="M-38 -44L-14 -26H14L38 -44V6C38 34 20 46 0 46S-38 34 -38 6Z" fill="{a}"/><circle cx="-15" cy="0" r="6" fill="{b}"/><circle cx="15" cy="0" r="6" fill="{b}"/><path d="M-10 20Q0 30 10 20" stroke="{b}" stroke-width="5" fill="none"/>'
        case "moon":
            return f'<path d="M20 -46A48 48 0 1 0 20 46A38 38 0 1 1 20 -46Z" fill="{a}"/><path d="{star(22, 0, 15, 6)}" fill="{b}"/>'
        case "grid":
            return "".join(
                f'<rect x="{-46 + 32 * i}" y="{-46 + 32 * j}" width="26" height="26" fill="{a if (i + j) % 2 else b}"/>'
                for i in range(3)
                for j in range(3)
            )
        case _:
            return fill("M0 0", a)


MOTIFS = (
    "mountain",
    "sun",
    "wave",
    "star",
    "bolt",
    "heart",
    "rings",
    "bars",
    "palm",
    "number",
    "diamond",
    "flower",
    "cat",
    "moon",
    "grid",
)
