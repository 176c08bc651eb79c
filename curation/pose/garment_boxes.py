"""Where garments must be, from where the joints are: the fallback where no detector says better.

A pose does not tell a skirt from trousers, nor a jacket from a coat. Margins were fitted on every other of 811 street
photos (Clothing Co-Parsing) for the best mean intersection over union (IoU); on the other half it is 0.74 for
tops, 0.61 for bottoms, 0.66 for feet.
"""

from dataclasses import dataclass

import numpy as np

from fullshot.core.boxes import Box
from fullshot.core.taxonomy import Wear
from fullshot.curation.pose.mediapipe import Person

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


_SHOULDERS = ("left shoulder", "right shoulder")
_HIPS = ("left hip", "right hip")
_KNEES = ("left knee", "right knee")
_ANKLES = ("left ankle", "right ankle")
_FEET = (*_ANKLES, "left heel", "right heel", "left foot index", "right foot index")
_ARMS = (*_SHOULDERS, "left elbow", "right elbow", "left wrist", "right wrist", *_HIPS)

SPANS = (
    Span(Wear.TOP, _SHOULDERS, _ARMS, _SHOULDERS, _HIPS, (0.1, 0.19, 0.18)),
    Span(Wear.BOTTOM, (*_HIPS, *_KNEES), (*_HIPS, *_KNEES), _HIPS, _ANKLES, (0.17, 0.18, -0.01)),
    Span(Wear.FOOT, _ANKLES, _FEET, _ANKLES, _FEET, (0.1, 0.02, 0.09)),
)


def garment_boxes(person: Person, width: int, height: int) -> list[Box]:
    """Boxes for what a person wears on top, below and on the feet, as far as that is in the picture.

    Args:
        person: with keypoints as shares of the picture.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        At most one box a wear, in pixels, clipped to the picture, with ``source="pose"``; its score is the best
        visibility of the joints that it hangs on.
    """
    found = (_box(person, span, width, height) for span in SPANS)
    return [box for box in found if box]


def _box(person: Person, span: Span, width: int, height: int) -> Box | None:
    needed = person.joints(span.needs)
    inside = ((needed[:, :2] >= 0) & (needed[:, :2] <= 1)).all(axis=1)
    score = float(np.max(needed[:, 2] * inside))
    if score < VISIBLE:
        return None
    pixels = np.array([width, height])
    torso = np.ptp([(person.joints(names)[:, :2] * pixels).mean(axis=0) for names in (_SHOULDERS, _HIPS)], axis=0)
    side, above, below = np.array(span.margins) * float(np.hypot(*torso))
    across = person.joints(span.across)[:, 0] * width
    upper = float(person.joints(span.upper)[:, 1].min()) * height
    lower = float(person.joints(span.lower)[:, 1].max()) * height
    x_min, x_max = np.clip([across.min() - side, across.max() + side], 0, width)
    y_min, y_max = np.clip([upper - above, lower + below], 0, height)
    if x_max - x_min < MIN_SIDE or y_max - y_min < MIN_SIDE:
        return None
    return Box(span.wear.value, float(x_min), float(y_min), float(x_max), float(y_max), score, "pose")
