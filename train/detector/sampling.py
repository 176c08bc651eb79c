"""How often a picture comes in an epoch: those that show a rare label more often than the others, where asked for."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fullshot.train.detector.data import DetectionPicture

BALANCED = "balanced"
"""Of ``detector.sampling``."""


def repeats_of(pictures: Sequence[DetectionPicture], sampling: str) -> NDArray[np.float64]:
    """How often each of N pictures comes in an epoch, on average: shape (N,), float64, 1 or more.

    Balanced, they are the repeat factors of LVIS (Gupta et al. 2019, https://arxiv.org/abs/1908.03195): of a label,
    ``max(1, sqrt(t / f))``, where ``f`` is the share of pictures that show it; of a picture, the greatest of those of
    its labels. There ``t`` is one in a thousand, for 1203 labels; here it is the share of the most frequent label, so
    that each label comes nearer to it.

    Args:
        pictures: to learn from.
        sampling: :data:`BALANCED`, or nothing: each comes once.
    """
    if sampling != BALANCED:
        return np.ones(len(pictures))
    shown = [{box.label for box in picture.boxes} for picture in pictures]
    pictures_of = Counter(label for labels in shown for label in labels)
    most = max(pictures_of.values(), default=1)
    factors = {label: math.sqrt(most / count) for label, count in pictures_of.items()}
    return np.array([max((factors[label] for label in labels), default=1.0) for labels in shown])


def pictures_an_epoch(repeats: NDArray[np.float64]) -> int:
    """How many pictures an epoch has: each as often as it comes."""
    return round(float(repeats.sum()))


def rows_of_epoch(repeats: NDArray[np.float64], dice: np.random.Generator) -> NDArray[np.int64]:
    """The pictures of an epoch: each as often as it comes on average, rounded up or down by chance.

    Args:
        repeats: see :func:`repeats_of`.
        dice: draws.

    Returns:
        Numbers of pictures, ascending, shape (M,), int64, where M is :func:`pictures_an_epoch`.
    """
    if (repeats == 1).all():
        return np.arange(len(repeats))
    # Systematic sampling: marks at equal distances, on the pictures laid end to end, each as long as it is frequent.
    count = pictures_an_epoch(repeats)
    ends = np.cumsum(repeats)
    marks = (np.arange(count) + dice.random()) * (ends[-1] / count) if count else np.zeros(0)
    return np.minimum(np.searchsorted(ends, marks, side="right"), len(repeats) - 1)
