"""Draws tops: T-shirts, shirts, knitwear, hoodies, blouses and jackets, on a person or a ghost mannequin."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from fullshot.demo.canvas import Canvas, fill, stroke
from fullshot.demo.fabrics import Fabric, coat, drape, motif, paints
from fullshot.demo.figure import ARMPIT, HIP, NECK, SHOULDER, SIDES, WAIST, Frame
from fullshot.demo.geometry import Limb, Point, closed, curve, lerp, number, smooth
from fullshot.demo.palette import darker, lighter, lightness, mix

# Extra half width at armpit, waist and hem, per fit.
FITS: dict[str, tuple[float, float, float]] = {
    "fitted": (3, 4, 4),
    "slim": (5, 9, 7),
    "regular": (7, 15, 12),
    "loose": (11, 23, 19),
    "oversized": (16, 32, 28),
}

# How much of the arm a sleeve covers.
SLEEVES: dict[str, float] = {"none": 0.0, "cap": 0.2, "short": 0.4, "elbow": 0.54, "three-quarter": 0.76, "long": 0.985}


@dataclass(frozen=True)
class Top:
    """The design of a top."""

    kind: str
    fabric: Fabric
    trim: str
    neck: str = "crew"
    sleeve: str = "short"
    fit: str = "regular"
    hem: float = 520.0
    finish: str = "plain"
    front: str = "none"
    print_name: str = ""
    print_colours: tuple[str, str] = ("#ffffff", "#000000")
    print_size: float = 0.9
    pocket: str = ""
    block: str = ""
    block_colour: str = ""
    puff: float = 0.0
    tucked: bool = False
    folds: int = 0


def _neck_width(frame: Frame, top: Top) -> float:
    extra = {"crew": 9, "v": 10, "scoop": 20, "boat": 34, "square": 24, "henley": 9, "polo": 6, "shirt": 6, "hood": 12, "turtle": 4, "stand": 8, "straps": 26, "lapel": 9}
    return frame.body.neck + 4 + extra.get(top.neck, 9)


def _neck_drop(top: Top) -> float:
    return {"crew": 25, "v": 68, "scoop": 58, "boat": 20, "square": 52, "henley": 25, "polo": 24, "shirt": 26, "hood": 34, "turtle": 16, "stand": 20, "straps": 60, "lapel": 96}.get(top.neck, 25)


def _shoulder_line(frame: Frame, x: float, lift: float) -> float:
    """Upright level of the shoulder line at `x` from the midline."""
    body = frame.body
    start, end = body.neck + 6, body.shoulder
    t = (x - start) / (end - start)
    return lerp(NECK, SHOULDER - 4, t) + (3 * t * (1 - t) if 0 < t < 1 else 0.0) - lift


def _neckline(frame: Frame, top: Top) -> list[Point]:
    """The front neckline from the viewer's left to right, upright coordinates."""
    w, drop = _neck_width(frame, top), _neck_drop(top)
    y = _shoulder_line(frame, w, 2)
    c = frame.centre(y + drop) * 0.5
    if top.neck in ("v", "lapel"):
        return [(-w, y), (-w * 0.55 + c * 0.5, y + drop * 0.5), (c, y + drop), (w * 0.55 + c * 0.5, y + drop * 0.5), (w, y)]
    if top.neck in ("square", "straps"):
        return [(-w, y), (-w + 2, y + drop * 0.8), (-w + 8, y + drop), (c, y + drop + 2), (w - 8, y + drop), (w - 2, y + drop * 0.8), (w, y)]
    return [(-w, y), (-w * 0.86 + c * 0.3, y + drop * 0.5), (-w * 0.45 + c, y + drop * 0.92), (c, y + drop), (w * 0.45 + c, y + drop * 0.92), (w * 0.86 + c * 0.3, y + drop * 0.5), (w, y)]


