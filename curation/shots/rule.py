"""The full-shot rule: does a picture show somebody from head to feet?

The conditions are a table (:data:`CONDITIONS`), their thresholds are settings. ``python -m
fullshot.curation.shots.thresholds`` chooses thresholds from labelled pictures and prints what each value costs.

They were chosen on half of 811 street photos, 5,023 product photos, and 791 of the street photos cut off above the
feet, so that 98.5% of the full shots are found: 0.3 for ``ankle_visibility``, 0.033 for ``min_footroom``, any
``min_span`` from 0.4 to 0.8. The settings differ in three: ``min_footroom`` is 0.025, since two full shots of a shop
have just 0.03; ``min_span`` is near the lower end of its range; ``min_headroom`` is 0.08 instead of 0.007, since in
none of these pictures a head is cut off. With the settings, 98.1% of the full shots in the other half are found; of the
other pictures no product photo is called a full shot, and 3.7% of the cut ones are.

A pose model guesses joints that it does not see. A rule that asks for visible joints only calls 83% of the street
photos cut just above the ankles full shots; one that asks for toes inside the frame as well calls 5% so, and loses no
full shot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import iou
from fullshot.core.settings import CurateSettings
from fullshot.curation.pose.people import People, places
from fullshot.curation.pose.skeletons import Skeleton

FULL_LENGTH = "full length"
NO_PERSON = "no person found"
NOT_UPRIGHT = "nobody upright"
NO_BODY = "neither head nor body visible"
SEVERAL = "more than one person at full length"
UNSURE = "unsure: "
"""Stands before the reason where a score is too near to its threshold."""

FULL, HALF, ITEM, UNCLEAR = "full", "half", "item", "unclear"

_PASS = 0.5

_SAME = 0.5
"""Two people whose boxes share more than this of both together (IoU) are one person, found twice."""

_AS_LARGE = 0.7
"""Somebody lower than this share of the largest person is a passer-by."""

Measures = NDArray[np.float64]
"""A number for each person: shape (N,)."""

Joints = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ShotVerdict:
    """What the rule says of a picture.

    Args:
        shot: ``full`` (somebody from head to feet), ``half`` (a part of somebody), ``item`` (nobody) or ``unclear``.
        score: in [0, 1], at least 0.5 where the rule leans to a full shot: how far the weakest condition is from its
            threshold.
        reason: in words.
    """

    shot: str
    score: float
    reason: str


@dataclass(frozen=True)
class ShotVerdicts:
    """What the rule says of many pictures: shape (n,) each, as in :class:`ShotVerdict`."""

    shot: NDArray[np.object_]
    score: NDArray[np.float64]
    reason: NDArray[np.object_]


@dataclass(frozen=True)
class Condition:
    """One thing that a full shot needs: a measure of the person, and the least it must be.

    Args:
        otherwise: the reason given where it does not hold.
        measure: of people; the more the better, NaN where it cannot be told.
        least: the threshold, from the settings.
        plenty: the measure from which on more does not make surer.
    """

    otherwise: str
    measure: Callable[[People], Measures]
    least: Callable[[CurateSettings], float]
    plenty: float

    def scores(self, people: People, thresholds: CurateSettings) -> Measures:
        """In [0, 1]; 0.5 at the threshold, 1 from ``plenty`` on, below 0.5 where the condition does not hold."""
        value, least = np.nan_to_num(self.measure(people), nan=-1e9), self.least(thresholds)
        room = self.plenty - least
        above = np.clip((value - least) / room, 0, 1) if room > 0 else np.ones_like(value)
        below = np.clip(1 - (least - value) / max(abs(least), self.plenty), 0, 0.99)
        return np.where(value < least, _PASS * below, _PASS + (1 - _PASS) * above)


def _inside(joints: Joints) -> NDArray[np.bool_]:
    """Which of the joints, shape (N, n, 4), were found inside the frame; shape (N, n)."""
    points = places(joints)
    return np.asarray(((points >= 0) & (points <= 1)).all(axis=-1))


def _any_inside(joints: Joints) -> Measures:
    return _inside(joints).any(axis=1).astype(float)


def _visibility(joints: Joints) -> Measures:
    """The best visibility of the joints that lie inside the frame."""
    return np.asarray((joints[..., 2] * _inside(joints)).max(axis=1), dtype=float)


def _mean(values: Measures) -> Measures:
    """Over the joints found, shape (N, n) to (N,); NaN where none was."""
    found = ~np.isnan(values)
    total = np.where(found, values, 0.0).sum(axis=1)
    return np.where(found.any(axis=1), total / np.maximum(found.sum(axis=1), 1), np.nan)


def _height(people: People, names: Sequence[str]) -> Measures:
    return _mean(places(people.joints(names))[..., 1])


def _lowest(people: People, names: Sequence[str]) -> Measures:
    heights = places(people.joints(names))[..., 1]
    return np.where(np.isnan(heights).all(axis=1), np.nan, np.where(np.isnan(heights), -np.inf, heights).max(axis=1))


def _head_to_ankles(people: People) -> Measures:
    """As a share of the picture's height; 0 for somebody upside down."""
    skeleton = people.skeleton
    return np.maximum(0.0, _lowest(people, skeleton.ankles) - _height(people, skeleton.face))


