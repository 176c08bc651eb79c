"""Draws heads: faces, beards and hair."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fullshot.demo.drawing.canvas import BODY, Canvas, fill, stroke
from fullshot.demo.drawing.figure import SIDES, Frame
from fullshot.demo.drawing.geometry import Point, number, smooth
from fullshot.demo.drawing.palette import darker, lightness, mix
from fullshot.demo.drawing.people import draw_skin


def hair_behind(canvas: Canvas, frame: Frame) -> None:
    """The hair that falls behind neck and shoulders."""
    style = frame.body.hair_style
    back = {
        "long": [(0, -72), (50, -50), (60, 10), (62, 80), (54, 150), (20, 166), (0, 160)],
        "long-side": [(0, -72), (52, -48), (60, 10), (60, 80), (50, 120), (18, 128), (0, 120)],
        "wavy-long": [(0, -74), (54, -52), (62, 0), (74, 50), (66, 96), (78, 138), (40, 158), (0, 150)],
        "curly-long": [(0, -84), (58, -66), (80, -14), (86, 36), (92, 80), (70, 112), (30, 118), (0, 110)],
        "bob": [(0, -72), (52, -50), (61, 6), (60, 52), (44, 72), (0, 66)],
        "ponytail": [(0, -70), (20, -60), (24, 40), (30, 90), (14, 120), (0, 122)],
        "braid": [(0, -70), (20, -60), (24, 40), (22, 60), (10, 70), (0, 72)],
    }.get(style)
    if not back:
        return
    d = smooth([_head(frame, x, y) for x, y in [*back, *[(-x, y) for x, y in reversed(back)]]]) + "Z"
    dark = darker(frame.body.hair, 0.3)
    strands = "".join(
        stroke(
            smooth([_head(frame, x * 0.5, -50), _head(frame, x, 30), _head(frame, x * 0.95, 140)]),
            darker(dark, 0.4),
            2,
            0.5,
        )
        for x in (-54, -44, -34, -22, 22, 34, 44, 54)
    )
    canvas.add(f'<g clip-path="url(#{canvas.clip([d])})">{fill(d, dark)}{strands}</g>')
    canvas.model([d], "")
    canvas.silhouette(BODY, d)


def _head(frame: Frame, x: float, y: float) -> Point:
    """Head coordinates (0, 0 between the eyes' level and the nose; 66 down to the chin) to figure units."""
    a = math.radians(frame.pose.head_tilt + frame.pose.shoulder_tilt * 0.4)
    k = frame.body.head
    # The head turns about the chin's root, so a tilt leaves the neck where it is.
    px, py = x * k, (y - 52) * k
    ox, oy = frame.torso(0, 118)
    return (ox + px * math.cos(a) - py * math.sin(a), oy + px * math.sin(a) + py * math.cos(a))


def draw_head(canvas: Canvas, frame: Frame) -> None:
    """Ears, face and the hair in front."""
    body = frame.body
    wide = 42.0 if body.women else 45.0
    jaw = (25.0 if body.women else 31.0) + (body.face % 5)
    half: list[Point] = [
        (0, -68),
        (26, -63),
        (wide - 3, -42),
        (wide, -10),
        (wide - 2, 16),
        (wide - 8, 36),
        (jaw, 51),
        (13, 63),
        (0, 66),
    ]
    shift = frame.pose.turn * 14
    for side in SIDES:
        ear = [
            (side * (wide - 3), -8),
            (side * (wide + 5), -13),
            (side * (wide + 8), 0),
            (side * (wide + 3), 15),
            (side * (wide - 4), 18),
        ]
        d = smooth([_head(frame, x - shift * 0.3, y) for x, y in ear]) + "Z"
        draw_skin(canvas, frame, d, [d], [])
    d = smooth([_head(frame, x, y) for x, y in [*half, *[(-x, y) for x, y in reversed(half[1:-1])], half[0]]]) + "Z"
    side_light = -1 if shift >= 0 else 1
    edge = smooth([_head(frame, -side_light * x, y) for x, y in half[2:]])
    other = smooth([_head(frame, side_light * x, y) for x, y in half[2:]])
    draw_skin(canvas, frame, d, [edge, edge, other], [])
    _features(canvas, frame, shift)
    if body.beard:
        _beard(canvas, frame, half, shift)
    _hair_front(canvas, frame, half, wide)


def _features(canvas: Canvas, frame: Frame, shift: float) -> None:
    """Eyes, brows, nose and mouth, moved to the side the head turns to."""
    body = frame.body
    spread = 18.0 + body.face % 3
    iris = ("#3b2416", "#4a2f1b", "#2c1b12", "#3f5b46", "#3d5f83")[
        body.face % 5 if lightness(body.skin) > 0.7 else body.face % 3
    ]
    brow = darker(body.hair, 0.15) if lightness(body.hair) < 0.6 else darker(body.hair, 0.4)
    deep, ink = body.skin_deep, darker(body.skin_deep, 0.6)

    def p(x: float, y: float) -> Point:
        return _head(frame, x + shift, y)

    art: list[str] = []
    soft: list[str] = []
    for s in SIDES:
        # The far half of a turned face is seen narrower.
        near = 1 + s * frame.pose.turn * 0.25
        cx, w = s * spread * near, 10.5 * near
        white = smooth([p(cx - w, 0.5), p(cx - w * 0.3, -5.6), p(cx + w * 0.5, -4.8), p(cx + w, 0.5)]) + smooth(
            [p(cx + w, 0.5), p(cx + w * 0.2, 4.4), p(cx - w, 0.5)], move=False
        )
        ex, ey = p(cx + shift * 0.06, -0.6)
        clip = canvas.clip([white + "Z"])
        art.append(
            f'<g clip-path="url(#{clip})">{fill(white, "#fbf7f3")}'
            f'<circle cx="{number(ex)}" cy="{number(ey)}" r="5.2" fill="{iris}"/><circle cx="{number(ex)}" cy="{number(ey)}" r="2.5" fill="#0c0908"/>'
            f'<circle cx="{number(ex + 1.6)}" cy="{number(ey - 1.8)}" r="1.3" fill="#fff"/></g>'
        )
        art.append(
            stroke(
                smooth(
                    [
                        p(cx - w, 0.5),
                        p(cx - w * 0.3, -5.8),
                        p(cx + w * 0.5, -5),
                        p(cx + w + (s if body.women else 0) * 1.5, -0.4),
                    ]
                ),
                ink,
                2.6 if body.women else 2.0,
            )
        )
        art.append(stroke(smooth([p(cx - w * 0.8, 2.2), p(cx + w * 0.2, 4.6), p(cx + w * 0.85, 2.4)]), ink, 0.9, 0.6))
        thick = 2.8 if body.women else 4.2
        art.append(
            stroke(
                smooth([p(cx - s * 10 * near, -12), p(cx + s * 1, -15.5), p(cx + s * 13 * near, -12)]), brow, thick, 0.9
            )
        )
        soft.append(stroke(smooth([p(cx - w, -7), p(cx, -9.5), p(cx + w, -7)]), "#000000", 5, 0.2))
        bx, by = p(s * 25, 22)
        blush = 0.07 if body.women else 0.035
        art[:0] = [
            f'<circle cx="{number(bx)}" cy="{number(by)}" r="{r}" fill="#d8574f" fill-opacity="{blush}"/>'
            for r in (13, 10, 7, 4)
        ]
    # Nose: a shaded flank, wings and a light ridge.
    soft.append(stroke(smooth([p(-5, -6), p(-5, 10), p(-8, 20)]), "#000000", 5, 0.2))
    soft.append(stroke(smooth([p(1, -4), p(1.5, 18)]), "#ffffff", 4.5, 0.2))
    art.append(
        stroke(smooth([p(-8.5, 20), p(-6, 24.5), p(0, 25.5), p(6, 24.5), p(8.5, 20)]), darker(deep, 0.15), 1.8, 0.75)
    )
    # Mouth.
    lip = mix(deep, "#c0394b", 0.55) if body.women else mix(deep, "#a8504c", 0.35)
    m = 14.0 if body.women else 15.0
    upper = smooth([p(-m, 39), p(-5, 34.8), p(0, 36), p(5, 34.8), p(m, 39)]) + smooth(
        [p(m, 39), p(0, 40), p(-m, 39)], move=False
    )
    lower = smooth([p(-m, 39), p(0, 40), p(m, 39)]) + smooth([p(m, 39), p(6, 46.5), p(-6, 46.5), p(-m, 39)], move=False)
    art += [
        fill(upper + "Z", darker(lip, 0.12)),
        fill(lower + "Z", lip),
        stroke(smooth([p(-m - 1, 38.6), p(-6, 39.6), p(0, 39), p(6, 39.6), p(m + 1, 38.6)]), ink, 1.3, 0.8),
    ]
    soft.append(stroke(smooth([p(-9, 51), p(0, 52.5), p(9, 51)]), "#000000", 5, 0.22))
    canvas.soft(*soft)
    canvas.add(*art)


def _beard(canvas: Canvas, frame: Frame, half: Sequence[Point], shift: float) -> None:
    """Stubble, goatee or full beard round the mouth."""
    kind = frame.body.beard
    if kind == "goatee":
        outer: list[Point] = [(0, 66), (13, 62), (19, 48), (17, 33), (8, 29), (0, 30)]
        run = [(x + shift * 0.8, y) for x, y in [*outer, *[(-x, y) for x, y in reversed(outer[1:-1])]]]
    else:
        jaw: list[Point] = [(x, y) for x, y in half if y > 10]
        run = [
            *jaw,
            *[(-x, y) for x, y in reversed(jaw[:-1])],
            (-29, 27),
            (-14 + shift, 30),
            (0 + shift, 29),
            (14 + shift, 30),
            (29, 27),
        ]
    d = smooth([_head(frame, x, y) for x, y in [*run, run[0]]]) + "Z"
    gap = smooth([_head(frame, x + shift, y) for x, y in ((-14, 39), (0, 34), (14, 39), (0, 48), (-14, 39))]) + "Z"
    opacity = 0.2 if kind == "stubble" else 0.85
    paint = darker(frame.body.hair, 0.1)
    canvas.add(
        f'<path d="{d}{gap}" fill-rule="evenodd" fill="{paint}" fill-opacity="{opacity}" stroke="{paint}" stroke-width="3" stroke-opacity="{opacity * 0.4:.2f}"/>'
    )


def _hair_front(canvas: Canvas, frame: Frame, half: Sequence[Point], wide: float) -> None:
    """The hair round forehead and temples, per style."""
    body = frame.body
    style = body.hair_style
    if style == "bald":
        return
    w = wide
    caps = {
        # style: (outer right, outer left, hairline from right to left); the crown is between the first two.
        "crop": ([(w + 3, -14), (w + 4, -40), (30, -74), (0, -80)], [(-30, -74), (-w - 4, -40), (-w - 3, -14)], [(-w + 3, -26), (-26, -46), (0, -44), (26, -47), (w - 3, -26)]),
        "buzz": ([(w + 1, -16), (w + 1, -42), (28, -68), (0, -73)], [(-28, -68), (-w - 1, -42), (-w - 1, -16)], [(-w + 3, -28), (-27, -45), (0, -43), (27, -45), (w - 3, -28)]),
        "side": ([(w + 4, -8), (w + 7, -44), (34, -80), (-4, -86)], [(-36, -74), (-w - 5, -40), (-w - 4, -8)], [(-w + 2, -24), (-30, -46), (-14, -52), (16, -44), (36, -34), (w - 2, -20)]),
        "quiff": ([(w + 3, -12), (w + 2, -44), (34, -88), (0, -96)], [(-34, -86), (-w - 2, -44), (-w - 3, -12)], [(-w + 3, -26), (-28, -48), (0, -54), (28, -48), (w - 3, -26)]),
        "curly": ([(w + 9, -2), (w + 13, -40), (40, -84), (4, -92)], [(-38, -86), (-w - 13, -40), (-w - 9, -2)], [(-w + 2, -18), (-34, -36), (-20, -42), (-6, -36), (10, -42), (26, -36), (w - 2, -18)]),
        "wavy": ([(w + 8, 12), (w + 11, -40), (36, -82), (0, -86)], [(-36, -82), (-w - 11, -40), (-w - 8, 12)], [(-w + 1, -14), (-30, -40), (-8, -50), (2, -46), (26, -42), (w - 1, -14)]),
        "pixie": ([(w + 6, 6), (w + 7, -42), (34, -78), (0, -82)], [(-34, -78), (-w - 7, -42), (-w - 6, 6)], [(-w + 1, -8), (-32, -30), (-10, -36), (18, -46), (w - 6, -34), (w - 1, -8)]),
    }  # fmt: skip
    caps["bun"] = caps["ponytail"] = caps["braid"] = (
        [(w + 3, -4), (w + 4, -42), (32, -75), (0, -80)], [(-32, -75), (-w - 4, -42), (-w - 3, -4)],
        [(-w + 2, -18), (-30, -44), (0, -50), (30, -44), (w - 2, -18)],
    )  # fmt: skip
    framing = (
        [(w + 12, 70), (w + 16, 20), (w + 10, -42), (34, -78), (0, -82)], [(-34, -78), (-w - 10, -42), (-w - 16, 20), (-w - 12, 70)],
        [(-w + 1, 44), (-w + 2, -6), (-28, -42), (-2, -56), (28, -42), (w - 2, -6), (w - 1, 44)],
    )  # fmt: skip
    side_part = (
        framing[0],
        framing[1],
        [(-w + 2, 40), (-w + 3, -14), (-38, -40), (-22, -54), (6, -40), (30, -24), (w - 4, 2), (w - 2, 44)],
    )
    for name in ("long", "wavy-long", "curly-long"):
        caps[name] = framing
    caps["bob"] = caps["long-side"] = side_part
    right, left, line = caps[style]
    if style in ("bun", "ponytail") and (body.women or style == "bun"):
        x, y = _head(frame, 0, -88 if style == "bun" else -78)
        if style == "bun":
            canvas.add(f'<circle cx="{number(x)}" cy="{number(y)}" r="22" fill="{darker(body.hair, 0.15)}"/>')
    run = [*right, *left]
    d = (
        smooth([_head(frame, x, y) for x, y in run])
        + smooth([_head(frame, x, y) for x, y in [left[-1], *line, right[0]]], move=False)
        + "Z"
    )
    clip = canvas.clip([d])
    strands = []
    count = 9
    for i in range(count):
        t = i / (count - 1) * 2 - 1
        strands.append(
            stroke(
                smooth([_head(frame, t * 10, -80), _head(frame, t * (w - 4), -52), _head(frame, t * (w + 8), 20)]),
                darker(body.hair, 0.45),
                1.6,
                0.5,
            )
        )
    shine = stroke(
        smooth([_head(frame, -w + 4, -46), _head(frame, -12, -66), _head(frame, 20, -66)]), "#ffffff", 10, 0.16
    )
    edge = stroke(smooth([_head(frame, x, y) for x, y in line]), "#000000", 7, 0.35)
    canvas.add(f'<g clip-path="url(#{clip})">{fill(d, body.hair)}{"".join(strands)}</g>')
    canvas.model([d], shine + edge)
    canvas.silhouette(BODY, d)
    if style in ("curly", "curly-long"):
        # Curls along the outline, clear of the face.
        low = -0.12 if style == "curly" else -0.85
        for i in range(17):
            a = math.pi / 2 + (i / 8 - 1) * (math.pi / 2 - low)
            x, y = _head(frame, math.cos(a) * (w + 9 + 7 * (i % 2)), -30 - math.sin(a) * (46 + 4 * (i % 3)))
            paint = darker(body.hair, 0.09 * (i % 3))
            canvas.add(f'<circle cx="{number(x)}" cy="{number(y)}" r="{12 + i % 3}" fill="{paint}"/>')
    if style == "braid":
        for i in range(7):
            x, y = _head(frame, 34 + i * 2, 40 + i * 17)
            canvas.add(
                f'<ellipse cx="{number(x)}" cy="{number(y)}" rx="{14 - i}" ry="12" fill="{darker(body.hair, 0.1 + 0.15 * (i % 2))}"/>'
            )