def _half_width(frame: Frame, top: Top, y: float) -> float:
    a, b, c = FITS[top.fit]
    ease = curve(y, ((ARMPIT, a), (WAIST, b), (HIP + 20, c)))
    return frame.body.half(y) + ease


def draw_back(canvas: Canvas, frame: Frame, top: Top, tag: str) -> None:
    """What is seen inside the neckline behind the neck, and a hood."""
    w = _neck_width(frame, top)
    y = _shoulder_line(frame, w, 2)
    if top.neck == "hood":
        points = [(-w - 26, y + 26), (-w - 22, y - 6), (-w - 8, y - 34), (-24, y - 46), (24, y - 46), (w + 8, y - 34), (w + 22, y - 6), (w + 26, y + 26)]
        outline = [frame.torso(x, py) for x, py in points]
        d = closed(outline, [outline[-1], frame.torso(0, y + 50), outline[0]])
        drape(canvas, tag, top.fabric.colour, [d], coat(d, paints(canvas, top.fabric)), [(smooth(outline), 16)], depth=0.8)
    rise = {"shirt": 22.0, "polo": 17.0, "stand": 20.0, "turtle": 20.0}.get(top.neck, 7.0 if top.neck not in ("straps", "boat", "square") else 1.0)
    back = [(-w - 1, y + 1), (-w * 0.7, y - rise * 0.85), (0, y - rise), (w * 0.7, y - rise * 0.85), (w + 1, y + 1)]
    upper = [frame.torso(x, py) for x, py in back]
    front = [frame.torso(x, py + 3) for x, py in reversed(_neckline(frame, top))]
    d = closed(upper, front)
    inner = darker(top.trim if top.neck in ("shirt", "polo") else top.fabric.colour, 0.35)
    band = stroke(smooth(upper), top.trim, 14, 1.0) if top.neck not in ("straps",) else ""
    drape(canvas, tag, inner, [d], fill(d, inner), [(smooth(front), 12)], details=band)


def draw_body(canvas: Canvas, frame: Frame, top: Top, tag: str) -> None:
    """The trunk of the top."""
    rng = Random(top.folds)
    body = frame.body
    right = _side(frame, top, 1)
    left = _side(frame, top, -1)
    hem = _hem(frame, top)
    neckline = _neckline(frame, top)
    pose = frame.torso
    d = closed([pose(*p) for p in right], [pose(*p) for p in hem], [pose(*p) for p in reversed(left)], [pose(*p) for p in neckline])
    origin = pose(frame.centre(300), 300)
    angle = (frame.pose.shoulder_tilt + frame.pose.hip_tilt) / 2
    art = coat(d, paints(canvas, top.fabric, origin, angle))
    art += _block(frame, top)
    if top.print_name:
        x, y = pose(frame.centre(296), 296)
        squeeze = 1 - abs(frame.pose.turn) * 0.25
        k = top.print_size * (1.0 if not body.women else 0.88)
        art += f'<g transform="translate({number(x)} {number(y)}) rotate({number(angle)}) scale({k * squeeze:.2f} {k:.2f})">{motif(top.print_name, *top.print_colours)}</g>'
    shades: list[tuple[str, float]] = [(smooth([pose(*p) for p in right[3:]]), 26), (smooth([pose(*p) for p in left[3:]]), 15)]
    lights: list[tuple[str, float]] = []
    for side in SIDES:
        half = _half_width(frame, top, 330)
        # Cloth pulls from the armpit to the middle and gathers over the waist.
        for _ in range(2):
            y0 = rng.uniform(258, 290)
            run = [pose(side * half * 0.97, y0), pose(side * half * rng.uniform(0.6, 0.72), y0 + rng.uniform(14, 34)), pose(side * half * 0.42, y0 + rng.uniform(48, 80))]
            shades.append((smooth(run), 5))
            lights.append((smooth([(x + 3, y - 8) for x, y in run]), 5))
        for _ in range(2):
            y0 = rng.uniform(WAIST - 20, min(WAIST + 60, top.hem - 24))
            run = [pose(side * half * 0.98, y0), pose(side * half * 0.62, y0 + rng.uniform(2, 16)), pose(side * half * 0.3, y0 + rng.uniform(-4, 22))]
            shades.append((smooth(run), 5))
            lights.append((smooth([(x, y - 8) for x, y in run]), 4))
        if body.women and top.fit in ("fitted", "slim", "regular"):
            bust = [pose(side * body.chest * x, y) for x, y in ((0.85, 285), (0.5, 306), (0.18, 298))]
            shades.append((smooth(bust), 7))
            lights.append((smooth([(x, y - 26) for x, y in bust]), 12))
    lights.append((smooth([pose(-body.chest * 0.5, 215), pose(-body.chest * 0.55, 300)]), 18))
    shades.append((smooth([pose(*p) for p in hem]), 7))
    drape(canvas, tag, top.fabric.colour, [d], art, shades, lights, _details(canvas, frame, top, hem, neckline))
    _collar(canvas, frame, top, tag)


