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
    classify_shot,
    classify_shots,
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


def together(*people: Joints) -> People:
    return People(np.stack(people), BLAZEPOSE)


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
    verdict = classify_shot(People(keypoints[None], BLAZEPOSE), load().curate)
    assert verdict.reason == reason
    assert (verdict.shot == FULL) == (reason == FULL_LENGTH)
    assert (0.5 <= verdict.score <= 1) if verdict.shot == FULL else (0 <= verdict.score < 0.5)


def test_nobody_is_no_full_shot() -> None:
    verdict = classify_shot(nobody(BLAZEPOSE), load().curate)
    assert (verdict.shot, verdict.score, verdict.reason) == (ITEM, 0.0, NO_PERSON)


def test_one_person_at_full_length_is_enough() -> None:
    small = standing()
    scaled(0.3)(small)
    assert classify_shot(together(small, standing()), load().curate).shot == FULL


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
    assert classify_shot(People(standing()[None], BLAZEPOSE), load(curate={setting: value}).curate).reason == reason


def test_the_surer_the_higher_the_score() -> None:
    unsure = standing()
    unsure[numbers("ankle"), 2] = 0.4
    thresholds = load().curate
    assert (
        classify_shot(People(unsure[None], BLAZEPOSE), thresholds).score
        < classify_shot(People(standing()[None], BLAZEPOSE), thresholds).score
        == 1.0
    )


def at(height: float, *words: str) -> Callable[[Joints], None]:
    def change(keypoints: Joints) -> None:
        keypoints[numbers(*words), 1] = height

    return change


def visible(visibility: float, *words: str) -> Callable[[Joints], None]:
    def change(keypoints: Joints) -> None:
        keypoints[numbers(*words), 2] = visibility

    return change


def found(presence: float, *words: str) -> Callable[[Joints], None]:
    """As OpenPose leaves a joint that it does not find: anywhere, and with no presence."""

    def change(keypoints: Joints) -> None:
        keypoints[numbers(*words), 3] = presence
        if not presence:
            keypoints[numbers(*words), :2] = np.nan

    return change


def beside(x: float, *words: str) -> Callable[[Joints], None]:
    def change(keypoints: Joints) -> None:
        keypoints[numbers(*words), 0] = x

    return change


def both(*changes: Callable[[Joints], None]) -> Callable[[Joints], None]:
    def change(keypoints: Joints) -> None:
        for each in changes:
            each(keypoints)

    return change


HEAD = ("nose", "eye")
FEET = ("heel", "foot index")


