"""Plane geometry of the drawings: points, smooth SVG paths and limbs of varying width.

Coordinates are figure units: a standing person is 1000 high, x runs to the viewer's right, y down, soles near y = 1000.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]


def lerp(a: float, b: float, t: float) -> float:
    """Value at `t` on the way from `a` (0) to `b` (1)."""
    return a + (b - a) * t


def between(a: Point, b: Point, t: float) -> Point:
    """Point at `t` on the way from `a` (0) to `b` (1)."""
    return (lerp(a[0], b[0], t), lerp(a[1], b[1], t))


def curve(t: float, knots: Sequence[tuple[float, float]]) -> float:
    """Interpolate `(position, value)` knots at `t` with smooth steps, constant outside their range."""
    if t <= knots[0][0]:
        return knots[0][1]
    for (t0, v0), (t1, v1) in pairwise(knots):
        if t <= t1:
            s = (t - t0) / (t1 - t0)
            return lerp(v0, v1, s * s * (3 - 2 * s))
    return knots[-1][1]


def number(value: float) -> str:
    """A coordinate as SVG text: one decimal is a twentieth of a pixel on an outfit image."""
    return "%.1f" % value  # noqa: UP031  the fastest way, and this runs ten thousand times a picture


def line(points: Sequence[Point], *, move: bool = True) -> str:
    """Straight open path through `points`."""
    text = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return ("M" if move else "L") + text


def smooth(points: Sequence[Point], *, move: bool = True, tension: float = 0.5) -> str:
    """Open path through `points` as Catmull-Rom splines in Bezier form."""
    n = len(points)
    parts = [("M" if move else "L") + f"{number(points[0][0])} {number(points[0][1])}"]
    k = tension / 3
    for i in range(n - 1):
        before, a, b, after = points[max(i - 1, 0)], points[i], points[i + 1], points[min(i + 2, n - 1)]
        c1 = (a[0] + (b[0] - before[0]) * k, a[1] + (b[1] - before[1]) * k)
        c2 = (b[0] - (after[0] - a[0]) * k, b[1] - (after[1] - a[1]) * k)
        parts.append("C" + " ".join(f"{number(x)} {number(y)}" for x, y in (c1, c2, b)))
    return "".join(parts)


def closed(*runs: Sequence[Point]) -> str:
    """Closed path: each run is smooth, the joints between runs are corners."""
    return "".join(smooth(run, move=i == 0) for i, run in enumerate(runs)) + "Z"


def bend(a: Point, joint: Point, b: Point, samples: int = 12) -> list[Point]:
    """Spine of a two-bone limb: `samples` + 1 points a bone, rounded at the joint."""
    # The rounding spans a quarter of each bone, which is where cloth and muscle hide the true corner.
    near, far = between(joint, a, 0.25), between(joint, b, 0.25)
    points = []
    for i in range(2 * samples + 1):
        t = i / (2 * samples)
        if t <= 0.375:
            points.append(between(a, near, t / 0.375))
        elif t >= 0.625:
            points.append(between(far, b, (t - 0.625) / 0.375))
        else:
            s = (t - 0.375) / 0.25
            points.append(between(between(near, joint, s), between(joint, far, s), s))
    return points


@dataclass(frozen=True)
class Limb:
    """A spine with a half width at each of its points; `left` lies to the left when walking from root to end."""

    spine: tuple[Point, ...]
    left: tuple[Point, ...]
    right: tuple[Point, ...]

    def outline(self, *, cap: bool = False, round_end: bool = False) -> str:
        """Closed path; `cap` rounds the root (a shoulder), `round_end` the end (a fingertip)."""
        head = self.arc(root=True) if cap else []
        tail = self.arc(root=False) if round_end else []
        run = [*self.left, *tail, *reversed(self.right)]
        if cap or round_end:
            return smooth([*run, *head, self.left[0]]) + "Z"
        return closed(list(self.left), list(reversed(self.right)))

    def at(self, t: float, across: float = 0.0) -> Point:
        """Point at `t` along (0 root, 1 end) and `across` (-1 left edge, 0 spine, 1 right edge)."""
        position = min(max(t, 0.0), 1.0) * (len(self.spine) - 1)
        i = min(int(position), len(self.spine) - 2)
        s = position - i
        left, right = between(self.left[i], self.left[i + 1], s), between(self.right[i], self.right[i + 1], s)
        return between(left, right, (across + 1) / 2)

    def angle(self, t: float) -> float:
        """Direction of the spine at `t` in degrees, 0 pointing straight down."""
        a, b = self.at(max(t - 0.05, 0)), self.at(min(t + 0.05, 1))
        return math.degrees(math.atan2(-(b[0] - a[0]), b[1] - a[1]))

    def part(self, start: float, end: float) -> Limb:
        """The limb between two positions along it."""
        steps = 16
        ts = [lerp(start, end, i / steps) for i in range(steps + 1)]
        return Limb(tuple(self.at(t) for t in ts), tuple(self.at(t, -1) for t in ts), tuple(self.at(t, 1) for t in ts))

    def edge(self, across: float, start: float = 0.0, end: float = 1.0) -> list[Point]:
        """Points of a line along the limb at a constant place across it."""
        return [self.at(lerp(start, end, i / 14), across) for i in range(15)]

    def arc(self, *, root: bool) -> list[Point]:
        a, b = (self.right[0], self.left[0]) if root else (self.left[-1], self.right[-1])
        centre = between(a, b, 0.5)
        start = math.atan2(a[1] - centre[1], a[0] - centre[0])
        radius = math.dist(a, b) / 2
        return [
            (centre[0] + radius * math.cos(start - s * math.pi), centre[1] + radius * math.sin(start - s * math.pi))
            for s in (0.2, 0.4, 0.6, 0.8)
        ]


def limb(spine: Sequence[Point], widths: Sequence[tuple[float, float]]) -> Limb:
    """Limb along `spine` whose half width follows the `(position, half width)` knots."""
    left, right = [], []
    last = len(spine) - 1
    for i, (x, y) in enumerate(spine):
        a, b = spine[max(i - 1, 0)], spine[min(i + 1, last)]
        length = math.dist(a, b) or 1.0
        nx, ny = (b[1] - a[1]) / length, -(b[0] - a[0]) / length
        w = curve(i / last, widths)
        # With y down and the limb pointing down, (nx, ny) points to the viewer's right.
        left.append((x - nx * w, y - ny * w))
        right.append((x + nx * w, y + ny * w))
    return Limb(tuple(spine), tuple(left), tuple(right))


def reach(root: Point, target: Point, first: float, second: float, side: float) -> Point:
    """Where the joint of a two-bone limb lies (law of cosines); `side` -1 bends it to the viewer's left."""
    distance = min(math.dist(root, target), (first + second) * 0.999)
    distance = max(distance, abs(first - second) + 1.0)
    along = (first**2 - second**2 + distance**2) / (2 * distance)
    off = math.sqrt(max(first**2 - along**2, 0.0))
    ux, uy = (target[0] - root[0]) / distance, (target[1] - root[1]) / distance
    return (root[0] + ux * along + uy * off * side, root[1] + uy * along - ux * off * side)
