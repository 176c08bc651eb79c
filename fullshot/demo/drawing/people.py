"""Draws a model's skin over a frame; the clothes come from elsewhere."""

from __future__ import annotations

import math

from fullshot.demo.drawing.canvas import BODY, Canvas, fill, stroke
from fullshot.demo.drawing.figure import ARMPIT, CROTCH, HIP, NECK, SHOULDER, SIDES, WAIST, Frame
from fullshot.demo.drawing.geometry import Limb, Point, closed, limb, number, smooth
from fullshot.demo.drawing.palette import darker


def draw_skin(canvas: Canvas, frame: Frame, d: str, edges: list[str], lights: list[str]) -> None:
    """One piece of skin: paint, shade along its edges, a soft light inside."""
    if not canvas.sees(d):
        return
    body = frame.body
    shade = "".join(stroke(e, "#000000", 13, 0.24) for e in edges)
    light = "".join(stroke(e, "#ffffff", 9, 0.16) for e in lights)
    canvas.add(fill(d, body.skin), stroke(d, darker(body.skin_deep, 0.15), 0.9, 0.5))
    canvas.model([d], shade + light)
    canvas.silhouette(BODY, d)


def draw_legs(canvas: Canvas, frame: Frame) -> None:
    """Bare legs and feet from the hips down, to be covered by whatever is worn."""
    for side in SIDES:
        leg = frame.leg(side)
        right, left = leg.edge(1), leg.edge(-1)
        draw_skin(
            canvas, frame, leg.outline(cap=True), [smooth(right), smooth(left[4:])], [smooth(leg.edge(-0.3, 0.1))]
        )
        x, y = leg.at(0.53)
        canvas.soft(stroke(f"M{number(x - 12)} {number(y + 8)}q12 8 24 0", "#000000", 5, 0.2))


def draw_torso(canvas: Canvas, frame: Frame) -> None:
    """Neck, shoulders and trunk."""
    body = frame.body
    half: list[Point] = [
        (body.neck, 96.0), (body.neck, NECK - 14), (body.neck + 16, NECK + 3), (body.shoulder * 0.72, SHOULDER - 4),
        (body.shoulder + 4, SHOULDER + 12), (body.chest + 8, ARMPIT - 16), (body.chest, ARMPIT + 16),
        (body.half(WAIST - 50), WAIST - 50), (body.waist, WAIST), (body.half(440), 440), (body.hip, HIP), (body.hip * 0.8, CROTCH),
    ]  # fmt: skip
    right = [frame.torso(x, y) for x, y in half]
    left = [frame.torso(-x, y) for x, y in reversed(half)]
    d = closed(right, left)
    draw_skin(canvas, frame, d, [smooth(right), smooth(left)], [])
    # The chin's shadow on the neck, the collar bones, the breastbone: what a neckline shows.
    shadow = closed(
        [
            frame.torso(x, y)
            for x, y in ((-body.neck, 96), (-body.neck, 138), (0, 158), (body.neck, 138), (body.neck, 96))
        ]
    )
    bones = [
        smooth([frame.torso(s * 10, 186), frame.torso(s * 36, 181), frame.torso(s * body.shoulder * 0.8, 183)])
        for s in SIDES
    ]
    canvas.soft(fill(shadow, "#000000", 0.34), *[stroke(b, "#000000", 4, 0.2) for b in bones])


def draw_arm(canvas: Canvas, frame: Frame, side: int) -> None:
    """Bare arm and hand."""
    arm = frame.arm(side)
    kind = frame.pose.arms[(side + 1) // 2]
    if kind not in ("pocket", "behind"):
        _hand(canvas, frame, side, arm, kind)
    edges = [smooth(arm.edge(-1, 0.1)), smooth(arm.edge(1, 0.1))]
    draw_skin(canvas, frame, arm.outline(cap=True, round_end=True), edges, [smooth(arm.edge(-0.25, 0.1))])


def _hand(canvas: Canvas, frame: Frame, side: int, arm: Limb, kind: str) -> None:
    """Palm, four fingers and a thumb, a little curled."""
    body = frame.body
    k = 0.84 if body.women else 1.0
    root = arm.at(0.97)
    # Palms turn to the thigh: the hand hangs a little more upright than the forearm, and fingers curl inwards.
    base = arm.angle(0.97)
    angle = {"hip": base - side * 48, "bent": base - side * 12}.get(kind, base * 0.55)

    def place(along: float, across: float) -> Point:
        """Hand coordinates (towards the fingertips, towards the thumb) to figure units."""
        a = math.radians(angle)
        x, y = -side * across * k, along * k
        return (root[0] + x * math.cos(a) - y * math.sin(a), root[1] + x * math.sin(a) + y * math.cos(a))

    thumb = limb([place(6, 7), place(22, 17), place(42, 17), place(50, 14)], [(0, 7 * k), (0.6, 5.5 * k), (1, 4 * k)])
    draw_skin(canvas, frame, thumb.outline(round_end=True), [smooth(thumb.edge(1))], [])
    for j, (across, length) in enumerate(((-11, 66), (-4, 75), (3.5, 79), (11, 74))):
        curl = 5 - j
        finger = limb(
            [
                place(26, across),
                place(46, across * 1.05 + 0.5),
                place(length * 0.82, across + curl * 0.6),
                place(length, across + curl * 1.4),
            ],
            [(0, 5.6 * k), (0.6, 4.9 * k), (1, 3.4 * k)],
        )
        draw_skin(canvas, frame, finger.outline(round_end=True), [smooth(finger.edge(1))], [])
    palm = limb(
        [place(-2, 0), place(16, 0), place(34, 0), place(44, 0.5)],
        [(0, 13 * k), (0.4, 16.5 * k), (0.8, 17 * k), (1, 14 * k)],
    )
    draw_skin(canvas, frame, palm.outline(round_end=True), [smooth(palm.edge(side))], [])