def _upright(people: People) -> Measures:
    """How well head, shoulders, hips and ankles stand in order, and the hips between head and ankles, in [0, 0.5]."""
    skeleton = people.skeleton
    face, shoulders, hips = (_height(people, names) for names in (skeleton.face, skeleton.shoulders, skeleton.hips))
    span = _head_to_ankles(people)
    in_order = (span > 0) & (face < shoulders) & (shoulders < hips) & (hips < face + span)
    share = (hips - face) / np.where(span > 0, span, 1.0)
    return np.where(in_order, np.minimum(share, 1 - share), 0.0)


def _headroom(people: People) -> Measures:
    """From the frame's top to the face, as a share of head to ankles: a crown needs that much."""
    return _height(people, people.skeleton.face) / np.maximum(_head_to_ankles(people), 1e-6)


def _footroom(people: People) -> Measures:
    """From the lower end of the lower foot to the frame's bottom, as a share of head to ankles."""
    lowest = np.fmax(*(_lowest(people, foot) for foot in people.skeleton.feet))
    return np.asarray((1 - lowest) / np.maximum(_head_to_ankles(people), 1e-6))


def _head(skeleton: Skeleton) -> Sequence[str]:
    return skeleton.head


def _ankles(skeleton: Skeleton) -> Sequence[str]:
    return skeleton.ankles


def _of(
    joints: Callable[[Skeleton], Sequence[str]], measure: Callable[[Joints], Measures]
) -> Callable[[People], Measures]:
    return lambda people: measure(people.joints(joints(people.skeleton)))


CONDITIONS = (
    Condition("head outside the frame", _of(_head, _any_inside), lambda _: 1.0, 1.0),
    Condition("head not visible", _of(_head, _visibility), lambda limits: limits.visibility, 1.0),
    Condition("ankles outside the frame", _of(_ankles, _any_inside), lambda _: 1.0, 1.0),
    Condition(NOT_UPRIGHT, _upright, lambda limits: limits.min_hip_share, 0.4),
    Condition("head cut off", _headroom, lambda limits: limits.min_headroom, 0.14),
    Condition("feet cut off", _footroom, lambda limits: limits.min_footroom, 0.05),
    Condition("ankles not visible", _of(_ankles, _visibility), lambda limits: limits.ankle_visibility, 0.9),
    Condition("person too small", _head_to_ankles, lambda limits: limits.min_span, 0.65),
)
"""In the order in which they are asked."""


def classify_shot(people: People, thresholds: CurateSettings) -> ShotVerdict:
    """Tell a full shot from everything else, for one picture.

    Args:
        people: all people found in the picture.
        thresholds: ``visibility``, the ``min_…`` and ``sure`` of the curate settings.
    """
    verdicts = classify_shots(people, np.zeros(len(people), np.int64), 1, thresholds)
    return ShotVerdict(str(verdicts.shot[0]), float(verdicts.score[0]), str(verdicts.reason[0]))


