"""Draws what makes a top a T-shirt, a shirt or a jacket: collars, plackets, pockets, ribs and colour blocks."""

from __future__ import annotations

from fullshot.demo.drawing.canvas import Canvas, fill, stroke
from fullshot.demo.drawing.cuts import Top, half_width, neck_drop, neck_width, shoulder_line
from fullshot.demo.drawing.fabrics import coat, drape
from fullshot.demo.drawing.figure import ARMPIT, NECK, SHOULDER, SIDES, WAIST, Frame
from fullshot.demo.drawing.geometry import Point, closed, number, smooth
from fullshot.demo.drawing.palette import darker, lighter, lightness, mix


def colour_block(frame: Frame, top: Top) -> str:
    """Blocks of a second colour."""
    if top.block in ("", "raglan"):
        return ""
    p = frame.torso
    rows = {
        "yoke": (140, 262),
        "band": (290, 350),
        "bottom": (400, 620),
        "halves": (90, 620),
        "chest stripes": (268, 286),
    }
    top_y, bottom_y = rows[top.block]
    x0 = frame.centre(300) if top.block == "halves" else -200.0
    d = closed([p(x0, top_y), p(200, top_y)], [p(200, bottom_y), p(x0, bottom_y)])
    art = fill(d, top.block_colour)
    if top.block == "chest stripes":
        art += fill(closed([p(-200, 296), p(200, 296)], [p(200, 306), p(-200, 306)]), top.trim)
    return art


def finishings(frame: Frame, top: Top, hem: list[Point], neckline: list[Point]) -> str:
    """Seams, ribs, buttons, zips and pockets."""
    p = frame.torso
    colour = top.fabric.colour
    ink = darker(colour, 0.45) if lightness(colour) > 0.22 else lighter(colour, 0.22)
    art: list[str] = []
    if top.neck in ("crew", "v", "scoop", "henley", "hood", "boat", "square", "straps"):
        width = 8.0 if top.kind in ("sweater", "sweatshirt", "tshirt") and top.neck != "hood" else 4.5
        # The trim lies below the neckline: as wide at its ends along the shoulder as it is in the middle.
        inner = [
            (
                x * (1 + width / (abs(neckline[0][0]) + 8) * abs(x / neckline[0][0]) ** 3),
                y + width * (1 - 0.7 * abs(x / neckline[0][0]) ** 6),
            )
            for x, y in neckline
        ]
        rim = [p(*q) for q in inner]
        art += [fill(closed([p(*q) for q in neckline], rim[::-1]), top.trim), stroke(smooth(rim), ink, 1.1, 0.55)]
    edge = [p(x, y) for x, y in hem]
    if top.finish == "rib":
        art.append(fill(closed(edge, [(x, y - 27) for x, y in reversed(edge)]), top.trim))
        art += [
            stroke(
                f"M{number(edge[0][0] + (edge[-1][0] - edge[0][0]) * i / 40)} {number(edge[2][1] - 32)}v30",
                darker(top.trim, 0.4),
                1.2,
                0.4,
            )
            for i in range(41)
        ]
        art.append(stroke(smooth([(x, y - 27) for x, y in edge]), ink, 1.3, 0.6))
    elif top.finish != "peplum":
        art.append(stroke(smooth([(x, y - 9) for x, y in edge]), ink, 1.0, 0.5))
    if top.finish == "peplum":
        seam = [p(x * half_width(frame, top, WAIST), WAIST + 4) for x in (-1, -0.5, 0, 0.5, 1)]
        art.append(stroke(smooth(seam), ink, 1.6, 0.6))
        art += [
            stroke(smooth([p(x * 0.9, WAIST + 6), p(x * 1.15, top.hem + 8)]), darker(colour, 0.5), 2.2, 0.35)
            for x in (-62, -38, -14, 12, 36, 60)
        ]
    if top.sleeve != "none":
        for side in SIDES:
            x = frame.body.shoulder
            art.append(
                stroke(
                    smooth(
                        [
                            p(side * (x - 1), SHOULDER - 10),
                            p(side * (x - 7), 215),
                            p(side * (frame.body.chest - 1), ARMPIT),
                        ]
                    ),
                    ink,
                    1.2,
                    0.5,
                )
            )
    art += _front(frame, top, ink)
    art += _pockets(frame, top, ink)
    return "".join(art)


