"""What several annotators agree on."""

import pytest

from fullshot.annotate.consensus import Voice, agreed
from fullshot.core.boxes import Box

TOP, NEAR, FOOT = Box("top", 10, 10, 40, 40), Box("top", 12, 10, 42, 40), Box("foot", 1, 70, 20, 80)


def drew(who: str, *boxes: Box) -> Voice:
    return Voice(who, "boxes", None, boxes)


def refused(who: str, shot: str = "half") -> Voice:
    return Voice(who, "not_full_shot", shot, [])


@pytest.mark.parametrize(
    ("voices", "expected"),
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
    voices: list[Voice], expected: tuple[str, str | None, list[tuple[str, float]]] | None
) -> None:
    found = agreed(voices, 0.5)
    if found is None or expected is None:
        assert (found is None) == (expected is None)
        return
    verdict, shot, boxes = found
    assert (verdict, shot, [(box.label, box.x_min) for box in boxes]) == expected
