"""The cut of a top: its design, and the lines it is cut along on a given body, in upright coordinates."""

from __future__ import annotations

from dataclasses import dataclass

from fullshot.demo.drawing.figure import ARMPIT, HIP, NECK, SHOULDER, WAIST, Frame
from fullshot.demo.drawing.geometry import Point, curve, lerp
from fullshot.demo.drawing.patterns import Fabric

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


def neck_width(frame: Frame, top: Top) -> float:
    """Half width of the neck hole at the shoulder line."""
    extra = {
        "crew": 9,
        "v": 10,
        "scoop": 20,
        "boat": 34,
        "square": 24,
        "henley": 9,
        "polo": 6,
        "shirt": 6,
        "hood": 12,
        "turtle": 4,
        "stand": 8,
        "straps": 26,
        "lapel": 9,
    }
    return frame.body.neck + 4 + extra.get(top.neck, 9)


def neck_drop(top: Top) -> float:
    """How far the neckline falls below the shoulder line in the middle."""
    return {
        "crew": 25,
        "v": 68,
        "scoop": 58,
        "boat": 20,
        "square": 52,
        "henley": 25,
        "polo": 24,
        "shirt": 26,
        "hood": 34,
        "turtle": 16,
        "stand": 20,
        "straps": 60,
        "lapel": 96,
    }.get(top.neck, 25)


def shoulder_line(frame: Frame, x: float, lift: float) -> float:
    """Upright level of the shoulder line at `x` from the midline."""
    body = frame.body
    start, end = body.neck + 6, body.shoulder
    t = (x - start) / (end - start)
    return lerp(NECK, SHOULDER - 4, t) + (3 * t * (1 - t) if 0 < t < 1 else 0.0) - lift


def neckline_curve(frame: Frame, top: Top) -> list[Point]:
    """The front neckline from the viewer's left to right, upright coordinates."""
    w, drop = neck_width(frame, top), neck_drop(top)
    y = shoulder_line(frame, w, 2)
    c = frame.centre(y + drop) * 0.5
    if top.neck in ("v", "lapel"):
        return [
            (-w, y),
            (-w * 0.55 + c * 0.5, y + drop * 0.5),
            (c, y + drop),
            (w * 0.55 + c * 0.5, y + drop * 0.5),
            (w, y),
        ]
    if top.neck in ("square", "straps"):
        return [
            (-w, y),
            (-w + 2, y + drop * 0.8),
            (-w + 8, y + drop),
            (c, y + drop + 2),
            (w - 8, y + drop),
            (w - 2, y + drop * 0.8),
            (w, y),
        ]
    return [
        (-w, y),
        (-w * 0.86 + c * 0.3, y + drop * 0.5),
        (-w * 0.45 + c, y + drop * 0.92),
        (c, y + drop),
        (w * 0.45 + c, y + drop * 0.92),
        (w * 0.86 + c * 0.3, y + drop * 0.5),
        (w, y),
    ]


def half_width(frame: Frame, top: Top, y: float) -> float:
    """Half width of the top at level `y`: the body and the ease of the fit."""
    a, b, c = FITS[top.fit]
    ease = curve(y, ((ARMPIT, a), (WAIST, b), (HIP + 20, c)))
    return frame.body.half(y) + ease


def side_seam(frame: Frame, top: Top, side: int) -> list[Point]:
    """Shoulder, armhole, side and hem of one half, upright coordinates, from the neck down."""
    body = frame.body
    w = neck_width(frame, top)
    points = [(w, shoulder_line(frame, w, 2))]
    if top.sleeve == "none":
        tip = w + 16 if top.neck == "straps" else body.shoulder - 6
        points += [
            (tip, shoulder_line(frame, tip, 2)),
            (body.chest * 0.84 if top.neck != "straps" else body.chest * 0.74, 222),
            (body.chest * 0.93, 250),
        ]
        points += [(half_width(frame, top, ARMPIT + 8), ARMPIT + 8)]
    else:
        middle = (w + body.shoulder) / 2
        points += [
            (middle, shoulder_line(frame, middle, 3)),
            (body.shoulder, shoulder_line(frame, body.shoulder, 4)),
            (body.shoulder + 9, 192),
            (body.shoulder + 4, 240),
        ]
        points += [(half_width(frame, top, ARMPIT + 2), ARMPIT + 2)]
    for y in (320, WAIST - 24, WAIST + 6, 440, HIP, 560):
        if y < top.hem - 12:
            points.append((half_width(frame, top, y), y))
    end = half_width(frame, top, top.hem)
    if top.finish == "rib":
        # A ribbed band pulls the cloth in below the fullest point.
        points[-1] = (points[-1][0] + 4, points[-1][1])
        end = min(end, body.half(top.hem) + 5)
    if top.finish == "peplum":
        end += 26
    points.append((end, top.hem))
    return [(side * x, y) for x, y in points]


def hem_line(frame: Frame, top: Top) -> list[Point]:
    """Hem from the viewer's right to left, upright coordinates."""
    x = side_seam(frame, top, 1)[-1][0]
    if top.finish == "curved":
        return [
            (x, top.hem),
            (x * 0.8, top.hem + 22),
            (x * 0.4, top.hem + 36),
            (0, top.hem + 38),
            (-x * 0.4, top.hem + 36),
            (-x * 0.8, top.hem + 22),
            (-x, top.hem),
        ]
    sag = 8.0 if top.finish != "peplum" else 12.0
    return [
        (x, top.hem),
        (x * 0.5, top.hem + sag * 0.8),
        (0, top.hem + sag),
        (-x * 0.5, top.hem + sag * 0.8),
        (-x, top.hem),
    ]
