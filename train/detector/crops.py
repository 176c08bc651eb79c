"""Parts of a picture to learn from, each about a box: where a picture shows garments that nobody drew a box about."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from fullshot.core.boxes import Corners

_WIDER = (1.1, 1.3)
"""How many times as wide, and as high, as its box a part is: the Valohai article crops DeepFashion so."""


class Part(NamedTuple):
    """Of a picture, in whole pixels."""

    left: int
    top: int
    width: int
    height: int


def part_about(box: Corners, width: int, height: int, draws: Sequence[float]) -> Part:
    """A part 10 to 30% wider and 10 to 30% higher than a box, which lies somewhere in it.

    Args:
        box: in pixels, inside the picture.
        width: of the picture, in pixels; the part ends where the picture does.
        height: of the picture, in pixels.
        draws: four numbers in [0, 1), drawn anew each time: how much wider and higher, and how far to the right and to
            the bottom.
    """
    x_min, y_min, x_max, y_max = box
    wider, higher, right, down = draws
    left, across = _span(x_min, x_max, width, wider, right)
    top, along = _span(y_min, y_max, height, higher, down)
    return Part(left, top, across, along)


def _span(low: float, high: float, end: int, more: float, place: float) -> tuple[int, int]:
    """Where a part of a side begins that holds all from ``low`` to ``high``, and how long it is."""
    least, most = _WIDER
    length = min(math.ceil((high - low) * (least + more * (most - least))), end)
    first, last = max(0, math.ceil(high) - length), min(math.floor(low), end - length)
    return first + round(place * max(0, last - first)), length
