"""Where garments must be, from where the joints are: the fallback where no detector says better.

A pose does not tell a skirt from trousers, nor a jacket from a coat. Margins were fitted on every other of 811 street
photos (Clothing Co-Parsing) for the best mean intersection over union (IoU) with MediaPipe's joints; on the other half
it is 0.74 for tops, 0.61 for bottoms, 0.66 for feet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Box
from fullshot.core.taxonomy import Wear
from fullshot.curation.pose.people import People, places
from fullshot.curation.pose.skeletons import Skeleton

VISIBLE = 0.2
"""The least visibility of one of a box's anchoring joints; that of an ankle in the full-shot rule."""

MIN_SIDE = 4.0
"""A box narrower or lower than this, in pixels, holds no garment worth a look."""


@dataclass(frozen=True)
class Span:
    """A garment's box: round some joints, and beyond them by margins.

    Args:
        wear: the box's label.
        needs: joints of which one must be visible and inside the frame.
        across: joints that it is as wide as.
        upper: joints of which the highest is its upper end, before the margin.
        lower: joints of which the lowest is its lower end, before the margin.
        margins: left and right, above, below; as shares of the torso's length, shoulders to hips.
    """

    wear: Wear
    needs: tuple[str, ...]
    across: tuple[str, ...]
    upper: tuple[str, ...]
    lower: tuple[str, ...]
    margins: tuple[float, float, float]


_FOOT_MARGINS = (0.1, 0.02, 0.09)
_ANKLE_MARGINS = (0.14, 0.02, 0.39)
"""Where the ankle is the lowest joint. Fitted in the same way on 264 of those photos, with MediaPipe's toes and heels
left out: on the half not fitted on the mean IoU is 0.55, with the toes' margins 0.15, with the toes themselves 0.61."""


def spans(skeleton: Skeleton) -> tuple[Span, ...]:
    """The boxes of the three wears that a skeleton gives."""
    shoulders, hips, knees, ankles = skeleton.shoulders, skeleton.hips, skeleton.knees, skeleton.ankles
    feet = (*ankles, *(joint for foot in skeleton.feet for joint in foot))
    foot_margins = _FOOT_MARGINS if skeleton.has_toes else _ANKLE_MARGINS
    return (
        Span(Wear.TOP, shoulders, (*shoulders, *skeleton.arms, *hips), shoulders, hips, (0.1, 0.19, 0.18)),
        Span(Wear.BOTTOM, (*hips, *knees), (*hips, *knees), hips, ankles, (0.17, 0.18, -0.01)),
        Span(Wear.FOOT, ankles, feet, ankles, feet, foot_margins),
    )


def garment_boxes(person: People, width: int, height: int) -> list[Box]:
    """Boxes for what a person wears on top, below and on the feet, as far as that is in the picture.

    Args:
        person: one, with key points as shares of the picture.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        At most one box a wear, in pixels, clipped to the picture, with ``source="pose"``; its score is the best
        visibility of the joints that it needs.

    Raises:
        ValueError: it is not one person.
    """
    if len(person) != 1:
        raise ValueError(f"expected one person, got {len(person)}")
    boxes = (_box(person, span, width, height) for span in spans(person.skeleton))
    return [box for box in boxes if box]


def _box(person: People, span: Span, width: int, height: int) -> Box | None:
    needed = person.joints(span.needs)[0]
    inside = ((needed[:, :2] >= 0) & (needed[:, :2] <= 1)).all(axis=1)
    score = float(np.max(needed[:, 2] * inside))
    if score < VISIBLE:
        return None
    across = _places(person, span.across, width, height)[:, 0]
    upper = _places(person, span.upper, width, height)[:, 1]
    lower = _places(person, span.lower, width, height)[:, 1]
    if not len(across):
        return None
    side, above, below = np.array(span.margins) * _torso(person, width, height)
    # Joints none of which was found are taken to lie outside the frame: the box goes on to its edge.
    x_min, x_max = np.clip([across.min() - side, across.max() + side], 0, width)
    y_min = np.clip(upper.min() - above if len(upper) else 0, 0, height)
    y_max = np.clip(lower.max() + below if len(lower) else height, 0, height)
    if x_max - x_min < MIN_SIDE or y_max - y_min < MIN_SIDE:
        return None
    return Box(span.wear.value, float(x_min), float(y_min), float(x_max), float(y_max), score, "pose")


def _places(person: People, names: Sequence[str], width: int, height: int) -> NDArray[np.float64]:
    """Where those of some joints are that were found or guessed, in pixels; shape (n, 2)."""
    found = places(person.joints(names)[0], guessed=True)
    return np.asarray(found[~np.isnan(found[:, 0])] * (width, height))


def _torso(person: People, width: int, height: int) -> float:
    """Shoulders to hips, in pixels; 0 where either were not found."""
    ends = [_places(person, names, width, height) for names in (person.skeleton.shoulders, person.skeleton.hips)]
    if not all(len(end) for end in ends):
        return 0.0
    return float(np.hypot(*(ends[0].mean(axis=0) - ends[1].mean(axis=0))))