# Nose to ankles are 0.72 of the picture's height; in the comments, what the rule measures.
@pytest.mark.parametrize(
    ("change", "score", "reason"),
    [
        # Half-way from the threshold to where more makes no surer; half-way down.
        (visible(0.6, "ankle"), 0.75, FULL_LENGTH),
        (visible(0.15, "ankle"), 0.5 * (1 - 0.15 / 0.9), "ankles not visible"),
        (visible(0.75, *HEAD), 0.75, FULL_LENGTH),
        (visible(0.25, *HEAD), 0.5 * (1 - 0.25), "head not visible"),
        (at(0.12 + 0.35 * 0.72, "hip"), 0.75, FULL_LENGTH),  # hips at 0.35 of the way down
        (at(0.12 + 0.65 * 0.72, "hip"), 0.75, FULL_LENGTH),  # and at 0.35 of the way up
        (at(0.12 + 0.15 * 0.72, "hip"), 0.5 * (1 - 0.15 / 0.4), NOT_UPRIGHT),
        (shifted(0.11 * 0.72 - 0.12), 0.75, FULL_LENGTH),  # headroom 0.11
        (shifted(0.04 * 0.72 - 0.12), 0.5 * (1 - 0.04 / 0.14), "head cut off"),
        (at(1 - 0.0375 * 0.72, *FEET), 0.75, FULL_LENGTH),  # footroom 0.0375
        (at(1 - 0.0125 * 0.72, *FEET), 0.5 * (1 - 0.0125 / 0.05), "feet cut off"),
        (scaled(0.55 / 0.72), 0.75, FULL_LENGTH),  # span 0.55
        (scaled(0.3 / 0.72), 0.5 * (1 - 0.15 / 0.65), "person too small"),
        # What just fails is below one half all the same.
        (visible(0.2999, "ankle"), 0.495, "unsure: ankles not visible"),
        # What is not told of cannot hold.
        (beside(1.2, "ankle"), 0, "ankles outside the frame"),
        (found(0, "nose"), 0, NOT_UPRIGHT),  # though the eyes are seen
        (found(0, *FEET), 0, "feet cut off"),
        (at(0.95, "hip"), 0.5 * (1 - 0.3 / 0.4), NOT_UPRIGHT),  # below the ankles: as far from upright as can be
        (lambda _: None, 1, FULL_LENGTH),
    ],
)
def test_the_score_is_how_far_the_weakest_condition_is_from_its_threshold(
    change: Callable[[Joints], None], score: float, reason: str
) -> None:
    keypoints = standing()
    change(keypoints)
    verdict = classify_shot(together(keypoints), load().curate)
    assert verdict.score == pytest.approx(score, abs=1e-9)
    assert verdict.reason == reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        # The frame's edge is inside.
        (beside(0, "ankle"), FULL_LENGTH),
        (beside(1, "ankle"), FULL_LENGTH),
        (at(0, *HEAD), "head cut off"),
        (at(1, "ankle", *FEET), "feet cut off"),
        # A joint that was not found says nothing; of two shoulders or ankles, the other one does.
        (found(0.05, ""), FULL_LENGTH),
        (found(0.04, *HEAD), "head outside the frame"),
        (found(0, "left shoulder"), FULL_LENGTH),
        (found(0, "right hip"), FULL_LENGTH),
        (found(0, "left ankle"), FULL_LENGTH),
        (found(0, "left heel", "left foot index"), FULL_LENGTH),
        # An ankle that is guessed beside the frame is not seen, whatever its visibility.
        (both(beside(1.2, "left ankle"), hidden("right ankle")), "ankles not visible"),
        # Each pair that is out of order, alone.
        (at(0.1, "shoulder"), NOT_UPRIGHT),
        (at(0.5, "shoulder"), NOT_UPRIGHT),
        (at(0.12, "shoulder"), NOT_UPRIGHT),  # just as high as the face
        (at(0.48, "shoulder"), NOT_UPRIGHT),  # just as high as the hips
    ],
)
def test_where_the_joints_are(change: Callable[[Joints], None], reason: str) -> None:
    keypoints = standing()
    change(keypoints)
    assert classify_shot(together(keypoints), load().curate).reason == reason


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
        # A head is somebody; so are hips with shoulders or legs, not each of them alone.
        (both(hidden(""), visible(0.5, "nose")), HALF),
        (both(hidden(""), visible(0.49, "nose")), ITEM),
        (both(hidden(""), visible(0.5, "hip", "shoulder")), HALF),
        (both(hidden(""), visible(0.5, "hip", "ankle")), HALF),
        (both(hidden(""), visible(0.49, "hip"), visible(1, "ankle", "shoulder")), ITEM),
        (both(hidden(""), visible(1, "hip")), ITEM),
        (both(hidden(""), visible(1, "shoulder")), ITEM),
        (both(hidden(""), visible(1, "ankle")), ITEM),
        # Who does not stand is a thing: each pair out of order, alone, or just as high.
        (both(hidden("ankle"), at(0.3, "nose")), ITEM),
        (both(hidden("ankle"), at(0.22, "nose")), ITEM),
        (both(hidden("ankle"), at(0.5, "shoulder")), ITEM),
        (both(hidden("ankle"), at(0.48, "shoulder")), ITEM),
        (both(hidden("ankle"), at(0.9, "hip")), ITEM),
        (both(hidden("ankle"), at(0.84, "hip")), ITEM),
        # What was not found is out of no order.
        (found(0, "ankle"), HALF),
    ],
)
def test_each_kind_of_shot(change: Callable[[Joints], None], shot: str) -> None:
    keypoints = standing()
    change(keypoints)
    verdict = classify_shot(People(keypoints[None], BLAZEPOSE), load().curate)
    assert verdict.shot == shot, verdict
    assert (verdict.reason in (NO_BODY, NOT_UPRIGHT)) == (shot == ITEM)


@pytest.mark.parametrize(("visibility", "shot"), [(0.15, HALF), (0.27, UNCLEAR), (0.31, UNCLEAR), (0.5, FULL)])
def test_near_a_threshold_it_is_unclear(visibility: float, shot: str) -> None:
    keypoints = standing()
    keypoints[numbers("ankle"), 2] = visibility
    verdict = classify_shot(People(keypoints[None], BLAZEPOSE), load().curate)
    assert verdict.shot == shot, verdict
    reason = FULL_LENGTH if shot == FULL else "ankles not visible"
    assert verdict.reason == (f"unsure: {reason}" if shot == UNCLEAR else reason)


def test_a_threshold_is_enough() -> None:
    keypoints = standing()
    visible(0.3, "ankle")(keypoints)
    verdict = classify_shot(together(keypoints), load(curate={"sure": 0}).curate)
    assert (verdict.shot, verdict.score) == (FULL, 0.5)
    beside_it = standing()
    beside_it[:, 0] += np.linspace(0.2, 0.3, len(beside_it))
    keypoints[:, 0] -= np.linspace(0.2, 0.3, len(keypoints))
    assert classify_shot(together(keypoints, beside_it), load(curate={"sure": 0}).curate).reason == SEVERAL