def _side(frame: Frame, top: Top, side: int) -> list[Point]:
    """Shoulder, armhole, side and hem of one half, upright coordinates, from the neck down."""
    body = frame.body
    w = _neck_width(frame, top)
    points = [(w, _shoulder_line(frame, w, 2))]
    if top.sleeve == "none":
        tip = w + 16 if top.neck == "straps" else body.shoulder - 6
        points += [(tip, _shoulder_line(frame, tip, 2)), (body.chest * 0.84 if top.neck != "straps" else body.chest * 0.74, 222), (body.chest * 0.93, 250)]
        points += [(_half_width(frame, top, ARMPIT + 8), ARMPIT + 8)]
    else:
        middle = (w + body.shoulder) / 2
        points += [(middle, _shoulder_line(frame, middle, 3)), (body.shoulder, _shoulder_line(frame, body.shoulder, 4)), (body.shoulder + 9, 192), (body.shoulder + 4, 240)]
        points += [(_half_width(frame, top, ARMPIT + 2), ARMPIT + 2)]
    for y in (320, WAIST - 24, WAIST + 6, 440, HIP, 560):
        if y < top.hem - 12:
            points.append((_half_width(frame, top, y), y))
    end = _half_width(frame, top, top.hem)
    if top.finish == "rib":
        # A ribbed band pulls the cloth in below the fullest point.
        points[-1] = (points[-1][0] + 4, points[-1][1])
        end = min(end, body.half(top.hem) + 5)
    if top.finish == "peplum":
        end += 26
    points.append((end, top.hem))
    return [(side * x, y) for x, y in points]


def _hem(frame: Frame, top: Top) -> list[Point]:
    """Hem from the viewer's right to left, upright coordinates."""
    x = _side(frame, top, 1)[-1][0]
    if top.finish == "curved":
        return [(x, top.hem), (x * 0.8, top.hem + 22), (x * 0.4, top.hem + 36), (0, top.hem + 38), (-x * 0.4, top.hem + 36), (-x * 0.8, top.hem + 22), (-x, top.hem)]
    sag = 8.0 if top.finish != "peplum" else 12.0
    return [(x, top.hem), (x * 0.5, top.hem + sag * 0.8), (0, top.hem + sag), (-x * 0.5, top.hem + sag * 0.8), (-x, top.hem)]


def _block(frame: Frame, top: Top) -> str:
    """Blocks of a second colour."""
    if top.block in ("", "raglan"):
        return ""
    p = frame.torso
    rows = {"yoke": (140, 262), "band": (290, 350), "bottom": (400, 620), "halves": (90, 620), "chest stripes": (268, 286)}
    top_y, bottom_y = rows[top.block]
    x0 = frame.centre(300) if top.block == "halves" else -200.0
    d = closed([p(x0, top_y), p(200, top_y)], [p(200, bottom_y), p(x0, bottom_y)])
    art = fill(d, top.block_colour)
    if top.block == "chest stripes":
        art += fill(closed([p(-200, 296), p(200, 296)], [p(200, 306), p(-200, 306)]), top.trim)
    return art


