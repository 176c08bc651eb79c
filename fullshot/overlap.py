"""How much boxes overlap, and which of two people's boxes are the same."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Corners = tuple[float, float, float, float]


def iou(ours: Sequence[Corners], theirs: Sequence[Corners]) -> NDArray[np.float64]:
    """Intersection over union of every pair.

    Args:
        ours: N boxes, each ``(x_min, y_min, x_max, y_max)``.
        theirs: M boxes.

    Returns:
        float64 (N, M), in [0, 1].
    """
    first, second = np.reshape(ours, (-1, 1, 4)).astype(float), np.reshape(theirs, (1, -1, 4)).astype(float)
    low, high = np.maximum(first[..., :2], second[..., :2]), np.minimum(first[..., 2:], second[..., 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(boxes[..., 2:] - boxes[..., :2], axis=2) for boxes in (first, second)]
    return np.asarray(common / np.maximum(areas[0] + areas[1] - common, 1e-12))


def matched(overlaps: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """Pairs of boxes that are one and the same, each box in one pair at most, those that overlap most first.

    Greedy, as COCO and Pascal VOC match found boxes to true ones.

    Args:
        overlaps: (N, M), see :func:`iou`.
        least: of a pair.

    Returns:
        Row and column of each pair.
    """
    rest = overlaps.copy()
    pairs = []
    while rest.size and rest.max() >= max(least, 1e-9):
        row, column = (int(index) for index in np.unravel_index(int(rest.argmax()), rest.shape))
        pairs.append((row, column))
        rest[row, :] = rest[:, column] = -1
    return pairs