def _front(frame: Frame, top: Top, ink: str) -> list[str]:
    """Button stand, placket or zip down the middle."""
    p = frame.torso
    start = shoulder_line(frame, neck_width(frame, top), 2) + neck_drop(top)
    art: list[str] = []

    def middle(y: float, off: float = 0.0) -> Point:
        return p(frame.centre(y) + off, y)

    if top.front == "buttons":
        levels = [start + (top.hem + (30 if top.finish == "curved" else 4) - start) * i / 8 for i in range(9)]
        art += [stroke(smooth([middle(y, off) for y in levels]), ink, 1.1, 0.6) for off in (-9, 9)]
        button = mix(top.trim, "#ffffff", 0.5) if lightness(top.fabric.colour) < 0.6 else darker(top.trim, 0.25)
        for y in levels[:-1]:
            x, by = middle(y + 8)
            art.append(
                f'<circle cx="{number(x)}" cy="{number(by)}" r="3.6" fill="{button}" stroke="{ink}" stroke-width="0.8"/>'
            )
    elif top.front == "placket":
        levels = [start - 4, start + 26, start + 58]
        art.append(stroke(smooth([middle(y) for y in levels]), top.trim, 17))
        art += [stroke(smooth([middle(y, off) for y in levels]), ink, 1.1, 0.6) for off in (-9, 9)]
        for y in levels:
            x, by = middle(y + 4)
            art.append(
                f'<circle cx="{number(x)}" cy="{number(by)}" r="3.2" fill="#f3efe6" stroke="{ink}" stroke-width="0.9"/>'
            )
    elif top.front == "zip":
        levels = [start - 6 + (top.hem + 14 - start) * i / 6 for i in range(7)]
        run = smooth([middle(y) for y in levels])
        art += [stroke(run, ink, 9, 0.7), stroke(run, "#c9ccd2", 4.2, 1, 'stroke-dasharray="1.5 2.6"')]
        x, y = middle(start + 10)
        art.append(
            f'<rect x="{number(x - 3)}" y="{number(y)}" width="6" height="15" rx="2" fill="#d8dade" stroke="#555" stroke-width="0.8"/>'
        )
    elif top.front == "wrap":
        y = start
        art.append(
            stroke(
                smooth([p(-frame.body.chest * 0.5, NECK + 26), middle(y + 30, 10), p(frame.body.waist * 0.9, WAIST)]),
                ink,
                2.2,
                0.7,
            )
        )
    return art


def _pockets(frame: Frame, top: Top, ink: str) -> list[str]:
    p = frame.torso
    c = frame.centre(300)
    if top.pocket == "chest":
        box = [p(c + x, y) for x, y in ((22, 262), (62, 262), (62, 304), (42, 313), (22, 304), (22, 262))]
        return [
            "".join(
                [
                    "<g>",
                    stroke("M" + "L".join(f"{number(x)} {number(y)}" for x, y in box), ink, 1.6, 0.7),
                    stroke(smooth([box[0], box[1]]), ink, 3, 0.5),
                    "</g>",
                ]
            )
        ]
    if top.pocket == "kangaroo":
        run = [(-44, 412), (-66, 470), (-66, 488), (66, 488), (66, 470), (44, 412), (-44, 412)]
        return [
            stroke("M" + "L".join(f"{number(x)} {number(y)}" for x, y in [p(c + x, y) for x, y in run]), ink, 2.0, 0.7)
        ]
    if top.pocket == "slant":
        return [stroke(smooth([p(s * 38, 452), p(s * 62, 410)]), ink, 3.4, 0.8) for s in SIDES]
    if top.pocket == "flap":
        art = []
        for s in SIDES:
            box = [p(s * x, y) for x, y in ((20, 256), (66, 256), (66, 272), (43, 281), (20, 272), (20, 256))]
            art.append(stroke("M" + "L".join(f"{number(x)} {number(y)}" for x, y in box) + "Z", ink, 1.8, 0.8))
            art.append(stroke(smooth([p(s * 24, 276), p(s * 30, 440)]), ink, 1.4, 0.6))
            art.append(stroke(smooth([p(s * 62, 276), p(s * 54, 440)]), ink, 1.4, 0.6))
        art.append(
            stroke(smooth([p(-frame.body.shoulder, 240), p(0, 236), p(frame.body.shoulder, 240)]), ink, 1.8, 0.7)
        )
        return art
    return []


