"""Draws tops: T-shirts, shirts, knitwear, hoodies, blouses and jackets, on a person or a ghost mannequin."""

from __future__ import annotations

from random import Random

from fullshot.demo.drawing.canvas import Canvas, fill, stroke
from fullshot.demo.drawing.cuts import (
    FITS,
    SLEEVES,
    Top,
    half_width,
    hem_line,
    neck_width,
    neckline_curve,
    shoulder_line,
    side_seam,
)
from fullshot.demo.drawing.fabrics import coat, drape
from fullshot.demo.drawing.figure import SIDES, WAIST, Frame
from fullshot.demo.drawing.geometry import Limb, Point, closed, number, smooth
from fullshot.demo.drawing.palette import darker, lighter, lightness
from fullshot.demo.drawing.patterns import Fabric, motif
from fullshot.demo.drawing.trims import colour_block, draw_collar, finishings


def draw_back(canvas: Canvas, frame: Frame, top: Top, tag: str) -> None:
    """What is seen inside the neckline behind the neck, and a hood."""
    w = neck_width(frame, top)
    y = shoulder_line(frame, w, 2)
    if top.neck == "hood":
        points = [
            (-w - 26, y + 26),
            (-w - 22, y - 6),
            (-w - 8, y - 34),
            (-24, y - 46),
            (24, y - 46),
            (w + 8, y - 34),
            (w + 22, y - 6),
            (w + 26, y + 26),
        ]
        outline = [frame.torso(x, py) for x, py in points]
        d = closed(outline, [outline[-1], frame.torso(0, y + 50), outline[0]])
        drape(canvas, tag, top.fabric.colour, [d], coat(canvas, d, top.fabric), [(smooth(outline), 16)], depth=0.8)
    rise = {"shirt": 22.0, "polo": 17.0, "stand": 20.0, "turtle": 20.0}.get(
        top.neck, 7.0 if top.neck not in ("straps", "boat", "square") else 1.0
    )
    back = [(-w - 1, y + 1), (-w * 0.7, y - rise * 0.85), (0, y - rise), (w * 0.7, y - rise * 0.85), (w + 1, y + 1)]
    upper = [frame.torso(x, py) for x, py in back]
    front = [frame.torso(x, py + 3) for x, py in reversed(neckline_curve(frame, top))]
    d = closed(upper, front)
    inner = darker(top.trim if top.neck in ("shirt", "polo") else top.fabric.colour, 0.35)
    lower = [(x * 0.92 + 0.08 * upper[2][0], py + 8) for x, py in upper]
    band = fill(closed(upper, lower[::-1]), top.trim) if top.neck != "straps" else ""
    drape(canvas, tag, inner, [d], fill(d, inner), [(smooth(front), 12)], details=band)


def draw_body(canvas: Canvas, frame: Frame, top: Top, tag: str) -> None:
    """The trunk of the top."""
    rng = Random(top.folds)
    body = frame.body
    right = side_seam(frame, top, 1)
    left = side_seam(frame, top, -1)
    hem = hem_line(frame, top)
    neckline = neckline_curve(frame, top)
    pose = frame.torso
    d = closed(
        [pose(*p) for p in right],
        [pose(*p) for p in hem],
        [pose(*p) for p in reversed(left)],
        [pose(*p) for p in neckline],
    )
    origin = pose(frame.centre(300), 300)
    angle = (frame.pose.shoulder_tilt + frame.pose.hip_tilt) / 2
    art = coat(canvas, d, top.fabric, origin, angle)
    if top.print_name:
        x, y = pose(frame.centre(296), 296)
        squeeze = 1 - abs(frame.pose.turn) * 0.25
        k = top.print_size * (1.0 if not body.women else 0.88)
        art += f'<g transform="translate({number(x)} {number(y)}) rotate({number(angle)}) scale({k * squeeze:.2f} {k:.2f})">{motif(top.print_name, *top.print_colours)}</g>'
    shades: list[tuple[str, float]] = [
        (smooth([pose(*p) for p in right[3:]]), 26),
        (smooth([pose(*p) for p in left[3:]]), 15),
    ]
    lights: list[tuple[str, float]] = []
    for side in SIDES:
        half = half_width(frame, top, 330)
        # Cloth pulls from the armpit to the middle and gathers over the waist.
        for _ in range(2):
            y0 = rng.uniform(258, 290)
            run = [
                pose(side * half * 0.97, y0),
                pose(side * half * rng.uniform(0.6, 0.72), y0 + rng.uniform(14, 34)),
                pose(side * half * 0.42, y0 + rng.uniform(48, 80)),
            ]
            shades.append((smooth(run), 5))
            lights.append((smooth([(x + 3, y - 8) for x, y in run]), 5))
        for _ in range(2):
            y0 = rng.uniform(WAIST - 20, min(WAIST + 60, top.hem - 24))
            run = [
                pose(side * half * 0.98, y0),
                pose(side * half * 0.62, y0 + rng.uniform(2, 16)),
                pose(side * half * 0.3, y0 + rng.uniform(-4, 22)),
            ]
            shades.append((smooth(run), 5))
            lights.append((smooth([(x, y - 8) for x, y in run]), 4))
        if body.women and top.fit in ("fitted", "slim", "regular"):
            bust = [pose(side * body.chest * x, y) for x, y in ((0.85, 285), (0.5, 306), (0.18, 298))]
            shades.append((smooth(bust), 7))
            lights.append((smooth([(x, y - 26) for x, y in bust]), 12))
    lights.append((smooth([pose(-body.chest * 0.5, 215), pose(-body.chest * 0.55, 300)]), 18))
    shades.append((smooth([pose(*p) for p in hem]), 7))
    drape(
        canvas,
        tag,
        top.fabric.colour,
        [d],
        art,
        shades,
        lights,
        finishings(frame, top, hem, neckline),
        colour_block(frame, top),
    )
    draw_collar(canvas, frame, top, tag)