def _details(canvas: Canvas, frame: Frame, top: Top, hem: list[Point], neckline: list[Point]) -> str:
    """Seams, ribs, buttons, zips and pockets."""
    p = frame.torso
    colour = top.fabric.colour
    ink = darker(colour, 0.45) if lightness(colour) > 0.22 else lighter(colour, 0.22)
    art: list[str] = []
    neck = smooth([p(*q) for q in neckline])
    if top.neck in ("crew", "v", "scoop", "henley", "hood", "boat", "square", "straps"):
        width = 16.0 if top.kind in ("sweater", "sweatshirt", "tshirt") and top.neck != "hood" else 9.0
        art += [stroke(neck, top.trim, width), stroke(neck, darker(top.trim, 0.4), width + 2, 0.0)]
        inner = [(x * (1 - width / 2 / 60) if y < NECK + 20 else x, y + width / 2 + 0.6) for x, y in neckline]
        art.append(stroke(smooth([p(*q) for q in inner]), ink, 1.1, 0.55))
    edge = [p(x, y) for x, y in hem]
    if top.finish == "rib":
        band = [(x, y - 13) for x, y in edge]
        art.append(stroke(smooth(band), top.trim, 27))
        art += [stroke(f"M{number(edge[0][0] + (edge[-1][0] - edge[0][0]) * i / 40)} {number(edge[2][1] - 32)}v34", darker(top.trim, 0.4), 1.2, 0.4) for i in range(41)]
        art.append(stroke(smooth([(x, y - 27) for x, y in edge]), ink, 1.3, 0.6))
    elif top.finish != "peplum":
        art.append(stroke(smooth([(x, y - 9) for x, y in edge]), ink, 1.0, 0.5))
    if top.finish == "peplum":
        seam = [p(x, WAIST + 4) for x in (-120, -60, 0, 60, 120)]
        art.append(stroke(smooth(seam), ink, 1.6, 0.6))
        art += [stroke(smooth([p(x * 0.9, WAIST + 6), p(x * 1.15, top.hem + 8)]), darker(colour, 0.5), 2.2, 0.35) for x in (-62, -38, -14, 12, 36, 60)]
    if top.sleeve != "none":
        for side in SIDES:
            x = frame.body.shoulder
            art.append(stroke(smooth([p(side * (x - 1), SHOULDER - 10), p(side * (x - 7), 215), p(side * (frame.body.chest - 1), ARMPIT)]), ink, 1.2, 0.5))
    art += _front(frame, top, ink)
    art += _pockets(frame, top, ink)
    return "".join(art)


