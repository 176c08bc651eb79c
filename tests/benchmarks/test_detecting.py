"""What the benchmarks of the detector do without training one."""

import json
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks._detecting import draw_shop, kept
from benchmarks._finer import finer_pictures
from benchmarks._typical import typical
from fullshot.core.boxes import Box
from fullshot.train.detector import DetectionPicture


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    file, times = tmp_path / "rows.jsonl", list[int]()

    def measure() -> dict[str, int]:
        times.append(1)
        return {"figure": len(times)}

    first = kept(file, {"epochs": 2}, measure)
    assert kept(file, {"epochs": 2}, measure) == first
    assert kept(file, {"epochs": 3}, measure)["figure"] == 2
    assert [json.loads(line)["epochs"] for line in file.read_text().splitlines()] == [2, 3]


def test_the_most_typical_picture_of_each_cluster_is_chosen() -> None:
    dice = np.random.default_rng(0)
    centres = np.array([[0, 0], [10, 0], [0, 10]], np.float32)
    spread = dice.normal(0, 0.5, (60, 2)).astype(np.float32)
    features = np.repeat(centres, 20, axis=0) + spread
    features[0] = (-3, -3)  # an outlier
    chosen = typical(features, 3, seed=1)
    assert sorted(row // 20 for row in chosen) == [0, 1, 2]
    assert 0 not in chosen
    assert all(np.linalg.norm(features[row] - centres[row // 20]) < 0.6 for row in chosen)
    assert len(set(typical(features, 50, seed=1))) == 50


def picture(number: int, *boxes: Box) -> DetectionPicture:
    return DetectionPicture(str(number), Path(f"{number}.jpg"), 100, 200, boxes)


def test_boxes_get_the_finer_label_of_the_same_garment_if_it_is_not_rare() -> None:
    top, bottom = Box("top", 10, 10, 60, 60), Box("bottom", 10, 70, 60, 190)
    blouse, kilt = Box("blouse", 11, 11, 61, 61), Box("kilt", 12, 72, 60, 190)
    pictures = [picture(number, top, bottom) for number in range(30)]
    finer = {str(number): [blouse] for number in range(25)} | {"25": [kilt]}
    found, coarse = finer_pictures(pictures, finer)
    assert coarse == {"blouse": "top", **{name: name for name in ("top", "bottom", "foot", "long")}}
    labels = Counter(box.label for each in found for box in each.boxes)
    assert labels == {"blouse": 25, "top": 5, "bottom": 30}
    assert [box.corners for each in found for box in each.boxes] == [top.corners, bottom.corners] * 30


def test_the_drawn_shop_s_outfits_have_their_boxes(tmp_path: Path) -> None:
    photos, file = draw_shop(tmp_path, 1)
    content = json.loads(file.read_text())
    names = {row["id"]: row["file_name"] for row in content["images"]}
    assert set(names.values()) == {path.name for path in photos.iterdir()}
    sizes = {row["id"]: (row["width"], row["height"]) for row in content["images"]}
    for row in content["annotations"]:
        x, y, width, height = row["bbox"]
        assert 0 <= x < x + width <= sizes[row["image_id"]][0]
        assert 0 <= y < y + height <= sizes[row["image_id"]][1]
    assert {row["image_id"] for row in content["annotations"]} == set(names)