def draw_collar(canvas: Canvas, frame: Frame, top: Top, tag: str) -> None:
    """Collars, hoods' edges and high necks, over the trunk."""
    p = frame.torso
    w = neck_width(frame, top)
    y = shoulder_line(frame, w, 2)
    drop = neck_drop(top)
    c = frame.centre(y + drop) * 0.5
    trim = top.trim
    ink = darker(trim, 0.5) if lightness(trim) > 0.2 else lighter(trim, 0.25)
    if top.neck in ("shirt", "polo"):
        long = 44 if top.neck == "shirt" else 36
        for side in SIDES:
            leaf = [
                p(side * (w - 3), y - 19),
                p(side * (w * 0.62) + c * 0.4, y + drop * 0.3),
                p(c + side * 2, y + drop + 1),
                p(c + side * 27, y + drop + long * 0.62),
                p(side * (w + 16), y + 11),
                p(side * (w + 2), y - 10),
            ]
            d = closed(leaf[:3], [leaf[2], leaf[3]], [leaf[3], leaf[4]], [leaf[4], leaf[5], leaf[0]])
            art = coat(canvas, d, top.fabric, p(0, 300), side * 25) if trim == top.fabric.colour else fill(d, trim)
            drape(
                canvas,
                tag,
                trim,
                [d],
                art,
                [(smooth(leaf[:3]), 9), (smooth([leaf[3], leaf[4]]), 4)],
                details=stroke(smooth([leaf[3], leaf[4]]), ink, 1.2, 0.5),
            )
    elif top.neck in ("turtle", "stand"):
        height = 40 if top.neck == "turtle" else 26
        rim = frame.body.neck + 5
        band = (
            [p(-w - 5, y + 7), p(-rim - 1, y - height * 0.5), p(-rim, y - height)],
            [p(-rim, y - height), p(0, y - height + 9), p(rim, y - height)],
            [p(rim, y - height), p(rim + 1, y - height * 0.5), p(w + 5, y + 7)],
            [p(w + 5, y + 7), p(0, y + drop + 6), p(-w - 5, y + 7)],
        )
        d = closed(*band)
        ribs = "".join(
            stroke(smooth([p(x * 0.8, y - height), p(x, y + drop)]), ink, 1.1, 0.4) for x in range(-40, 41, 6)
        )
        split = stroke(smooth([p(c, y - height), p(c, y + drop + 8)]), ink, 2.4, 0.8) if top.neck == "stand" else ""
        drape(
            canvas, tag, trim, [d], fill(d, trim), [(smooth(band[2]), 14), (smooth(band[3]), 7)], details=ribs + split
        )
    elif top.neck == "hood":
        for side in SIDES:
            edge = [p(side * (w + 10), y - 12), p(side * (w + 2), y + drop * 0.55), p(c + side * 4, y + drop + 8)]
            outer = [p(c + side * 12, y + drop + 16), p(side * (w + 15), y + drop * 0.6), p(side * (w + 24), y - 2)]
            d = closed(edge, outer)
            drape(canvas, tag, top.fabric.colour, [d], coat(canvas, d, top.fabric), [(smooth(edge), 6)])
            canvas.add(
                stroke(
                    smooth(
                        [
                            p(c + side * 15, y + drop + 6),
                            p(c + side * 18, y + drop + 40),
                            p(c + side * 16, y + drop + 70),
                        ]
                    ),
                    trim,
                    3.6,
                )
            )
    elif top.neck == "lapel":
        for side in SIDES:
            leaf = [p(side * (w - 2), y - 14), p(side * (w * 0.6), y + drop * 0.45), p(c + side * 1, y + drop)]
            outer = [
                p(c + side * 1, y + drop),
                p(side * 46, y + drop * 0.62),
                p(side * 58, y + drop * 0.4),
                p(side * 40, y + drop * 0.34),
                p(side * (w + 16), y + 8),
            ]
            d = closed(leaf, outer[:2], outer[1:3], outer[2:4], [outer[3], outer[4], leaf[0]])
            drape(
                canvas,
                tag,
                trim,
                [d],
                coat(canvas, d, top.fabric, p(0, 300), side * 20) if trim == top.fabric.colour else fill(d, trim),
                [(smooth(outer[:3]), 5)],
                details=stroke(smooth(outer[:3]), ink, 1.3, 0.6),
            )