def _front(frame: Frame, top: Top, ink: str) -> list[str]:
    """Button stand, placket or zip down the middle."""
    p = frame.torso
    start = _shoulder_line(frame, _neck_width(frame, top), 2) + _neck_drop(top)
    art: list[str] = []

    def middle(y: float, off: float = 0.0) -> Point:
        return p(frame.centre(y) + off, y)

    if top.front == "buttons":
        levels = [start + (top.hem + 20 - start) * i / 8 for i in range(9)]
        art += [stroke(smooth([middle(y, off) for y in levels]), ink, 1.1, 0.6) for off in (-9, 9)]
        button = mix(top.trim, "#ffffff", 0.5) if lightness(top.fabric.colour) < 0.6 else darker(top.trim, 0.25)
        for y in levels[:-1]:
            x, by = middle(y + 8)
            art.append(f'<circle cx="{number(x)}" cy="{number(by)}" r="3.6" fill="{button}" stroke="{ink}" stroke-width="0.8"/>')
    elif top.front == "placket":
        levels = [start - 4, start + 26, start + 58]
        art.append(stroke(smooth([middle(y) for y in levels]), top.trim, 17))
        art += [stroke(smooth([middle(y, off) for y in levels]), ink, 1.1, 0.6) for off in (-9, 9)]
        for y in levels:
            x, by = middle(y + 4)
            art.append(f'<circle cx="{number(x)}" cy="{number(by)}" r="3.2" fill="#f3efe6" stroke="{ink}" stroke-width="0.9"/>')
    elif top.front == "zip":
        levels = [start - 6 + (top.hem + 14 - start) * i / 6 for i in range(7)]
        run = smooth([middle(y) for y in levels])
        art += [stroke(run, ink, 9, 0.7), stroke(run, "#c9ccd2", 4.2, 1, 'stroke-dasharray="1.5 2.6"')]
        x, y = middle(start + 10)
        art.append(f'<rect x="{number(x - 3)}" y="{number(y)}" width="6" height="15" rx="2" fill="#d8dade" stroke="#555" stroke-width="0.8"/>')
    elif top.front == "wrap":
        y = start
        art.append(stroke(smooth([p(-frame.body.chest * 0.5, NECK + 26), middle(y + 30, 10), p(frame.body.waist * 0.9, WAIST)]), ink, 2.2, 0.7))
    return art


def _pockets(frame: Frame, top: Top, ink: str) -> list[str]:
    p = frame.torso
    c = frame.centre(300)
    if top.pocket == "chest":
        box = [p(c + x, y) for x, y in ((22, 262), (62, 262), (62, 304), (42, 313), (22, 304), (22, 262))]
        return ["".join(["<g>", stroke("M" + "L".join(f"{number(x)} {number(y)}" for x, y in box), ink, 1.6, 0.7), stroke(smooth([box[0], box[1]]), ink, 3, 0.5), "</g>"])]
    if top.pocket == "kangaroo":
        run = [(-44, 412), (-66, 470), (-66, 488), (66, 488), (66, 470), (44, 412), (-44, 412)]
        return [stroke("M" + "L".join(f"{number(x)} {number(y)}" for x, y in [p(c + x, y) for x, y in run]), ink, 2.0, 0.7)]
    if top.pocket == "slant":
        return [stroke(smooth([p(s * 38, 452), p(s * 62, 410)]), ink, 3.4, 0.8) for s in SIDES]
    if top.pocket == "flap":
        art = []
        for s in SIDES:
            box = [p(s * x, y) for x, y in ((20, 256), (66, 256), (66, 272), (43, 281), (20, 272), (20, 256))]
            art.append(stroke("M" + "L".join(f"{number(x)} {number(y)}" for x, y in box) + "Z", ink, 1.8, 0.8))
            art.append(stroke(smooth([p(s * 24, 276), p(s * 30, 440)]), ink, 1.4, 0.6))
            art.append(stroke(smooth([p(s * 62, 276), p(s * 54, 440)]), ink, 1.4, 0.6))
        art.append(stroke(smooth([p(-130, 240), p(0, 236), p(130, 240)]), ink, 1.8, 0.7))
        return art
    return []


