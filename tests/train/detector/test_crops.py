"""Parts of pictures about a box, and what a training of either kind of family sees of them."""

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fullshot.core.boxes import Box, Corners
from fullshot.train.detector.crops import part_about
from fullshot.train.detector.data import DetectionData, DetectionPicture
from fullshot.train.detector.torchvision.augment import Sample
from fullshot.train.detector.torchvision.dataset import TrainingPictures

BOXES = [
    (60.0, 80.0, 140.0, 240.0),
    (0.0, 0.0, 50.0, 30.0),  # in a corner
    (150.25, 270.5, 200.0, 300.0),  # in the other one, and not on whole pixels
    (0.0, 10.0, 200.0, 290.0),  # as wide as the picture
]
WIDTH, HEIGHT = 200, 300


@pytest.mark.parametrize("box", BOXES)
def test_a_part_is_10_to_30_percent_wider_and_higher_and_holds_the_box(box: Corners) -> None:
    dice = random.Random(3)
    parts = [part_about(box, WIDTH, HEIGHT, [dice.random() for _ in range(4)]) for _ in range(200)]
    for part in parts:
        assert 0 <= part.left <= box[0]
        assert box[2] <= part.left + part.width <= WIDTH
        assert 0 <= part.top <= box[1]
        assert box[3] <= part.top + part.height <= HEIGHT
        for length, side, end in ((part.width, box[2] - box[0], WIDTH), (part.height, box[3] - box[1], HEIGHT)):
            assert min(1.1 * side, end) <= length <= 1.3 * side + 1
    assert len(set(parts)) > 20 or box == BOXES[-1]  # drawn anew each time


def test_a_torchvision_family_sees_little_beside_the_box(tmp_path: Path) -> None:
    x_min, y_min, x_max, y_max = (round(side) for side in BOXES[0])
    across, down = round(0.3 * (x_max - x_min)) + 1, round(0.3 * (y_max - y_min)) + 1
    pixels = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    pixels[y_min - down : y_max + down, x_min - across : x_max + across] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    one = DetectionPicture("a", tmp_path / "a.png", WIDTH, HEIGHT, (Box("long", *BOXES[0]),))
    far, kinds = {True: 0, False: 0}, set()
    for in_crops in far:
        data = DetectionData(("top", "long"), {"train": [one]}, in_crops)
        pictures = TrainingPictures(data, first_label=1, image_size=HEIGHT)
        for seed in range(30):
            picture, target = pictures[Sample(0, seed, 160, 96)]
            far[in_crops] += int((picture > 204).any())
            if in_crops:
                assert target["labels"].tolist() == [2]
                kinds.add(tuple(target["boxes"][0].tolist()))
    assert far[True] == 0
    assert far[False] > 20
    assert len(kinds) == 30  # drawn anew each time


def test_yolo_sees_little_beside_the_box_either(tmp_path: Path) -> None:
    from fullshot.train.detector.yolo import library

    library.ultralytics()
    from ultralytics.utils import DEFAULT_CFG

    from fullshot.train.detector.yolo import dataset, reading
    from fullshot.train.detector.yolo.pictures import Pictures

    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[80:240, 60:140] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    one = DetectionPicture("a", tmp_path / "a.png", WIDTH, HEIGHT, (Box("long", *BOXES[0]),))
    for in_crops in (True, False):
        data = DetectionData(("top", "long"), {"train": [one]}, in_crops)
        pictures = Pictures()
        pictures.know(data)
        yaml = dataset.write(data, tmp_path / "data")
        of: Any = SimpleNamespace(args=DEFAULT_CFG, data={"names": {0: "top", 1: "long"}, "channels": 3})
        made: Any = reading._dataset(of, pictures, str(yaml.parent / "images/train"), "train", 1, rect=False, stride=32)
        label = made.get_image_and_label(0)
        height, width = label["img"].shape[:2]
        label["instances"].convert_bbox("xyxy")
        label["instances"].denormalize(width, height)
        left, top, right, bottom = label["instances"].bboxes[0].round().astype(int)
        assert label["cls"].tolist() == [[1]]
        assert label["img"][top + 2 : bottom - 2, left + 2 : right - 2].min() > 200  # the box lies where it did
        share = (right - left) * (bottom - top) / (width * height)
        assert share > 0.55 if in_crops else share < 0.25
