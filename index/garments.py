"""Which garments a person wears: the detector's boxes on that person, and the pose's where it has none."""

from collections.abc import Sequence

from fullshot.core.boxes import Box
from fullshot.core.taxonomy import Wear

Corners = tuple[float, float, float, float]
"""``x_min, y_min, x_max, y_max`` in pixels."""

ON_PERSON = 0.5
"""The least share of a detected box that has to lie on the person: the garments of a neighbour lie elsewhere."""

ROOM = 0.12
"""How far clothes reach beyond a person's joints, as a share of the person's height: sleeves, skirts, shoes."""


def body(place: Corners, width: int, height: int) -> Corners:
    """Where a person is in a picture.

    Args:
        place: the box round the person's joints, as shares of the picture; joints may lie outside it.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        That box in pixels, with :data:`ROOM` for clothes, inside the picture.
    """
    room = ROOM * (place[3] - place[1]) * height
    return (
        max(0.0, place[0] * width - room),
        max(0.0, place[1] * height - room),
        min(float(width), place[2] * width + room),
        min(float(height), place[3] * height + room),
    )


def area(corners: Corners) -> float:
    """Square pixels."""
    return max(0.0, corners[2] - corners[0]) * max(0.0, corners[3] - corners[1])


def overlap(box: Corners, other: Corners) -> float:
    """The share of a box that lies in another, from 0 to 1."""
    shared = area((max(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), min(box[3], other[3])))
    return shared / area(box) if area(box) else 0.0


def foremost(bodies: Sequence[Corners], width: int, height: int) -> int:
    """The number of the person that a photo is of: the largest, and of people as large the one nearest the middle.

    Args:
        bodies: one or more people.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
    """

    def weight(corners: Corners) -> float:
        off = abs((corners[0] + corners[2]) / width - 1), abs((corners[1] + corners[3]) / height - 1)
        return area(corners) * (1 - max(off) / 2)

    return max(range(len(bodies)), key=lambda number: weight(bodies[number]))


def worn(detected: Sequence[Box], person: Corners, by_pose: Sequence[Box]) -> list[Box]:
    """One box for each garment that a person wears.

    Args:
        detected: the detector's boxes of the whole picture; none where there is no detector.
        person: where the person is.
        by_pose: where the pose says that top, bottom and foot are; ``source`` is ``pose``.

    Returns:
        Top or long, bottom, foot: of each wear the detected box with the highest score on the person, else the pose's.
        A ``long`` box stands for top and bottom where it scores above both.
    """
    best: dict[str, Box] = {}
    for box in sorted(detected, key=lambda box: -_weight(box, person)):
        if overlap(box.corners, person) >= ON_PERSON:
            best.setdefault(box.label, box)
    long = best.pop(Wear.LONG, None)
    rivals = [best[wear] for wear in (Wear.TOP, Wear.BOTTOM) if wear in best]
    dressed_in_one = long is not None and all((long.score or 0) > (rival.score or 0) for rival in rivals)
    for box in by_pose:
        best.setdefault(box.label, box)
    if long is not None and dressed_in_one:
        best = {Wear.LONG: long, **{label: box for label, box in best.items() if label == Wear.FOOT}}
    return [best[wear] for wear in (Wear.TOP, Wear.LONG, Wear.BOTTOM, Wear.FOOT) if wear in best]


def _weight(box: Box, person: Corners) -> float:
    return (box.score or 0.0) * overlap(box.corners, person)
