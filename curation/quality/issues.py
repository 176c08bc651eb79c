"""Which pictures are junk: tiny, a strip, blank, blurred, marked all over, or several in one.

That is decided from the measures (:mod:`fullshot.curation.quality.measures`) and the settings (:data:`CONDITIONS`).

How the bounds were chosen, and what they find, is told there. To keep junk costs less than to lose good pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from fullshot.core.settings import CurateSettings


@dataclass(frozen=True)
class Condition:
    """One way to be junk.

    Args:
        name: as it stands in ``curated.issues``.
        words: for people.
        holds: of which rows, with the columns ``width``, ``height`` and :data:`measures.MEASURES`, it holds.
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
    Condition(
        "shared", "on the pages of very many products", lambda rows, limits: rows["products"] > limits.max_shared
    ),
)
"""In the order in which they are told."""


def issues(frame: pd.DataFrame, settings: CurateSettings) -> "pd.Series[str]":
    """What is wrong with each picture: names of :data:`CONDITIONS`, separated by spaces; empty where nothing is.

    Args:
        frame: columns ``width`` and ``height`` of the whole picture, in pixels, :data:`measures.MEASURES`, and
            ``products``, how many show it.
        settings: the thresholds.
    """
    names = pd.Series("", index=frame.index, dtype=object)
    for condition in CONDITIONS:
        names = names.where(~condition.holds(frame, settings).astype(bool), names + " " + condition.name)
    return names.str.strip()
