"""Draws bottoms: jeans, trousers, shorts, track pants and skirts, on a person or a ghost mannequin."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from fullshot.demo.drawing.canvas import Canvas, fill, stroke
from fullshot.demo.drawing.fabrics import coat, drape
from fullshot.demo.drawing.figure import ANKLE, CROTCH, HIP, SIDES, Frame
from fullshot.demo.drawing.geometry import Limb, Point, closed, curve, lerp, number, smooth
from fullshot.demo.drawing.palette import darker, lighter, lightness
from fullshot.demo.drawing.patterns import Fabric

# Extra half width of a leg at thigh, knee and hem, per cut.
CUTS: dict[str, tuple[float, float, float]] = {
    "skinny": (2, 2, 2),
    "slim": (4, 6, 6),
    "straight": (5, 11, 15),
    "tapered": (8, 13, 7),
    "relaxed": (8, 17, 21),
    "bootcut": (3, 6, 24),
    "flared": (3, 8, 38),
    "wide": (8, 26, 42),
    "jogger": (8, 15, 10),
}


@dataclass(frozen=True)
class Bottom:
    """The design of a bottom; `length` is how far down the leg it goes (0 hip joint, 1 ankle)."""

    kind: str
    fabric: Fabric
    trim: str
    cut: str = "straight"
    length: float = 1.0
    rise: float = 408.0
    stripe: str = ""
    fade: float = 0.0
    rips: bool = False
    pockets: str = "slant"
    turnup: bool = False
    crease: bool = False
    drawstring: bool = False
    flare: float = 0.0
    pleats: int = 0
    seam: str = ""
    folds: int = 0


def draw_bottom(canvas: Canvas, frame: Frame, bottom: Bottom, tag: str) -> None:
    """Draw `bottom` over the legs."""
    if bottom.kind == "skirt":
        _draw_skirt(canvas, frame, bottom, tag)
    else:
        _draw_trousers(canvas, frame, bottom, tag)


def _waist(frame: Frame, bottom: Bottom, y: float) -> float:
    return frame.body.half(y) + curve(y, ((bottom.rise, 4.0), (HIP, 2.0 + CUTS.get(bottom.cut, (4, 0, 0))[0])))


def _leg(frame: Frame, bottom: Bottom, side: int) -> Limb:
    thigh, knee, hem = CUTS[bottom.cut]
    if bottom.length < 0.8:
        end = bottom.length
        knots: tuple[tuple[float, float], ...] = (
            (0.0, thigh),
            (0.15, thigh + 1),
            (end, thigh + 9 if bottom.cut != "skinny" else 3.0),
        )
        return frame.leg(side, knots).part(0.0, end)
    knots = ((0.0, thigh), (0.15, thigh + 1), (0.52, knee), (0.97, hem + 6), (1.0, hem + 7))
    if bottom.cut == "jogger":
        knots = ((0.0, thigh), (0.15, thigh + 2), (0.52, knee), (0.86, 14.0), (0.95, 9.0), (1.0, 4.0))
    whole = frame.leg(side, knots)
    if bottom.length >= 1.0 and bottom.cut not in ("jogger", "skinny"):
        # Trousers go on past the ankle, over the shoe.
        last, before = whole.spine[-1], whole.spine[-3]
        dx, dy = last[0] - before[0], last[1] - before[1]
        k = (12 if bottom.cut in ("wide", "flared", "bootcut") else 20) / max(dy, 1)
        extra = [(p[0] + dx * k, p[1] + dy * k) for p in (whole.spine[-1], whole.left[-1], whole.right[-1])]
        return Limb((*whole.spine, extra[0]), (*whole.left, extra[1]), (*whole.right, extra[2]))
    return whole.part(0.0, min(bottom.length, 1.0))


def _draw_trousers(canvas: Canvas, frame: Frame, bottom: Bottom, tag: str) -> None:
    rng = Random(bottom.folds)
    p = frame.torso
    colour = bottom.fabric.colour
    ink = darker(colour, 0.5) if lightness(colour) > 0.2 else lighter(colour, 0.24)
    levels = [bottom.rise + (HIP + 4 - bottom.rise) * i / 5 for i in range(6)]
    right = [p(_waist(frame, bottom, y), y) for y in levels]
    left = [p(-_waist(frame, bottom, y), y) for y in reversed(levels)]
    hip = frame.body.hip
    dip = [
        p(-_waist(frame, bottom, bottom.rise), bottom.rise),
        p(0, bottom.rise + 6),
        p(_waist(frame, bottom, bottom.rise), bottom.rise),
    ]
    pelvis = closed(
        right, [right[-1], p(hip * 0.8, CROTCH), p(0, CROTCH + 14), p(-hip * 0.8, CROTCH), left[0]], left, dip
    )
    legs = [_leg(frame, bottom, side) for side in SIDES]
    shapes = [pelvis]
    art = coat(canvas, pelvis, bottom.fabric, p(0, 480), frame.pose.hip_tilt)
    shades: list[tuple[str, float]] = [(smooth(right), 20), (smooth(left), 11)]
    lights: list[tuple[str, float]] = []
    details: list[str] = []
    for i, side in enumerate(SIDES):
        leg = legs[i]
        end = [leg.left[-1], (leg.spine[-1][0], leg.spine[-1][1] + 5), leg.right[-1]]
        d = smooth(list(leg.left)) + smooth(end, move=False) + smooth(list(reversed(leg.right)), move=False) + "Z"
        shapes.append(d)
        art += coat(canvas, d, bottom.fabric, leg.at(0.0), leg.angle(0.3))
        inner = 1 if side < 0 else -1
        if bottom.fade:
            worn_out = smooth(leg.edge(-0.1, 0.12, 0.66))
            lights += [(worn_out, w) for w in (34, 22, 12)[: 1 + round(bottom.fade * 4)]]
        if bottom.stripe:
            outer = -inner * 0.72
            art += stroke(smooth(leg.edge(outer, 0.0)), bottom.stripe, 12) + stroke(
                smooth(leg.edge(outer - inner * -0.0, 0.0)), darker(colour, 0.2), 2.5
            )
        shades += [(smooth(leg.edge(1, 0.1)), 16), (smooth(leg.edge(-1, 0.1)), 9), (smooth(leg.edge(inner, 0.12)), 5)]
        lights.append((smooth(leg.edge(-0.3, 0.06)), 13))
        _leg_folds(rng, leg, bottom, inner, shades, lights)
        details += _leg_details(frame, bottom, leg, end, side, ink, rng)
    for side in SIDES:
        run = [p(side * 3, CROTCH - 4), p(side * 26, CROTCH - 12), p(side * 50, CROTCH - 30)]
        shades.append((smooth(run), 4))
        lights.append((smooth([(x, y - 7) for x, y in run]), 4))
    details += _waistband(frame, bottom, ink)
    drape(canvas, tag, colour, shapes, art, shades, lights, "".join(details))


def _leg_folds(
    rng: Random, leg: Limb, bottom: Bottom, inner: int, shades: list[tuple[str, float]], lights: list[tuple[str, float]]
) -> None:
    """Creases behind the knee and a break over the shoe."""
    spots = [(0.52, 3), (0.93, 3)] if bottom.length >= 0.8 else [(0.75, 2)]
    for centre, count in spots:
        for _ in range(count):
            t = centre + rng.uniform(-0.06, 0.05)
            a, b = rng.choice(((-0.95, 0.25), (0.95, -0.25)))
            run = [
                leg.at(t, a),
                leg.at(min(t + rng.uniform(0.0, 0.03), 1), (a + b) / 2),
                leg.at(min(t + rng.uniform(-0.01, 0.03), 1), b),
            ]
            shades.append((smooth(run), 4))
            lights.append((smooth([(x, y - 6) for x, y in run]), 4))


def _leg_details(
    frame: Frame, bottom: Bottom, leg: Limb, end: list[Point], side: int, ink: str, rng: Random
) -> list[str]:
    colour = bottom.fabric.colour
    inner = 1 if side < 0 else -1
    art = [stroke(smooth(leg.edge(-inner * 0.93, 0.0)), ink, 1.2, 0.35)]
    if bottom.kind == "jeans":
        art.append(stroke(smooth(leg.edge(inner * 0.9, 0.12)), bottom.trim, 1.2, 0.45))
    if bottom.crease:
        art.append(stroke(smooth(leg.edge(0.02, 0.1)), ink, 1.5, 0.5))
        art.append(stroke(smooth(leg.edge(-0.04, 0.1)), lighter(colour, 0.4), 1.2, 0.35))
    if bottom.turnup:
        cuff = [leg.at(0.955 if bottom.length >= 0.8 else 0.9, a) for a in (-1, 0, 1)]
        cuff[1] = (cuff[1][0], cuff[1][1] + 4)
        band = smooth(cuff) + smooth(list(reversed(end)), move=False) + "Z"
        art += [
            fill(band, lighter(colour, 0.35 if bottom.kind == "jeans" else 0.12)),
            stroke(smooth(cuff), ink, 1.4, 0.7),
        ]
    elif bottom.cut == "jogger" and bottom.length >= 0.8:
        cuff = [leg.at(0.945, a) for a in (-1, 0, 1)]
        band = smooth(cuff) + smooth(list(reversed(end)), move=False) + "Z"
        art += [fill(band, bottom.trim), stroke(smooth(cuff), ink, 1.3, 0.7)]
    else:
        art.append(
            stroke(smooth([(x, y - 8) for x, y in end]), bottom.trim if bottom.kind == "jeans" else ink, 1.2, 0.6)
        )
    if bottom.rips:
        for t in (0.36, 0.5):
            x, y = leg.at(t + rng.uniform(-0.03, 0.03), rng.uniform(-0.3, 0.2))
            art.append(
                f'<ellipse cx="{number(x)}" cy="{number(y)}" rx="15" ry="6" fill="{lighter(colour, 0.75)}" stroke="{darker(colour, 0.3)}" stroke-width="1.2"/>'
            )
            art += [stroke(f"M{number(x - 13)} {number(y + k)}h26", "#ffffff", 1.1, 0.9) for k in (-3, 0, 3)]
    if bottom.pockets == "cargo":
        a, b = (
            leg.at(0.36 if bottom.length >= 0.8 else 0.5, -inner * 0.98),
            leg.at(0.36 if bottom.length >= 0.8 else 0.5, -inner * 0.1),
        )
        y1 = a[1] + 54
        art.append(
            fill(
                f"M{number(a[0])} {number(a[1])}L{number(b[0])} {number(a[1])}L{number(b[0])} {number(y1)}L{number(a[0])} {number(y1)}Z",
                darker(colour, 0.12),
                1.0,
                f'stroke="{ink}" stroke-width="1.6"',
            )
        )
        art.append(stroke(f"M{number(a[0])} {number(a[1] + 14)}L{number(b[0])} {number(a[1] + 14)}", ink, 2.0, 0.7))
    return art


def _waistband(frame: Frame, bottom: Bottom, ink: str) -> list[str]:
    """Band, fly, pockets, loops or a drawstring."""
    p = frame.torso
    colour = bottom.fabric.colour
    top = bottom.rise
    w = _waist(frame, bottom, top)
    c = frame.centre(top) * 0.6
    low = [p(x * w, top + 19 + 6 * (1 - abs(x))) for x in (-1, -0.5, 0, 0.5, 1)]
    high = [p(x * w, top + 6 * (1 - abs(x))) for x in (-1, -0.5, 0, 0.5, 1)]
    band = smooth(high) + smooth(list(reversed(low)), move=False) + "Z"
    elastic = bottom.drawstring
    art = [
        fill(band, bottom.trim if elastic else darker(colour, 0.1), 1.0 if elastic else 0.55),
        stroke(smooth(low), ink, 1.4, 0.7),
    ]
    if elastic:
        for i in range(27):
            x = lerp(-w, w, i / 26)
            art.append(stroke(smooth([p(x, top), p(x, top + 20)]), darker(bottom.trim, 0.4), 1.2, 0.45))
        for side, long in ((-1, 62.0), (1, 54.0)):
            cord = "#f4f2ec" if lightness(colour) < 0.55 else darker(colour, 0.5)
            art.append(
                stroke(
                    smooth([p(c + side * 5, top + 16), p(c + side * 11, top + 36), p(c + side * 8, top + long)]),
                    cord,
                    3.4,
                )
            )
    else:
        x, y = p(c, top + 14)
        art.append(
            f'<circle cx="{number(x)}" cy="{number(y)}" r="4.2" fill="{"#b08a4f" if bottom.kind == "jeans" else lighter(colour, 0.3)}" stroke="{ink}" stroke-width="0.9"/>'
        )
        stitch = bottom.trim if bottom.kind == "jeans" else ink
        art.append(
            stroke(
                smooth([p(c + 17, top + 26), p(c + 17, top + 74), p(c + 11, top + 92), p(c + 1, top + 100)]),
                stitch,
                1.3,
                0.8,
            )
        )
        art.append(stroke(smooth([p(c, top + 26), p(c, CROTCH + 12)]), ink, 1.5, 0.75))
        for x_loop in (-0.62, -0.28, 0.34, 0.66):
            a, b = p(w * x_loop, top + 9), p(w * x_loop, top + 25)
            art.append(
                stroke(smooth([a, b]), darker(colour, 0.3), 5.5, 0.9)
                + stroke(smooth([a, b]), lighter(colour, 0.1), 3.0, 0.9)
            )
    for side in SIDES:
        h = _waist(frame, bottom, HIP - 30)
        if bottom.pockets == "scoop":
            run = [p(side * w * 0.52, top + 24), p(side * w * 0.62, top + 52), p(side * h * 0.99, top + 62)]
            art += [
                stroke(smooth(run), darker(colour, 0.4), 2.4, 0.7),
                stroke(smooth([(x, y + 4) for x, y in run]), bottom.trim, 1.1, 0.8),
            ]
        elif bottom.pockets in ("slant", "cargo"):
            run = [p(side * w * 0.74, top + 23), p(side * h * 0.97, HIP - 8)]
            art += [stroke(smooth(run), darker(colour, 0.4), 2.2, 0.7)]
    return art


def _draw_skirt(canvas: Canvas, frame: Frame, bottom: Bottom, tag: str) -> None:
    rng = Random(bottom.folds)
    p = frame.torso
    colour = bottom.fabric.colour
    ink = darker(colour, 0.5) if lightness(colour) > 0.2 else lighter(colour, 0.24)
    hem = lerp(HIP, ANKLE, bottom.length)
    wide = frame.body.hip + bottom.flare

    def half(y: float) -> float:
        if y <= HIP:
            return frame.body.half(y) + curve(y, ((bottom.rise, 3.0), (HIP, 5 + bottom.flare * 0.12)))
        t = (y - HIP) / (hem - HIP)
        return lerp(frame.body.hip + 5 + bottom.flare * 0.12, wide, t ** (0.9 if bottom.flare > 20 else 1.0))

    levels = [bottom.rise + (hem - bottom.rise) * i / 9 for i in range(10)]
    right = [p(half(y), y) for y in levels]
    left = [p(-half(y), y) for y in reversed(levels)]
    count = 12
    ripple = 3.0 if bottom.flare > 15 else 1.0
    bottom_edge = [
        p(
            lerp(half(hem), -half(hem), i / count),
            hem + 9 * (1 - (2 * i / count - 1) ** 2) + (ripple if i % 2 else -ripple) * (0 < i < count),
        )
        for i in range(count + 1)
    ]
    dip = [p(-half(bottom.rise), bottom.rise), p(0, bottom.rise + 6), p(half(bottom.rise), bottom.rise)]
    d = closed(right, bottom_edge, left, dip)
    art = coat(canvas, d, bottom.fabric, p(0, 480), frame.pose.hip_tilt)
    shades: list[tuple[str, float]] = [(smooth(right), 28), (smooth(left), 16)]
    lights: list[tuple[str, float]] = [(smooth([p(-half(y) * 0.4, y) for y in levels[1:]]), 22)]
    details: list[str] = []
    if bottom.pleats:
        for i in range(1, bottom.pleats):
            x = 2 * i / bottom.pleats - 1
            run = [p(x * half(y) * (1.0 if y > HIP else 0.97), y + (6 if y < hem else 1)) for y in levels]
            details.append(stroke(smooth(run), darker(colour, 0.6), 2.0, 0.4))
            details.append(stroke(smooth([(px + 4, py) for px, py in run]), lighter(colour, 0.5), 2.6, 0.28))
    else:
        for _ in range(4 if bottom.flare > 15 else 2):
            x = rng.uniform(-0.75, 0.75)
            start = rng.uniform(0.3, 0.55)
            ys = [lerp(lerp(bottom.rise, hem, start), hem + 8, i / 4) for i in range(5)]
            run = [p((x * 0.85 + x * 0.15 * (y - ys[0]) / (hem - ys[0])) * half(y), y) for y in ys]
            shades.append((smooth(run), 7))
            lights.append((smooth([(px + 9, py) for px, py in run]), 6))
    band = [p(x * half(bottom.rise), bottom.rise + 18 + 6 * (1 - abs(x))) for x in (-1, 0, 1)]
    details += [
        stroke(smooth(band), ink, 1.5, 0.7),
        stroke(smooth([(x, y - 8) for x, y in bottom_edge]), ink, 1.1, 0.5),
    ]
    if bottom.seam == "buttons":
        details.append(stroke(smooth([p(frame.centre(y), y) for y in levels]), ink, 1.4, 0.6))
        for y in levels[1:-1]:
            x, py = p(frame.centre(y) + 5, y)
            details.append(
                f'<circle cx="{number(x)}" cy="{number(py)}" r="4" fill="{bottom.trim}" stroke="{ink}" stroke-width="0.9"/>'
            )
    elif bottom.seam == "hem band":
        upper, lower = ([(x, y - up) for x, y in bottom_edge] for up in (25, 12))
        details.append(fill(closed(upper, lower[::-1]), bottom.trim))
    elif bottom.seam == "slit":
        ys = [lerp(HIP + 60, hem + 8, i / 4) for i in range(5)]
        details.append(stroke(smooth([p(half(y) * 0.42, y) for y in ys]), darker(colour, 0.7), 4.5, 0.7))
    elif bottom.seam == "tiers":
        for t in (0.42, 0.72):
            y = lerp(bottom.rise, hem, t)
            details.append(
                stroke(smooth([p(half(y) * x, y + 7 * (1 - x * x)) for x in (-1, -0.5, 0, 0.5, 1)]), ink, 2.6, 0.6)
            )
    drape(canvas, tag, colour, [d], art, shades, lights, "".join(details))
