from dataclasses import replace

import pytest

from fullshot.core.boxes import Box, Corners
from fullshot.index.garments import body, person_garments, primary_person

PERSON = (100.0, 50.0, 200.0, 450.0)
POSE = [
    Box("top", 110, 100, 190, 250, 0.9, "pose"),
    Box("bottom", 110, 250, 190, 420, 0.9, "pose"),
    Box("foot", 110, 420, 190, 450, 0.9, "pose"),
]
TOP, WEAK_TOP = Box("top", 105, 90, 195, 240, 0.8), Box("top", 105, 90, 195, 200, 0.4)
BOTTOM, FOOT = Box("bottom", 110, 240, 190, 400, 0.7), Box("foot", 120, 410, 180, 450, 0.6)
LONG = Box("long", 105, 90, 195, 400, 0.75)
NEIGHBOUR = Box("top", 300, 90, 390, 240, 0.99)


@pytest.mark.parametrize(
    ("detected", "expected"),
    [
        # The detector's best box of each wear.
        ([WEAK_TOP, TOP, BOTTOM, FOOT], [TOP, BOTTOM, FOOT]),
        # What it does not find is where the pose says.
        ([TOP], [TOP, POSE[1], POSE[2]]),
        ([], POSE),
        # A neighbour's garment is not this person's.
        ([NEIGHBOUR, BOTTOM, FOOT], [POSE[0], BOTTOM, FOOT]),
        # A dress stands for top and bottom, and neither is looked for by the pose.
        ([LONG, FOOT], [LONG, FOOT]),
        ([LONG], [LONG, POSE[2]]),
        ([LONG, WEAK_TOP, FOOT], [LONG, FOOT]),
        # A dress less sure than the shirt is none.
        ([LONG, TOP, BOTTOM, FOOT], [TOP, BOTTOM, FOOT]),
        ([LONG, BOTTOM, FOOT], [LONG, FOOT]),
        # Nor is one that is as sure as the trousers.
        ([LONG, replace(BOTTOM, score=0.75), FOOT], [POSE[0], replace(BOTTOM, score=0.75), FOOT]),
        # Half of it on the person is enough.
        ([Box("top", 150, 90, 250, 240, 0.8), BOTTOM, FOOT], [Box("top", 150, 90, 250, 240, 0.8), BOTTOM, FOOT]),
        ([Box("top", 151, 90, 251, 240, 0.8), BOTTOM, FOOT], [POSE[0], BOTTOM, FOOT]),
        # Of two boxes, what counts is the score and how much of the box lies on the person.
        ([Box("top", 150, 90, 250, 240, 0.9), TOP, BOTTOM, FOOT], [TOP, BOTTOM, FOOT]),
        # A box without a score is the least sure.
        ([replace(TOP, score=None), WEAK_TOP, BOTTOM, FOOT], [WEAK_TOP, BOTTOM, FOOT]),
        ([replace(LONG, score=None), TOP, BOTTOM, FOOT], [TOP, BOTTOM, FOOT]),
        ([LONG, replace(TOP, score=None), FOOT], [LONG, FOOT]),
    ],
)
def test_one_box_a_garment(detected: list[Box], expected: list[Box]) -> None:
    assert person_garments(detected, PERSON, POSE) == expected


def test_a_person_has_room_for_clothes_inside_the_picture() -> None:
    assert body((0.25, 0.25, 0.5, 0.75), 400, 800) == pytest.approx((52, 152, 248, 648))
    assert body((0.5, 0.3, 0.6, 0.8), 400, 800) == pytest.approx((152, 192, 288, 688))
    assert body((-0.2, 0.1, 1.3, 1.4), 400, 800) == (0, 0, 400, 800)


@pytest.mark.parametrize(
    ("x", "y"),
    [(0.25, 0.5), (0.75, 0.5), (0.5, 0.25), (0.5, 0.75), (0.25, 0.4), (0.4, 0.25)],
)
@pytest.mark.parametrize("first", [True, False])
def test_the_primary_person_is_large_and_near_the_middle(x: float, y: float, first: bool) -> None:
    def person(x: float, y: float, size: float) -> Corners:
        return 400 * x - 10, 600 * y - 50 * size, 400 * x + 10, 600 * y + 50 * size

    # Half-way to the edge, one has to be a third larger than somebody in the middle.
    middle = person(0.5, 0.5, 1)
    for size, is_primary in ((1.0, False), (1.3, False), (1.4, True), (2.0, True)):
        people = [middle, person(x, y, size)] if first else [person(x, y, size), middle]
        assert (people[primary_person(people, 400, 600)] != middle) == is_primary


def test_the_primary_person() -> None:
    small, large, aside = (190.0, 0.0, 210.0, 50.0), (150.0, 100.0, 250.0, 500.0), (0.0, 100.0, 100.0, 500.0)
    assert primary_person([small, aside, large], 400, 600) == 2
    assert primary_person([aside, small], 400, 600) == 0
