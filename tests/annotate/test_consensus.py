"""What several annotators agree on."""

import pytest

from fullshot.annotate.consensus import Vote, agreed, majority
from fullshot.core.boxes import Box

TOP, NEAR, FOOT = Box("top", 10, 10, 40, 40), Box("top", 12, 10, 42, 40), Box("foot", 1, 70, 20, 80)
FAR = Box("top", 60, 10, 90, 40)


def drew(who: str, *boxes: Box) -> Vote:
    return Vote(who, "boxes", None, boxes)


def refused(who: str, shot: str = "half") -> Vote:
    return Vote(who, "not_full_shot", shot, [])


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([], None),
        ([drew("ada", TOP)], None),
        # One person twice is one person.
        ([drew("ada", TOP), drew("ada", NEAR)], None),
        ([drew("ada", TOP), drew("ada", FOOT), drew("bob", FOOT)], ("boxes", None, [("foot", 1)])),
        ([drew("ada", TOP), drew("bob", NEAR)], ("boxes", None, [("top", 11)])),
        # Whoever says that it is no full shot is against each box.
        ([drew("ada", TOP), drew("bob", NEAR), refused("cyd")], ("boxes", None, [("top", 11)])),
        ([drew("ada", TOP), drew("bob", NEAR), refused("cyd"), refused("dan")], ("boxes", None, [])),
        ([drew("ada", TOP), refused("bob", "item"), refused("cyd")], ("not_full_shot", "half", [])),
        ([drew("ada", TOP), *(refused(who, "item") for who in "bcd")], ("not_full_shot", "item", [])),
        ([drew("ada"), drew("bob")], ("boxes", None, [])),
    ],
)
def test_more_than_half_decide(
    votes: list[Vote], expected: tuple[str, str | None, list[tuple[str, float]]] | None
) -> None:
    found = agreed(votes, 0.5)
    if found is None or expected is None:
        assert (found is None) == (expected is None)
        return
    verdict, shot, boxes = found
    assert (verdict, shot, [(box.label, box.x_min) for box in boxes]) == expected


@pytest.mark.parametrize(
    ("shots", "expected"),
    [
        (["half", "item", "item"], "item"),
        (["item", "half", "half"], "half"),
        (["item", "half"], "half"),  # of as many, the first by name: whoever is asked first decides nothing
        (["half", "item"], "half"),
        (["item", None, None], None),
        (["item", "half", "half", "item", "item"], "item"),
    ],
)
def test_no_full_shot_is_what_most_of_them_call_it(shots: list[str | None], expected: str | None) -> None:
    votes = [Vote(f"annotator {number}", "not_full_shot", shot, []) for number, shot in enumerate(shots)]
    assert agreed(votes, 0.5) == ("not_full_shot", expected, [])


def test_half_of_the_annotators_are_no_majority() -> None:
    assert agreed([drew("ada", TOP), refused("bob")], 0.5) == ("boxes", None, [])


def test_the_newest_word_of_an_annotator_counts() -> None:
    votes = [refused("ada"), refused("bob"), drew("ada", TOP), drew("bob", TOP)]
    assert agreed(votes, 0.5) == ("boxes", None, [Box("top", 10, 10, 40, 40, source="human")])


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ([[TOP], [TOP]], [TOP]),
        ([[TOP, FOOT], [FOOT, TOP]], [FOOT, TOP]),  # in order of label
        ([[TOP, FAR], [FAR, TOP]], [TOP, FAR]),  # and of corners
        ([[FAR, TOP], [TOP, FAR]], [TOP, FAR]),
        ([[TOP, FOOT], [TOP], [FOOT], [TOP]], [TOP]),  # two of four are no majority
        ([[TOP], [Box("bottom", 10, 10, 40, 40)]], []),  # one place, two labels
        ([[TOP], [FAR]], []),
        ([[TOP, FOOT], [Box("top", 10, 10, 44, 40), FOOT]], [FOOT, Box("top", 10, 10, 42, 40)]),
        # The median of three is no mean: who draws far too much moves a corner little.
        ([[TOP], [NEAR], [Box("top", 10, 10, 40, 58)]], [TOP]),
        ([[Box("top", 0, 0, 10, 10)], [Box("top", 0, 0, 10, 5)]], [Box("top", 0, 0, 10, 7.5)]),  # just one half shared
        ([[Box("top", 0, 0, 10, 10)], [Box("top", 0, 0, 10, 4.9)]], []),
        # One who draws a garment twice is one all the same.
        ([[TOP, NEAR], []], []),
        ([[TOP, NEAR], [TOP]], [TOP]),
        ([[], []], []),
    ],
)
def test_a_box_counts_that_more_than_half_drew(drawn: list[list[Box]], expected: list[Box]) -> None:
    boxes = majority([(f"annotator {number}", boxes) for number, boxes in enumerate(drawn)], 0.5)
    assert [(box.label, box.corners) for box in boxes] == [(box.label, box.corners) for box in expected]
    assert {box.source for box in boxes} <= {"human"}
    assert {box.score for box in boxes} <= {None}


def test_of_three_boxes_of_a_garment_each_corner_is_the_one_in_the_middle() -> None:
    drawn = [("a", [Box("top", 0, 3, 10, 12)]), ("b", [Box("top", 1, 1, 12, 11)]), ("c", [Box("top", 2, 2, 11, 10)])]
    assert [box.corners for box in majority(drawn, 0.5)] == [(1, 2, 11, 11)]
