"""People as proportions: a body, a pose, and where that puts every joint, limb and point of the torso.

Garments and skin are both drawn over a `Frame`, so clothes follow the body they are worn on. A ghost mannequin is
a frame like any other; that is why a product's own picture and the picture of it worn agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from fullshot.demo.drawing.geometry import Limb, Point, bend, between, curve, lerp, limb, reach
from fullshot.demo.drawing.palette import HAIR, SKIN

# Levels of an upright body (y in figure units). Eight-head fashion proportions with the crotch a little above half.
CHIN, NECK, SHOULDER, ARMPIT, BUST, WAIST, HIP, CROTCH, KNEE, ANKLE, SOLE = (
    130.0, 163.0, 180.0, 268.0, 280.0, 388.0, 492.0, 528.0, 722.0, 926.0, 985.0,
)  # fmt: skip

SIDES = (-1, 1)


@dataclass(frozen=True)
class Body:
    """Half widths in figure units at the levels above, and looks."""

    women: bool
    neck: float
    shoulder: float
    chest: float
    waist: float
    hip: float
    arm: float
    leg: float
    head: float
    skin: str
    skin_deep: str
    hair: str
    hair_style: str
    beard: str
    face: int

    def half(self, y: float) -> float:
        """Half width of the torso at level `y`."""
        return curve(
            y,
            (
                (NECK, self.neck + 6),
                (ARMPIT, self.chest),
                (BUST + 14, self.chest - 1),
                (WAIST, self.waist),
                (HIP, self.hip),
                (CROTCH + 20, self.hip - 2),
            ),
        )


@dataclass(frozen=True)
class Pose:
    """Angles in degrees, shifts in figure units; pairs are (viewer's left, viewer's right)."""

    hip_shift: float = 0.0
    hip_tilt: float = 0.0
    shoulder_tilt: float = 0.0
    turn: float = 0.0
    head_tilt: float = 0.0
    stance: tuple[float, float] = (50.0, 50.0)
    knees: tuple[float, float] = (0.0, 0.0)
    lift: tuple[float, float] = (0.0, 0.0)
    arms: tuple[str, str] = ("side", "side")
    spread: tuple[float, float] = (30.0, 30.0)


UPPER_ARM, FOREARM, HAND = 158.0, 138.0, 84.0


@dataclass(frozen=True)
class Frame:
    """A body in a pose."""

    body: Body
    pose: Pose
    shoulders: tuple[Point, Point]
    elbows: tuple[Point, Point]
    wrists: tuple[Point, Point]
    hips: tuple[Point, Point]
    knees: tuple[Point, Point]
    ankles: tuple[Point, Point]

    def torso(self, x: float, y: float) -> Point:
        """Where the point `x` right of the midline at upright level `y` lies in this pose."""
        # Above the shoulders and below the hips the tilt stays what it is there.
        t = min(max((y - SHOULDER) / (HIP - SHOULDER), 0.0), 1.0)
        s = t * t * (3 - 2 * t)
        tilt = math.radians(lerp(self.pose.shoulder_tilt, self.pose.hip_tilt, s))
        return (self.pose.hip_shift * s + x * math.cos(tilt), y + x * math.sin(tilt))

    def centre(self, y: float) -> float:
        """How far a turned body's middle line (buttons, a print) moves off the midline at level `y`."""
        return self.pose.turn * self.body.half(y) * 0.55

    def arm(self, side: int, ease: tuple[tuple[float, float], ...] = ((0.0, 0.0),)) -> Limb:
        """Arm from shoulder to wrist, `ease` knots added to its half width."""
        i = (side + 1) // 2
        k = self.body.arm
        widths = [(0.0, 29 * k), (0.2, 28 * k), (0.5, 21 * k), (0.62, 22 * k), (0.9, 15 * k), (1.0, 13.5 * k)]
        spine = bend(self.shoulders[i], self.elbows[i], self.wrists[i])
        return limb(spine, [(t, w + curve(t, ease)) for t, w in _with_knots(widths, ease)])

    def leg(self, side: int, ease: tuple[tuple[float, float], ...] = ((0.0, 0.0),)) -> Limb:
        """Leg from hip joint to ankle, `ease` knots added to its half width."""
        i = (side + 1) // 2
        k = self.body.leg
        hip = self.body.hip - abs(self.hips[1][0] - self.hips[0][0]) / 2
        widths = [
            (0.0, hip),
            (0.12, 46 * k),
            (0.3, 39 * k),
            (0.52, 28 * k),
            (0.66, 29.5 * k),
            (0.88, 19 * k),
            (1.0, 16 * k),
        ]
        spine = bend(self.hips[i], self.knees[i], self.ankles[i])
        return limb(spine, [(t, w + curve(t, ease)) for t, w in _with_knots(widths, ease)])


