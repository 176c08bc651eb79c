"""Boxes and pictures brought together, as a family of detectors gets them."""

from collections.abc import Callable

import pandas as pd
import pytest

from fullshot.core.boxes import Box
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train.detector.data import choose_boxes, read_data, validated

MakeWorkspace = Callable[..., Workspace]

CORNERS = ("x_min", "y_min", "x_max", "y_max")


def test_the_pictures_of_a_split_come_with_their_boxes_in_any_way_that_one_asks(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=5, test=2)
    rows = workspace.read("boxes").sort_values(["image_id", "label"])
    expected: dict[str, tuple[Box, ...]] = {}
    for image_id, *box in rows[["image_id", "label", *CORNERS]].itertuples(index=False, name=None):
        expected[image_id] = (*expected.get(image_id, ()), Box(*box))
    with workspace.open() as data:
        found, boxes, unreadable = read_data(workspace, choose_boxes(data, GARMENTS), GARMENTS)
    curated = workspace.read("curated")
    splits = dict(zip(curated["image_id"], curated["split"], strict=True))
    assert (len(boxes), unreadable) == (len(rows), [])
    assert {name: len(pictures) for name, pictures in found.splits.items()} == {"train": 5, "test": 2}
    for name, pictures in found.splits.items():
        each = list(pictures)
        assert [one.image_id for one in each] == sorted(one for one, split in splits.items() if split == name)
        assert {one.image_id: one.boxes for one in each} == {one.image_id: expected[one.image_id] for one in each}
        assert all(one.path.is_file() and not one.is_turned for one in each)
        assert [pictures[number] for number in range(len(each))] == each
        assert (pictures[-1], list(pictures[::-1]), list(reversed(pictures))) == (each[-1], each[::-1], each[::-1])
        with pytest.raises(IndexError):
            pictures[len(each)]


def test_a_picture_that_does_not_decode_is_left_out_with_its_boxes(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=3, val=1)
    spoilt = workspace.read("images")["path"][0]
    (workspace / spoilt).write_bytes(b"no picture")
    with workspace.open() as data:
        chosen = choose_boxes(data, GARMENTS)
    found, boxes, unreadable = read_data(workspace, chosen, GARMENTS)
    assert unreadable == [spoilt]
    assert len(found.splits["train"]) == 2
    assert boxes.equals(chosen[chosen["path"] != spoilt])


def test_a_validation_is_known_by_the_boxes_of_the_split_val() -> None:
    corners = {"x_min": 1.0, "y_min": 2.0, "x_max": 3.0, "y_max": 4.0}
    rows = [
        {"image_id": name, "split": split, "label": "top", **corners} for name, split in (("a", "train"), ("b", "val"))
    ]
    boxes = pd.DataFrame(rows)
    measured = {"measured_on": "val", "map50": 0.75}
    entry = validated(measured, boxes)
    assert (entry["validation"]["figure"], entry["validation"]["value"]) == ("mAP@0.5", 0.75)
    more_to_learn_from = pd.concat([boxes, boxes.assign(image_id="c", split="train")])
    assert validated(measured, more_to_learn_from) == entry
    assert validated(measured, boxes.assign(label="bottom")) != entry
    assert validated(measured, boxes.assign(x_max=5.0)) != entry
    assert validated({"measured_on": "train", "map50": 0.75}, boxes) == {}  # nothing was there to validate on
