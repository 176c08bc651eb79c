from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from fullshot.core.settings import load
from fullshot.curation.pose.people import People, nobody
from fullshot.curation.pose.skeletons import BLAZEPOSE, COCO18, MPI15, Skeleton
from fullshot.curation.shots.rule import (
    FULL,
    FULL_LENGTH,
    HALF,
    ITEM,
    NO_BODY,
    NO_PERSON,
    NOT_UPRIGHT,
    SEVERAL,
    UNCLEAR,
    judge,
    judge_all,
)

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
    keypoints = np.full((len(BLAZEPOSE.joints), 4), [0.5, 0.3, 1.0, 1.0])
    for number, name in enumerate(BLAZEPOSE.joints):
        keypoints[number, 1] = next((y for word, y in HEIGHTS.items() if word in name), 0.3)
    return keypoints


def numbers(*words: str) -> list[int]:
    return [number for number, name in enumerate(BLAZEPOSE.joints) if any(word in name for word in words)]


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
        (one_foot_below, "feet cut off"),
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
    verdict = judge(People(keypoints[None], BLAZEPOSE), load().curate)
    assert verdict.reason == reason
    assert (verdict.shot == FULL) == (reason == FULL_LENGTH)
    assert (0.5 <= verdict.score <= 1) if verdict.shot == FULL else (0 <= verdict.score < 0.5)


def test_nobody_is_no_full_shot() -> None:
    verdict = judge(nobody(BLAZEPOSE), load().curate)
    assert (verdict.shot, verdict.score, verdict.reason) == (ITEM, 0.0, NO_PERSON)


def test_one_person_at_full_length_is_enough() -> None:
    small = standing()
    scaled(0.3)(small)
    assert judge(People(np.stack([small, standing()]), BLAZEPOSE), load().curate).shot == FULL


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("min_span", 0.8, "person too small"),
        ("min_headroom", 0.3, "head cut off"),
        ("min_footroom", 0.3, "feet cut off"),
        ("min_hip_share", 0.55, "unsure: nobody upright"),
        ("visibility", 1.0, FULL_LENGTH),
    ],
)
def test_thresholds_are_settings(setting: str, value: float, reason: str) -> None:
    assert judge(People(standing()[None], BLAZEPOSE), load(curate={setting: value}).curate).reason == reason


def test_the_surer_the_higher_the_score() -> None:
    unsure = standing()
    unsure[numbers("ankle"), 2] = 0.4
    thresholds = load().curate
    assert (
        judge(People(unsure[None], BLAZEPOSE), thresholds).score
        < judge(People(standing()[None], BLAZEPOSE), thresholds).score
        == 1.0
    )


def legs_only(keypoints: Joints) -> None:
    scaled(1.7, about=0.95)(keypoints)
    hidden("nose", "eye", "shoulder")(keypoints)


def head_and_chest(keypoints: Joints) -> None:
    scaled(2.5, about=0.0)(keypoints)
    keypoints[:, 0] = 0.5


def lying_shoe(keypoints: Joints) -> None:
    keypoints[:, 1] = 0.5


@pytest.mark.parametrize(
    ("change", "shot"),
    [
        (lambda _: None, FULL),
        (head_and_chest, HALF),
        (legs_only, HALF),
        (lying_shoe, ITEM),  # BlazePose sees bodies in shoes; none of them stands upright
        (hidden(""), ITEM),
        (hidden("ankle"), HALF),
    ],
)
def test_each_kind_of_shot(change: Callable[[Joints], None], shot: str) -> None:
    keypoints = standing()
    change(keypoints)
    verdict = judge(People(keypoints[None], BLAZEPOSE), load().curate)
    assert verdict.shot == shot, verdict
    assert (verdict.reason in (NO_BODY, NOT_UPRIGHT)) == (shot == ITEM)


@pytest.mark.parametrize(("visibility", "shot"), [(0.15, HALF), (0.27, UNCLEAR), (0.31, UNCLEAR), (0.5, FULL)])
def test_near_a_threshold_it_is_unclear(visibility: float, shot: str) -> None:
    keypoints = standing()
    keypoints[numbers("ankle"), 2] = visibility
    verdict = judge(People(keypoints[None], BLAZEPOSE), load().curate)
    assert verdict.shot == shot, verdict
    assert verdict.reason.startswith("unsure: ") == (shot == UNCLEAR)


def test_two_people_at_full_length_are_for_a_person_to_say() -> None:
    first, second, passer_by = standing(), standing(), standing()
    first[:, 0] -= np.linspace(0.2, 0.3, len(first))
    second[:, 0] += np.linspace(0.2, 0.3, len(second))
    passer_by[:, 0] = np.linspace(0.6, 0.8, len(second))
    scaled(0.6)(passer_by)
    limits = load(curate={"min_span": 0.3}).curate
    assert judge(People(np.stack([first, second]), BLAZEPOSE), limits).reason == SEVERAL
    assert judge(People(np.stack([first, second]), BLAZEPOSE), limits).shot == UNCLEAR
    assert judge(People(np.stack([first, first + 0.01]), BLAZEPOSE), limits).shot == FULL  # one person, found twice
    assert judge(People(np.stack([first, passer_by]), BLAZEPOSE), limits).shot == FULL


def test_many_pictures_at_once_are_judged_like_one_after_the_other() -> None:
    random = np.random.default_rng(3)
    counts = random.integers(0, 4, 200)
    people = [standing() + random.normal(0, 0.12, (33, 4)) * random.integers(0, 2) for _ in range(counts.sum())]
    everybody, owners = np.array(people), np.repeat(np.arange(200), counts)
    limits = load().curate
    together = judge_all(People(everybody, BLAZEPOSE), owners, 200, limits)
    alone = [judge(People(everybody[owners == picture], BLAZEPOSE), limits) for picture in range(200)]
    assert together.shot.tolist() == [verdict.shot for verdict in alone]
    assert together.reason.tolist() == [verdict.reason for verdict in alone]
    np.testing.assert_allclose(together.score, [verdict.score for verdict in alone])
    assert len(set(together.shot.tolist())) == 4


@pytest.mark.parametrize("skeleton", [COCO18, MPI15])
def test_other_layouts_are_judged_by_the_same_rule(skeleton: Skeleton) -> None:
    keypoints = np.full((len(skeleton.joints), 4), [0.5, 0.3, 0.9, 0.9])
    heights = {**HEIGHTS, "head": 0.1, "neck": 0.18, "ear": 0.1, "chest": 0.3}
    for number, name in enumerate(skeleton.joints):
        keypoints[number, 1] = next((y for word, y in heights.items() if word in name), 0.3)
    limits = load(curate={"visibility": 0.2, "body_visibility": 0.2}).curate
    assert judge(People(keypoints[None], skeleton), limits).shot == FULL
    ankles = skeleton.rows(skeleton.ankles)
    keypoints[ankles] = np.nan  # found nowhere
    keypoints[ankles, 2:] = 0.0
    verdict = judge(People(keypoints[None], skeleton), limits)
    assert (verdict.shot, verdict.reason) == (HALF, "ankles outside the frame")