def _with_knots(widths: list[tuple[float, float]], ease: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
    """The knots of `widths`, and those of `ease` too, so that neither profile loses a bump."""
    ts = sorted({t for t, _ in widths} | {t for t, _ in ease if 0 <= t <= 1})
    return [(t, curve(t, widths)) for t in ts]


def stand(body: Body, pose: Pose) -> Frame:
    """Put `body` into `pose`."""
    bare = Frame(body, pose, *([((0.0, 0.0), (0.0, 0.0))] * 6))
    shoulders, elbows, wrists, hips, knees, ankles = [], [], [], [], [], []
    for i, side in enumerate(SIDES):
        shoulder = bare.torso(side * body.shoulder, SHOULDER + 29 * body.arm - 3)
        wrist, bow = _wrist(bare, pose.arms[i], side, shoulder, pose.spread[i])
        shoulders.append(shoulder)
        wrists.append(wrist)
        elbows.append(reach(shoulder, wrist, UPPER_ARM, FOREARM, bow))
        hip = bare.torso(side * body.hip * 0.5, HIP)
        # The feet stay on the ground: hips shift over them, and a lifted heel shortens the leg that is seen.
        ankle = (side * pose.stance[i] + pose.hip_shift * 0.25, ANKLE - pose.lift[i])
        knee = between(hip, ankle, 0.52)
        hips.append(hip)
        ankles.append(ankle)
        knees.append((knee[0] + side * pose.knees[i], knee[1]))
    pairs = [(p[0], p[1]) for p in (shoulders, elbows, wrists, hips, knees, ankles)]
    return Frame(body, pose, *pairs)


def _wrist(frame: Frame, kind: str, side: int, shoulder: Point, spread: float) -> tuple[Point, float]:
    """Wrist of an arm, and to which side its elbow goes."""
    body = frame.body
    if kind == "hip":
        return frame.torso(side * (body.half(440) + 16), 438), side
    if kind == "pocket":
        return frame.torso(side * (body.hip + 4), 482), side
    if kind == "behind":
        return frame.torso(side * (body.waist * 0.45), 462), side
    if kind == "bent":
        return frame.torso(side * (body.half(400) * 0.55), 404), side
    if kind == "rigid":
        # A mannequin's arm: straight, off the body by its spread.
        angle = math.radians(spread)
        length = UPPER_ARM + FOREARM
        return (shoulder[0] + side * math.sin(angle) * length, shoulder[1] + math.cos(angle) * length), side
    reachable = UPPER_ARM + FOREARM - 4
    return (shoulder[0] + side * spread, shoulder[1] + math.sqrt(reachable**2 - spread**2)), side


MEN_HAIR = ("crop", "crop", "side", "quiff", "curly", "buzz", "bald", "bun", "wavy")
WOMEN_HAIR = ("long", "long", "bob", "wavy-long", "bun", "ponytail", "curly-long", "pixie", "braid", "long-side")


def cast_body(rng: Random, women: bool) -> Body:
    """A model: build, skin and hair at random."""
    build = rng.uniform(-1.0, 1.0)
    skin, deep = rng.choice(SKIN)
    # Fair hair on deep skin is rare enough to look like a mistake.
    hairs = HAIR if SKIN.index((skin, deep)) < 4 else HAIR[:4]
    if women:
        return Body(
            women=True, neck=23 + build, shoulder=80 + 4 * build, chest=73 + 7 * build, waist=59 + 8 * build,
            hip=83 + 7 * build, arm=0.76 + 0.06 * build, leg=0.95 + 0.06 * build, head=0.99 + rng.uniform(-0.02, 0.04),
            skin=skin, skin_deep=deep, hair=rng.choice(hairs), hair_style=rng.choice(WOMEN_HAIR), beard="",
            face=rng.randrange(1000),
        )  # fmt: skip
    return Body(
        women=False, neck=31 + 3 * build, shoulder=96 + 5 * build, chest=87 + 8 * build, waist=74 + 11 * build,
        hip=80 + 7 * build, arm=1.0 + 0.08 * build, leg=1.0 + 0.07 * build, head=1.0 + rng.uniform(-0.02, 0.04),
        skin=skin, skin_deep=deep, hair=rng.choice(hairs), hair_style=rng.choice(MEN_HAIR),
        beard=rng.choice(("", "", "", "stubble", "stubble", "full", "goatee")), face=rng.randrange(1000),
    )  # fmt: skip


def strike_pose(rng: Random, women: bool) -> Pose:
    """A catalogue pose at random: weight on one leg, arms that differ, a small turn."""
    lean = rng.choice((-1, 1))
    weight = rng.uniform(0.2, 1.0)
    arms = rng.choice(
        (("side", "side"), ("side", "side"), ("side", "hip"), ("hip", "side"), ("side", "behind"), ("behind", "side"),
         ("side", "pocket"), ("pocket", "side"), ("pocket", "pocket"), ("hip", "hip"), ("side", "bent"))
    )  # fmt: skip
    width = rng.uniform(30, 46) if women else rng.uniform(46, 66)
    walking = rng.random() < 0.3
    # The free leg is the one the hips lean away from.
    free = 0 if lean > 0 else 1
    knees = [rng.uniform(-2, 3), rng.uniform(-2, 3)]
    knees[free] += rng.uniform(4, 12) * weight
    lift = [0.0, 0.0]
    if walking:
        lift[free] = rng.uniform(8, 20)
    stance = [width * rng.uniform(0.85, 1.1), width * rng.uniform(0.85, 1.1)]
    stance[free] += rng.uniform(4, 20) * weight
    return Pose(
        hip_shift=lean * 11 * weight,
        hip_tilt=-lean * 3.2 * weight,
        shoulder_tilt=lean * 2.2 * weight * rng.uniform(0.4, 1),
        turn=rng.uniform(-0.35, 0.35),
        head_tilt=rng.uniform(-4, 4),
        stance=(stance[0], stance[1]),
        knees=(knees[0], knees[1]),
        lift=(lift[0], lift[1]),
        arms=arms,
        spread=(rng.uniform(22, 60), rng.uniform(22, 60)),
    )


def mannequin(women: bool, arm_spread: float = 17.0, stance: float = 56.0) -> Frame:
    """The ghost mannequin a product's own picture is taken on."""
    body = cast_body(Random("mannequin"), women)
    plain = Body(
        women=women, neck=24.0 if women else 31.0, shoulder=81.0 if women else 97.0, chest=74.0 if women else 88.0,
        waist=60.0 if women else 75.0, hip=84.0 if women else 81.0, arm=0.77 if women else 1.0, leg=0.96 if women else 1.0,
        head=1.0, skin=body.skin, skin_deep=body.skin_deep, hair=body.hair, hair_style="bald", beard="", face=0,
    )  # fmt: skip
    return stand(plain, Pose(arms=("rigid", "rigid"), spread=(arm_spread, arm_spread), stance=(stance, stance)))
