"""Where garments must be, from where the joints are: the fallback where no detector says better.

A pose does not tell a skirt from trousers, nor a jacket from a coat. Margins were fitted on every other of 811 street
photos (Clothing Co-Parsing) for the best mean intersection over union (IoU) with MediaPipe's joints; on the other half
it is 0.74 for tops, 0.61 for bottoms, 0.66 for feet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
    size = np.array([width, height])
    across, upper, lower = (places(person.joints(names)[0]) * size for names in (span.across, span.upper, span.lower))
    side, above, below = np.array(span.margins) * _torso(person, width, height)
    # What was not found lies outside the frame: that is where the box ends.
    top = _extreme(upper[:, 1], np.min, 0.0) - above
    bottom = _extreme(lower[:, 1], np.max, float(height)) + below
    left, right = _extreme(across[:, 0], np.min, 0.0) - side, _extreme(across[:, 0], np.max, float(width)) + side
    x_min, x_max = np.clip([left, right], 0, width)
    y_min, y_max = np.clip([top, bottom], 0, height)
    if x_max - x_min < MIN_SIDE or y_max - y_min < MIN_SIDE:
        return None
    return Box(span.wear.value, float(x_min), float(y_min), float(x_max), float(y_max), score, "pose")


def _torso(person: People, width: int, height: int) -> float:
    """Shoulders to hips, in pixels; 0 where one of them was not found."""
    middles = []
    for names in (person.skeleton.shoulders, person.skeleton.hips):
        found = places(person.joints(names)[0])
        found = found[~np.isnan(found[:, 0])]
        if not len(found):
            return 0.0
        middles.append(found.mean(axis=0) * (width, height))
    return float(np.hypot(*(middles[0] - middles[1])))


def _extreme(values: NDArray[np.float64], pick: Callable[[NDArray[np.float64]], Any], otherwise: float) -> float:
    found = values[~np.isnan(values)]
    return float(pick(found)) if len(found) else otherwise