def _collar(canvas: Canvas, frame: Frame, top: Top, tag: str) -> None:
    """Collars, hoods' edges and high necks, over the trunk."""
    p = frame.torso
    w = _neck_width(frame, top)
    y = _shoulder_line(frame, w, 2)
    drop = _neck_drop(top)
    c = frame.centre(y + drop) * 0.5
    trim = top.trim
    ink = darker(trim, 0.5) if lightness(trim) > 0.2 else lighter(trim, 0.25)
    if top.neck in ("shirt", "polo"):
        long = 44 if top.neck == "shirt" else 36
        for side in SIDES:
            leaf = [p(side * (w - 3), y - 19), p(side * (w * 0.62) + c * 0.4, y + drop * 0.3), p(c + side * 2, y + drop + 1), p(c + side * 27, y + drop + long * 0.62), p(side * (w + 16), y + 11), p(side * (w + 2), y - 10)]
            d = closed(leaf[:3], [leaf[2], leaf[3]], [leaf[3], leaf[4]], [leaf[4], leaf[5], leaf[0]])
            layers = paints(canvas, top.fabric, p(0, 300), side * 25) if trim == top.fabric.colour else [trim]
            drape(canvas, tag, trim, [d], coat(d, layers), [(smooth(leaf[:3]), 9), (smooth([leaf[3], leaf[4]]), 4)], details=stroke(smooth([leaf[3], leaf[4]]), ink, 1.2, 0.5))
    elif top.neck in ("turtle", "stand"):
        height = 40 if top.neck == "turtle" else 26
        rim = frame.body.neck + 5
        band = [p(-w - 5, y + 7), p(-rim - 1, y - height * 0.5), p(-rim, y - height)], [p(-rim, y - height), p(0, y - height + 9), p(rim, y - height)], [p(rim, y - height), p(rim + 1, y - height * 0.5), p(w + 5, y + 7)], [p(w + 5, y + 7), p(0, y + drop + 6), p(-w - 5, y + 7)]
        d = closed(*band)
        ribs = "".join(stroke(smooth([p(x * 0.8, y - height), p(x, y + drop)]), ink, 1.1, 0.4) for x in range(-40, 41, 6))
        split = stroke(smooth([p(c, y - height), p(c, y + drop + 8)]), ink, 2.4, 0.8) if top.neck == "stand" else ""
        drape(canvas, tag, trim, [d], fill(d, trim), [(smooth(band[2]), 14), (smooth(band[3]), 7)], details=ribs + split)
    elif top.neck == "hood":
        for side in SIDES:
            edge = [p(side * (w + 10), y - 12), p(side * (w + 2), y + drop * 0.55), p(c + side * 4, y + drop + 8)]
            outer = [p(c + side * 12, y + drop + 16), p(side * (w + 15), y + drop * 0.6), p(side * (w + 24), y - 2)]
            d = closed(edge, outer)
            drape(canvas, tag, top.fabric.colour, [d], coat(d, paints(canvas, top.fabric)), [(smooth(edge), 6)])
            canvas.add(stroke(smooth([p(c + side * 15, y + drop + 6), p(c + side * 18, y + drop + 40), p(c + side * 16, y + drop + 70)]), trim, 3.6))
    elif top.neck == "lapel":
        for side in SIDES:
            leaf = [p(side * (w - 2), y - 14), p(side * (w * 0.6), y + drop * 0.45), p(c + side * 1, y + drop)]
            outer = [p(c + side * 1, y + drop), p(side * 46, y + drop * 0.62), p(side * 58, y + drop * 0.4), p(side * 40, y + drop * 0.34), p(side * (w + 16), y + 8)]
            d = closed(leaf, outer[:2], outer[1:3], outer[2:4], [outer[3], outer[4], leaf[0]])
            drape(canvas, tag, trim, [d], coat(d, paints(canvas, top.fabric, p(0, 300), side * 20)) if trim == top.fabric.colour else fill(d, trim), [(smooth(outer[:3]), 5)], details=stroke(smooth(outer[:3]), ink, 1.3, 0.6))


