"""Which pictures are junk: tiny, a strip, blank, blurred, marked all over, or several in one.

That is decided from the measures (:mod:`curation.measures`) and the settings (:data:`CONDITIONS`).

The thresholds were chosen on 1,264 photos (street photos, a shop's, garments at home) and copies of them. No clean one
is less sharp than 0.49; of those that were blurred (Gaussian, 1/150 of the longer side) 95% are below 0.45. The least
detail of any is 0.36. Two photos side by side, or one above the other, make a seam above 0.2 in 94% of street photos
and garments at home (with a gutter between, in all), and in none where both stand on the same white; no clean one has
one. A mark laid all over is found in a quarter of the street photos and in half to three quarters of the others; 0.3%
of the clean photos, striped shirts and shutters, are taken for marked. To keep junk costs less than to lose good ones.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from fullshot.settings import CurateSettings


@dataclass(frozen=True)
class Condition:
    """One way to be junk.

    Args:
        name: as it stands in ``curated.issues``.
        words: for people.
        holds: of which rows, with the columns ``width``, ``height`` and :data:`curation.measures.MEASURES`, it holds.
    """

    name: str
    words: str
    holds: Callable[[pd.DataFrame, CurateSettings], "pd.Series[bool]"]


CONDITIONS = (
    Condition("tiny", "too few pixels", lambda rows, limits: rows[["width", "height"]].min(axis=1) < limits.min_side),
    Condition(
        "strip",
        "many times longer than wide",
        lambda rows, limits: (
            rows[["width", "height"]].max(axis=1) > limits.max_aspect * rows[["width", "height"]].min(axis=1)
        ),
    ),
    Condition("blank", "nearly one colour", lambda rows, limits: rows["detail"] < limits.min_detail),
    Condition(
        "blurred",
        "out of focus, or moved",
        lambda rows, limits: (rows["sharpness"] < limits.min_sharpness) & (rows["detail"] >= limits.min_detail),
    ),
    Condition("watermark", "a mark repeated all over", lambda rows, limits: rows["watermark"] > limits.max_watermark),
    Condition("collage", "several pictures in one", lambda rows, limits: rows["collage"] > limits.max_collage),
)
"""In the order in which they are told."""


def issues(frame: pd.DataFrame, settings: CurateSettings) -> "pd.Series[str]":
    """What is wrong with each picture: names of :data:`CONDITIONS`, separated by spaces; empty where nothing is.

    Args:
        frame: columns ``width`` and ``height`` of the whole picture, in pixels, and :data:`curation.measures.MEASURES`.
        settings: the thresholds.
    """
    names = pd.Series("", index=frame.index, dtype=object)
    for condition in CONDITIONS:
        names = names.where(~condition.holds(frame, settings).astype(bool), names + " " + condition.name)
    return names.str.strip()
