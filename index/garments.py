"""Which garments a person wears: the detector's boxes on that person, and the pose's where it has none."""

from collections.abc import Sequence

from fullshot.core.boxes import Box, Corners, area, intersection_over_area
from fullshot.core.taxonomy import Wear

ON_PERSON = 0.5
"""The least share of a detected box that has to lie on the person: the garments of a neighbour lie elsewhere."""

ROOM = 0.12
"""How far clothes reach beyond a person's joints, as a share of the person's height: sleeves, skirts, shoes."""


def body(joints: Corners, width: int, height: int) -> Corners:
    """The box of a person with clothes.

    Args:
        joints: the box round the person's joints, as shares of the picture; joints may lie outside it.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        That box in pixels, with :data:`ROOM` for clothes, inside the picture.
    """
    room = ROOM * (joints[3] - joints[1]) * height
    return (
        max(0.0, joints[0] * width - room),
        max(0.0, joints[1] * height - room),
        min(float(width), joints[2] * width + room),
        min(float(height), joints[3] * height + room),
    )


def primary_person(bodies: Sequence[Corners], width: int, height: int) -> int:
    """Which person a photo is of: the largest, and of people as large the one nearest to the middle.

    Args:
        bodies: of one or more people, see :func:`body`.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        A row of ``bodies``.
    """

    def weight(corners: Corners) -> float:
        off_centre = abs((corners[0] + corners[2]) / width - 1), abs((corners[1] + corners[3]) / height - 1)
        return area(corners) * (1 - max(off_centre) / 2)

    return max(range(len(bodies)), key=lambda row: weight(bodies[row]))


def person_garments(detected: Sequence[Box], person: Corners, by_pose: Sequence[Box]) -> list[Box]:
    """One box for each garment that a person wears.

    Args:
        detected: the detector's boxes of the whole picture; none where there is no detector.
        person: see :func:`body`.
        by_pose: the boxes of top, bottom and foot by the pose; ``source`` is ``pose``.

    Returns:
        Top or long, bottom, foot: the detected box of each label that scores highest on the person, else the pose's.
        A ``long`` box takes the place of top and bottom where it scores above both.
    """
    on_person = intersection_over_area([box.corners for box in detected], [person])[:, 0]
    candidates = [(box, float(share)) for box, share in zip(detected, on_person, strict=True) if share >= ON_PERSON]
    best: dict[str, Box] = {}
    for box, _ in sorted(candidates, key=lambda pair: -(pair[0].score or 0.0) * pair[1]):
        best.setdefault(box.label, box)
    long = best.pop(Wear.LONG, None)
    rivals = [best[wear] for wear in (Wear.TOP, Wear.BOTTOM) if wear in best]
    for box in by_pose:
        best.setdefault(box.label, box)
    if long is not None and all((long.score or 0) > (rival.score or 0) for rival in rivals):
        best = {Wear.LONG: long, **{label: box for label, box in best.items() if label == Wear.FOOT}}
    return [best[wear] for wear in (Wear.TOP, Wear.LONG, Wear.BOTTOM, Wear.FOOT) if wear in best]