def draw_sleeve(canvas: Canvas, frame: Frame, top: Top, side: int, tag: str) -> None:
    """One sleeve, over the arm."""
    if top.sleeve == "none":
        return
    cover = SLEEVES[top.sleeve]
    base = FITS[top.fit][0]
    flare = {"cap": 6.0, "short": 7.0, "elbow": 6.0}.get(top.sleeve, 2.0) + base * 0.4
    knots: list[tuple[float, float]] = [(0.0, 4.0), (0.15, base + 1), (cover * 0.7, base + flare * 0.6), (cover, base + flare)]
    if top.sleeve in ("long", "three-quarter"):
        knots = [(0.0, 4.0), (0.2, base), (0.5, base + 2), (0.85, base + 2), (cover, 4.0 if top.finish == "rib" else base * 0.5 + 4)]
    if top.puff:
        knots = [(0.0, 4 + top.puff * 0.3), (cover * 0.4, base + top.puff), (cover * 0.8, base + top.puff * 1.1), (cover, 4.0)]
    whole = frame.arm(side, tuple(knots))
    sleeve = whole.part(0.0, cover)
    # The hem of a sleeve is a shallow arc round the arm.
    end = [sleeve.left[-1], (sleeve.spine[-1][0], sleeve.spine[-1][1] + 5), sleeve.right[-1]]
    cap = sleeve.arc(root=True)
    d = smooth(list(sleeve.left)) + smooth(end, move=False) + smooth(list(reversed(sleeve.right)), move=False) + smooth([sleeve.right[0], *cap, sleeve.left[0]], move=False) + "Z"
    fabric = top.fabric if top.block != "raglan" else Fabric(top.block_colour)
    if top.kind == "varsity":
        fabric = Fabric(top.block_colour)
    if top.block == "halves" and side > 0:
        fabric = Fabric(top.block_colour)
    if top.block == "yoke" and cover <= 0.45:
        fabric = Fabric(top.block_colour)
    art = coat(d, paints(canvas, fabric, whole.at(0.3), whole.angle(0.25)))
    if cover > 0.55 and fabric.pattern != "solid":
        lower = sleeve.part(0.5 / cover, 1.0).outline()
        art += coat(lower, paints(canvas, fabric, whole.at(0.7), whole.angle(0.8)))
    colour = fabric.colour
    ink = darker(colour, 0.45) if lightness(colour) > 0.22 else lighter(colour, 0.22)
    inner = 1 if side < 0 else -1
    shades = [(smooth(sleeve.edge(1, 0.2)), 17.0), (smooth(sleeve.edge(-1, 0.2)), 9.0), (smooth(sleeve.edge(inner, 0.4)), 12.0), (smooth(end), 5.0)]
    lights = [(smooth(sleeve.edge(-0.35, 0.05, 0.9)), 9.0)]
    rng = Random(top.folds + side)
    for _ in range(3 if cover > 0.5 else 1):
        t = rng.uniform(0.38, 0.62) / cover if cover > 0.5 else rng.uniform(0.5, 0.7)
        run = [whole.at(t * cover, -0.95 * inner), whole.at(min(t + 0.05, 1) * cover, 0.0), whole.at(min(t + 0.02, 1) * cover, 0.7 * inner)]
        shades.append((smooth(run), 4.0))
        lights.append((smooth([(x, y - 6) for x, y in run]), 4.0))
    details = stroke(smooth([(x, y - 8) for x, y in end]), ink, 1.0, 0.5)
    if top.finish == "rib" and top.sleeve == "long":
        details = stroke(smooth([(x, y - 10) for x, y in end]), top.trim, 22) + stroke(smooth(_raise(sleeve, 0.9)), ink, 1.2, 0.6)
    elif top.kind in ("shirt", "denim jacket") and top.sleeve == "long":
        details += stroke(smooth(_raise(sleeve, 0.9)), ink, 1.4, 0.6)
    elif top.neck == "polo" and top.sleeve == "short":
        details = stroke(smooth([(x, y - 5) for x, y in end]), top.trim, 12) + details
    elif top.puff:
        details = stroke(smooth([(x, y - 3) for x, y in end]), darker(colour, 0.3), 5, 0.6)
    drape(canvas, tag, colour, [d], art, shades, lights, details)


def _raise(sleeve: Limb, t: float) -> list[Point]:
    a, b, m = sleeve.at(t, -1), sleeve.at(t, 1), sleeve.at(t)
    return [a, (m[0], m[1] + 4), b]
