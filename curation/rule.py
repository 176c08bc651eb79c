"""The full-shot rule: does a picture show somebody from head to feet?

The conditions are a table (:data:`CONDITIONS`), their thresholds are settings. They were chosen on 811 street photos,
113 of them also cut off at shin, knee, thigh, hip, neck or chin, and on 5,023 product photos of a shop. A pose model
guesses joints that it does not see: a rule that asks for visible ones alone takes 83% of the photos cut just above the
ankles for full shots; asking for toes inside the frame as well takes 5%, and loses none of the whole ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.pose import Person
from fullshot.settings import CurateSettings

FULL_LENGTH = "full length"
NO_PERSON = "no person found"

HEAD = ("nose", "left eye", "right eye")
ANKLES = ("left ankle", "right ankle")
SHOULDERS = ("left shoulder", "right shoulder")
HIPS = ("left hip", "right hip")
FEET = (("left heel", "left foot index"), ("right heel", "right foot index"))

_PASS = 0.5


@dataclass(frozen=True)
class Verdict:
    """What the rule says of a picture.

    Args:
        full_shot: whether somebody is on it from head to feet.
        score: in [0, 1], at least 0.5 for a full shot: how far the weakest condition is from its threshold.
        reason: in words; of a picture that is no full shot, the first condition that does not hold.
    """

    full_shot: bool
    score: float
    reason: str


@dataclass(frozen=True)
class Condition:
    """One thing that a full shot needs: a measure of the person, and the least it must be.

    Args:
        otherwise: the reason given where it does not hold.
        measure: of a person; the more the better.
        least: the threshold, from the settings.
        plenty: the measure from which on more does not make surer.
    """

    otherwise: str
    measure: Callable[[Person], float]
    least: Callable[[CurateSettings], float]
    plenty: float

    def score(self, person: Person, thresholds: CurateSettings) -> float:
        """In [0, 1]; 0.5 at the threshold, 1 from ``plenty`` on."""
        value, least = self.measure(person), self.least(thresholds)
        if value < least:
            return _PASS * float(np.clip(1 - (least - value) / max(abs(least), self.plenty), 0, 0.99))
        room = self.plenty - least
        return _PASS + (1 - _PASS) * (float(np.clip((value - least) / room, 0, 1)) if room > 0 else 1.0)


def _inside(joints: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the joints, shape (n, 4), lie inside the frame; shape (n,)."""
    return np.asarray(((joints[:, :2] >= 0) & (joints[:, :2] <= 1)).all(axis=1))


def _any_inside(*names: str) -> Callable[[Person], float]:
    return lambda person: float(_inside(person.joints(names)).any())


def _seen(*names: str) -> Callable[[Person], float]:
    """The best visibility of the joints that lie inside the frame."""

    def measure(person: Person) -> float:
        joints = person.joints(names)
        return float(np.max(joints[:, 2] * _inside(joints)))

    return measure


def _height(person: Person, names: Sequence[str]) -> float:
    return float(person.joints(names)[:, 1].mean())


def _nose_to_ankles(person: Person) -> float:
    """As a share of the picture's height; 0 for somebody upside down."""
    return max(0.0, float(person.joints(ANKLES)[:, 1].max()) - _height(person, ["nose"]))


def _upright(person: Person) -> float:
    """How well head, shoulders, hips and ankles stand in order, and the hips between head and ankles, in [0, 0.5]."""
    nose, shoulders, hips = (_height(person, names) for names in (["nose"], SHOULDERS, HIPS))
    span = _nose_to_ankles(person)
    if not (span and nose < shoulders < hips < nose + span):
        return 0.0
    share = (hips - nose) / span
    return min(share, 1 - share)


def _headroom(person: Person) -> float:
    """From the frame's top to the nose, as a share of nose to ankles: a crown needs that much."""
    return _height(person, ["nose"]) / max(_nose_to_ankles(person), 1e-6)


def _footroom(person: Person) -> float:
    """From the lower end of the higher foot to the frame's bottom, as a share of nose to ankles."""
    lowest = min(float(person.joints(foot)[:, 1].max()) for foot in FEET)
    return (1 - lowest) / max(_nose_to_ankles(person), 1e-6)


CONDITIONS = (
    Condition("head outside the frame", _any_inside(*HEAD), lambda _: 1.0, 1.0),
    Condition("head not visible", _seen(*HEAD), lambda limits: limits.visibility, 1.0),
    Condition("ankles outside the frame", _any_inside(*ANKLES), lambda _: 1.0, 1.0),
    Condition("nobody upright", _upright, lambda limits: limits.min_hip_share, 0.4),
    Condition("head cut off", _headroom, lambda limits: limits.min_headroom, 0.14),
    Condition("feet cut off", _footroom, lambda limits: limits.min_footroom, 0.05),
    Condition("ankles not visible", _seen(*ANKLES), lambda limits: limits.ankle_visibility, 0.9),
    Condition("person too small", _nose_to_ankles, lambda limits: limits.min_span, 0.65),
)
"""In the order in which they are asked."""


def judge(people: Sequence[Person], thresholds: CurateSettings) -> Verdict:
    """Tell a full shot from everything else.

    Args:
        people: all people found in the picture; one at full length is enough.
        thresholds: ``visibility`` and the ``min_…`` of the curate settings.
    """
    verdicts = [_of_person(person, thresholds) for person in people]
    return max(verdicts, key=lambda verdict: verdict.score, default=Verdict(False, 0.0, NO_PERSON))


def _of_person(person: Person, thresholds: CurateSettings) -> Verdict:
    scores = [condition.score(person, thresholds) for condition in CONDITIONS]
    failed = [condition.otherwise for condition, score in zip(CONDITIONS, scores, strict=True) if score < _PASS]
    return Verdict(not failed, min(scores), failed[0] if failed else FULL_LENGTH)
