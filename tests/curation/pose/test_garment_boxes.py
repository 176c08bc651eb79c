"""Boxes of garments, from the joints of every skeleton."""

import numpy as np
import pytest

from fullshot.core.boxes import iou
from fullshot.curation import People, garment_boxes
from fullshot.curation.pose.skeletons import BLAZEPOSE, COCO18, MPI15, Skeleton

WIDTH, HEIGHT = 200, 400

# Somebody who stands upright, from the side of the camera; as shares of the picture.
PLACES = {
    "head": (0.5, 0.08),
    "nose": (0.5, 0.1),
    "neck": (0.5, 0.18),
    "left shoulder": (0.62, 0.2),
    "right shoulder": (0.38, 0.2),
    "left elbow": (0.66, 0.34),
    "right elbow": (0.34, 0.34),
    "left wrist": (0.68, 0.46),
    "right wrist": (0.32, 0.46),
    "chest": (0.5, 0.3),
    "left hip": (0.57, 0.48),
    "right hip": (0.43, 0.48),
    "left knee": (0.57, 0.68),
    "right knee": (0.43, 0.68),
    "left ankle": (0.57, 0.88),
    "right ankle": (0.43, 0.88),
    "left heel": (0.57, 0.9),
    "right heel": (0.43, 0.9),
    "left foot index": (0.61, 0.96),
    "right foot index": (0.39, 0.96),
}

SKELETONS = pytest.mark.parametrize("skeleton", [BLAZEPOSE, COCO18, MPI15], ids=lambda skeleton: skeleton.name)


def standing(skeleton: Skeleton) -> People:
    places = [(*PLACES.get(joint, (0.5, 0.1)), 0.9, 0.9) for joint in skeleton.joints]
    return People(np.array([places]), skeleton)


def without(person: People, *joints: str) -> People:
    """The same person, of whom some joints were not found: their places say nothing."""
    keypoints = person.keypoints.copy()
    keypoints[:, person.skeleton.rows(joints)] = [0.02, 0.98, 0.01, 0.01]
    return People(keypoints, person.skeleton)


@SKELETONS
def test_every_skeleton_gives_a_box_a_wear_where_the_garment_is(skeleton: Skeleton) -> None:
    boxes = {box.label: box for box in garment_boxes(standing(skeleton), WIDTH, HEIGHT)}
    assert set(boxes) == {"top", "bottom", "foot"}
    garments = {"top": (58, 58, 142, 212), "bottom": (67, 172, 133, 352), "foot": (67, 348, 133, 394)}
    for label, corners in garments.items():
        assert iou([boxes[label].corners], [corners])[0, 0] > 0.7, label
        assert boxes[label].source == "pose"
        assert boxes[label].score == pytest.approx(0.9)


@SKELETONS
def test_joints_that_were_not_found_say_nothing(skeleton: Skeleton) -> None:
    whole = {box.label: box for box in garment_boxes(standing(skeleton), WIDTH, HEIGHT)}
    ankles = without(standing(skeleton), *skeleton.ankles, *(joint for foot in skeleton.feet for joint in foot))
    boxes = {box.label: box for box in garment_boxes(ankles, WIDTH, HEIGHT)}
    assert set(boxes) == {"top", "bottom"}
    assert boxes["top"] == whole["top"]
    # The legs go on to the edge of the picture.
    assert boxes["bottom"].corners == (*whole["bottom"].corners[:3], HEIGHT)
    arms = {box.label: box for box in garment_boxes(without(standing(skeleton), *skeleton.arms), WIDTH, HEIGHT)}
    assert whole["top"].x_min < arms["top"].x_min < arms["top"].x_max < whole["top"].x_max
    assert arms["bottom"] == whole["bottom"]


@SKELETONS
def test_nothing_found_gives_no_box(skeleton: Skeleton) -> None:
    assert garment_boxes(without(standing(skeleton), *skeleton.joints), WIDTH, HEIGHT) == []


def test_several_people_at_once_are_refused() -> None:
    both = People(np.concatenate([standing(COCO18).keypoints] * 2), COCO18)
    with pytest.raises(ValueError, match="expected one person, got 2"):
        garment_boxes(both, WIDTH, HEIGHT)
    assert garment_boxes(both[1], WIDTH, HEIGHT) == garment_boxes(standing(COCO18), WIDTH, HEIGHT)