def draw_sleeve(canvas: Canvas, frame: Frame, top: Top, side: int, tag: str) -> None:
    """One sleeve, over the arm."""
    if top.sleeve == "none":
        return
    cover = SLEEVES[top.sleeve]
    base = FITS[top.fit][0]
    flare = {"cap": 6.0, "short": 7.0, "elbow": 6.0}.get(top.sleeve, 2.0) + base * 0.4
    knots: list[tuple[float, float]] = [
        (0.0, 4.0),
        (0.15, base + 1),
        (cover * 0.7, base + flare * 0.6),
        (cover, base + flare),
    ]
    if top.sleeve in ("long", "three-quarter"):
        knots = [
            (0.0, 4.0),
            (0.2, base),
            (0.5, base + 2),
            (0.85, base + 2),
            (cover, 4.0 if top.finish == "rib" else base * 0.5 + 4),
        ]
    if top.puff:
        knots = [
            (0.0, 4 + top.puff * 0.3),
            (cover * 0.4, base + top.puff),
            (cover * 0.8, base + top.puff * 1.1),
            (cover, 4.0),
        ]
    whole = frame.arm(side, tuple(knots))
    sleeve = whole.part(0.0, cover)
    # The hem of a sleeve is a shallow arc round the arm.
    end = [sleeve.left[-1], (sleeve.spine[-1][0], sleeve.spine[-1][1] + 5), sleeve.right[-1]]
    cap = sleeve.arc(root=True)
    d = (
        smooth(list(sleeve.left))
        + smooth(end, move=False)
        + smooth(list(reversed(sleeve.right)), move=False)
        + smooth([sleeve.right[0], *cap, sleeve.left[0]], move=False)
        + "Z"
    )
    fabric = top.fabric if top.block != "raglan" else Fabric(top.block_colour)
    if top.kind == "varsity":
        fabric = Fabric(top.block_colour)
    if top.block == "halves" and side > 0:
        fabric = Fabric(top.block_colour)
    if top.block == "yoke" and cover <= 0.45:
        fabric = Fabric(top.block_colour)
    art = coat(canvas, d, fabric, whole.at(0.3), whole.angle(0.25))
    if cover > 0.55 and fabric.pattern != "solid":
        lower = sleeve.part(0.5 / cover, 1.0).outline()
        art += coat(canvas, lower, fabric, whole.at(0.7), whole.angle(0.8))
    colour = fabric.colour
    ink = darker(colour, 0.45) if lightness(colour) > 0.22 else lighter(colour, 0.22)
    inner = 1 if side < 0 else -1
    shades = [
        (smooth(sleeve.edge(1, 0.2)), 17.0),
        (smooth(sleeve.edge(-1, 0.2)), 9.0),
        (smooth(sleeve.edge(inner, 0.4)), 12.0),
        (smooth(end), 5.0),
    ]
    lights = [(smooth(sleeve.edge(-0.35, 0.05, 0.9)), 9.0)]
    rng = Random(top.folds + side)
    for _ in range(3 if cover > 0.5 else 1):
        t = rng.uniform(0.38, 0.62) / cover if cover > 0.5 else rng.uniform(0.5, 0.7)
        run = [
            whole.at(t * cover, -0.95 * inner),
            whole.at(min(t + 0.05, 1) * cover, 0.0),
            whole.at(min(t + 0.02, 1) * cover, 0.7 * inner),
        ]
        shades.append((smooth(run), 4.0))
        lights.append((smooth([(x, y - 6) for x, y in run]), 4.0))
    details = stroke(smooth([(x, y - 8) for x, y in end]), ink, 1.0, 0.5)
    if top.finish == "rib" and top.sleeve == "long":
        cuff = _across(sleeve, 0.915)
        details = fill(closed(end, cuff[::-1]), top.trim) + stroke(smooth(cuff), ink, 1.2, 0.6)
    elif top.kind in ("shirt", "denim jacket") and top.sleeve == "long":
        details += stroke(smooth(_across(sleeve, 0.9)), ink, 1.4, 0.6)
    elif top.neck == "polo" and top.sleeve == "short":
        details = fill(closed(end, _across(sleeve, 0.86)[::-1]), top.trim) + stroke(
            smooth(_across(sleeve, 0.86)), ink, 1.1, 0.6
        )
    elif top.puff:
        details = stroke(smooth([(x, y - 3) for x, y in end]), darker(colour, 0.3), 4, 0.6)
    drape(canvas, tag, colour, [d], art, shades, lights, details)


def _across(sleeve: Limb, t: float) -> list[Point]:
    a, b, m = sleeve.at(t, -1), sleeve.at(t, 1), sleeve.at(t)
    return [a, (m[0], m[1] + 4), b]