def test_a_picture_is_classified_by_the_best_person_and_of_equals_by_the_first() -> None:
    limits = load().curate
    whole, headless, footless = standing(), standing(), standing()
    shifted(-0.3)(headless)
    shifted(0.3)(footless)
    assert classify_shot(together(headless, whole, footless), limits).shot == FULL
    assert classify_shot(together(whole, headless), limits).shot == FULL
    assert classify_shot(together(headless, footless), limits).reason == "head outside the frame"
    assert classify_shot(together(footless, headless), limits).reason == "ankles outside the frame"


@pytest.mark.parametrize(
    ("change", "reason"),
    [(lying_shoe, NOT_UPRIGHT), (hidden(""), NO_BODY), (both(hidden("ankle"), at(0.3, "nose")), NOT_UPRIGHT)],
)
def test_why_nobody_is_there(change: Callable[[Joints], None], reason: str) -> None:
    keypoints = standing()
    change(keypoints)
    assert classify_shot(together(keypoints), load().curate).reason == reason


def test_two_people_at_full_length_are_for_a_person_to_say() -> None:
    first, second, passer_by = standing(), standing(), standing()
    first[:, 0] -= np.linspace(0.2, 0.3, len(first))
    second[:, 0] += np.linspace(0.2, 0.3, len(second))
    passer_by[:, 0] = np.linspace(0.6, 0.8, len(second))
    scaled(0.6)(passer_by)
    limits = load(curate={"min_span": 0.3}).curate
    assert classify_shot(together(first, second), limits).reason == SEVERAL
    assert classify_shot(together(first, second), limits).shot == UNCLEAR
    assert classify_shot(together(first, first + np.array([0.4, 0, 0, 0])), limits).reason == SEVERAL  # of one size
    assert classify_shot(together(first, first + 0.01), limits).shot == FULL  # one person, found twice
    assert classify_shot(together(first, passer_by), limits).shot == FULL


def test_two_people_apart_both_ways_are_two() -> None:
    limits = load(curate={"min_span": 0.3}).curate
    above, below = standing(), standing()
    scaled(0.45, about=0.0)(above)
    scaled(0.45, about=0.0)(below)
    above[:, 0] = np.linspace(0.10, 0.12, len(above))
    below[:, 0] = np.linspace(0.88, 0.90, len(below))
    shifted(0.55)(below)
    assert classify_shot(together(above, below), limits).reason == SEVERAL


def test_many_pictures_at_once_are_classified_like_one_after_the_other() -> None:
    random = np.random.default_rng(3)
    counts = random.integers(0, 4, 200)
    people = [standing() + random.normal(0, 0.12, (33, 4)) * random.integers(0, 2) for _ in range(counts.sum())]
    for keypoints in people[::5]:
        found(0, *[("nose",), ("ankle",), ("left hip",), FEET][random.integers(4)])(keypoints)
    everybody, owners = np.array(people), np.repeat(np.arange(200), counts)
    limits = load().curate
    together = classify_shots(People(everybody, BLAZEPOSE), owners, 200, limits)
    alone = [classify_shot(People(everybody[owners == picture], BLAZEPOSE), limits) for picture in range(200)]
    assert together.shot.tolist() == [verdict.shot for verdict in alone]
    assert together.reason.tolist() == [verdict.reason for verdict in alone]
    np.testing.assert_allclose(together.score, [verdict.score for verdict in alone])
    assert len(set(together.shot.tolist())) == 4


@pytest.mark.parametrize("skeleton", [COCO18, MPI15])
def test_other_skeletons_are_classified_by_the_same_rule(skeleton: Skeleton) -> None:
    keypoints = np.full((len(skeleton.joints), 4), [0.5, 0.3, 0.9, 0.9])
    heights = {**HEIGHTS, "head": 0.1, "neck": 0.18, "ear": 0.1, "chest": 0.3}
    for number, name in enumerate(skeleton.joints):
        keypoints[number, 1] = next((y for word, y in heights.items() if word in name), 0.3)
    limits = load(curate={"visibility": 0.2, "body_visibility": 0.2}).curate
    assert classify_shot(People(keypoints[None], skeleton), limits).shot == FULL
    ankles = skeleton.rows(skeleton.ankles)
    keypoints[ankles] = np.nan  # found nowhere
    keypoints[ankles, 2:] = 0.0
    verdict = classify_shot(People(keypoints[None], skeleton), limits)
    assert (verdict.shot, verdict.reason) == (HALF, "ankles outside the frame")
