from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from curation.pose import NAMES, Person
from curation.rule import FULL_LENGTH, NO_PERSON, judge
from fullshot.settings import load

Joints = NDArray[np.float64]
HEIGHTS = {
    "eye": 0.1,
    "nose": 0.12,
    "shoulder": 0.22,
    "hip": 0.48,
    "knee": 0.66,
    "ankle": 0.84,
    "heel": 0.87,
    "foot": 0.9,
}


def standing() -> Joints:
    """Somebody in the middle of the picture, from head to feet, all joints in view."""
    keypoints = np.full((len(NAMES), 4), [0.5, 0.3, 1.0, 1.0])
    for number, name in enumerate(NAMES):
        keypoints[number, 1] = next((y for word, y in HEIGHTS.items() if word in name), 0.3)
    return keypoints


def numbers(*words: str) -> list[int]:
    return [number for number, name in enumerate(NAMES) if any(word in name for word in words)]


def hidden(*words: str) -> Callable[[Joints], None]:
    def change(keypoints: Joints) -> None:
        keypoints[numbers(*words), 2] = 0.05

    return change


def scaled(by: float, about: float = 0.5) -> Callable[[Joints], None]:
    def change(keypoints: Joints) -> None:
        keypoints[:, :2] = about + by * (keypoints[:, :2] - about)

    return change


def shifted(down: float, right: float = 0.0) -> Callable[[Joints], None]:
    def change(keypoints: Joints) -> None:
        keypoints[:, :2] += [right, down]

    return change


def both_ankles_beside(keypoints: Joints) -> None:
    keypoints[numbers("ankle"), 0] = 1.2


def one_foot_below(keypoints: Joints) -> None:
    keypoints[numbers("left heel", "left foot index"), 1] = 1.1


def both_feet_below(keypoints: Joints) -> None:
    keypoints[numbers("heel", "foot index"), 1] = 1.1


def no_body(keypoints: Joints) -> None:
    keypoints[numbers("hip"), 1] = 0.25


def upside_down(keypoints: Joints) -> None:
    keypoints[:, 1] = 1 - keypoints[:, 1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: None, FULL_LENGTH),
        (hidden("left"), FULL_LENGTH),  # from the side
        (hidden("nose", "left eye"), FULL_LENGTH),  # one eye is a face
        (one_foot_below, FULL_LENGTH),  # a step towards the camera
        (hidden("ankle"), "ankles not visible"),
        (hidden("nose", "eye"), "head not visible"),
        (shifted(-0.2), "head outside the frame"),
        (shifted(-0.095), "head cut off"),
        (shifted(0.12), "feet cut off"),
        (both_feet_below, "feet cut off"),
        (shifted(0.3), "ankles outside the frame"),
        (scaled(2.0, about=0.1), "ankles outside the frame"),
        (both_ankles_beside, "ankles outside the frame"),
        (scaled(0.5), "person too small"),
        (no_body, "nobody upright"),
        (upside_down, "nobody upright"),
    ],
)
def test_each_reason(change: Callable[[Joints], None], reason: str) -> None:
    keypoints = standing()
    change(keypoints)
    verdict = judge([Person(keypoints)], load().curate)
    assert verdict.reason == reason
    assert verdict.full_shot == (reason == FULL_LENGTH)
    assert (0.5 <= verdict.score <= 1) if verdict.full_shot else (0 <= verdict.score < 0.5)


def test_nobody_is_no_full_shot() -> None:
    verdict = judge([], load().curate)
    assert (verdict.full_shot, verdict.score, verdict.reason) == (False, 0.0, NO_PERSON)


def test_one_person_at_full_length_is_enough() -> None:
    small = standing()
    scaled(0.3)(small)
    assert judge([Person(small), Person(standing())], load().curate).full_shot


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("min_span", 0.8, "person too small"),
        ("min_headroom", 0.3, "head cut off"),
        ("min_footroom", 0.3, "feet cut off"),
        ("min_hip_share", 0.55, "nobody upright"),
        ("visibility", 1.0, FULL_LENGTH),
    ],
)
def test_thresholds_are_settings(setting: str, value: float, reason: str) -> None:
    assert judge([Person(standing())], load(curate={setting: value}).curate).reason == reason


def test_the_surer_the_higher_the_score() -> None:
    unsure = standing()
    unsure[numbers("ankle"), 2] = 0.4
    thresholds = load().curate
    assert judge([Person(unsure)], thresholds).score < judge([Person(standing())], thresholds).score == 1.0