def classify_shots(people: People, owners: NDArray[np.int64], count: int, thresholds: CurateSettings) -> ShotVerdicts:
    """Tell full shots from everything else, for many pictures at once.

    A picture is classified by the person who comes nearest to a full shot. It is ``unclear`` where that is nearer than
    ``sure`` to the threshold, and where another one is at full length too: whom it shows, a person has to say.

    Args:
        people: all people of all pictures.
        owners: shape (N,): the number of each person's picture, from 0 to ``count - 1``.
        count: how many pictures there are.
        thresholds: see :func:`classify_shot`.
    """
    shot = np.full(count, ITEM, object)
    score = np.zeros(count)
    reason = np.full(count, NO_PERSON, object)
    if not len(people):
        return ShotVerdicts(shot, score, reason)
    scores = np.stack([condition.scores(people, thresholds) for condition in CONDITIONS])  # (conditions, N)
    of_person = scores.min(axis=0)
    # The best person of each picture: the last in order of picture, then score; of equals, the one found first.
    order = np.lexsort((-np.arange(len(owners)), of_person, owners))
    last = np.flatnonzero(np.r_[owners[order][1:] != owners[order][:-1], True])
    best = order[last]
    pictures = owners[best]
    score[pictures] = of_person[best]
    words = np.array([condition.otherwise for condition in CONDITIONS], object)
    failed = scores[:, best] < _PASS
    passes = ~failed.any(axis=0)
    first = words[np.where(passes, scores[:, best].argmin(axis=0), failed.argmax(axis=0))]
    visible, upright = _somebody(people, thresholds)
    somebody = np.bincount(owners, weights=visible & upright, minlength=count)[pictures] > 0
    several = _several(people, owners, of_person >= _PASS, count)[pictures]
    unsure = np.abs(of_person[best] - _PASS) < thresholds.sure
    kind = np.where(passes, FULL, np.where(somebody, HALF, ITEM)).astype(object)
    why = np.where(
        passes, FULL_LENGTH, np.where(somebody, first, np.where(upright[best], NO_BODY, NOT_UPRIGHT))
    ).astype(object)
    kind, why = np.where(unsure, UNCLEAR, kind), np.where(unsure, UNSURE + first, why)
    kind, why = np.where(several, UNCLEAR, kind), np.where(several, SEVERAL, why)
    shot[pictures], reason[pictures] = kind, why
    return ShotVerdicts(shot, score, reason)


def _somebody(people: People, thresholds: CurateSettings) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who is more than a thing in which the pose model sees a body; shape (N,) each.

    Returns:
        Of whom a head is visible, or hips with shoulders or ankles; and of whom what there is stands upright.
    """
    skeleton, least = people.skeleton, thresholds.body_visibility
    parts = (skeleton.face, skeleton.shoulders, skeleton.hips, skeleton.ankles)
    face, shoulders, hips, ankles = (_height(people, names) for names in parts)
    head = _visibility(people.joints(skeleton.head)) >= thresholds.visibility
    torso, pelvis, legs = (_visibility(people.joints(names)) >= least for names in parts[1:])
    # What was not found (NaN) is out of no order.
    in_order = ~(face >= shoulders) & ~(shoulders >= hips) & ~(hips >= ankles)
    return np.asarray(head | (pelvis & (torso | legs))), np.asarray(in_order)


def _several(people: People, owners: NDArray[np.int64], full: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Which pictures show two different people at full length, one nearly as large as the other; shape (count,)."""
    spans = _head_to_ankles(people)
    largest = np.zeros(count)
    np.maximum.at(largest, owners[full], spans[full])
    large = full & (spans >= _AS_LARGE * largest[owners])
    several = np.zeros(count, np.bool_)
    rows = np.flatnonzero(large)
    rows = rows[np.argsort(owners[rows], kind="stable")]
    for some in np.split(rows, np.flatnonzero(np.diff(owners[rows])) + 1):
        if len(some) < 2:
            continue
        boxes = people[some].boxes.tolist()
        several[owners[some[0]]] = bool((iou(boxes, boxes) < _SAME).any())
    return several
