"""DeepFashion2's JSON files."""

import json
from pathlib import Path
from typing import Any

import pytest

from fullshot.annotate.formats.annotated import Annotated
from fullshot.annotate.formats.deepfashion2 import DeepFashion2Format
from fullshot.core.errors import UserError


def item(box: Any, name: str = "vest", number: int = 5) -> dict[str, Any]:
    return {
        "segmentation": [[1, 2, 3, 4]],
        "scale": 2,
        "viewpoint": 2,
        "zoom_in": 1,
        "landmarks": [1, 2, 2],
        "style": 1,
        "bounding_box": box,
        "category_id": number,
        "occlusion": 1,
        "category_name": name,
    }


def saved(file: Path, **items: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"source": "user", "pair_id": 1, **items}))
    return file


def test_each_item_is_a_box(tmp_path: Path) -> None:
    items = {"item10": item([5, 6, 7.5, 8], "skirt", 9), "item2": item([1, 2, 3, 4]), "item1": item([0, 0, 9, 9])}
    file = saved(tmp_path / "train/annos/000001.json", **items)
    boxes = (("vest", (0, 0, 9, 9)), ("vest", (1, 2, 3, 4)), ("skirt", (5, 6, 7.5, 8)))
    for place, name in (
        (tmp_path, "train/image/000001"),
        (tmp_path / "train", "image/000001"),
        (tmp_path / "train/annos", "../image/000001"),
        (file, "../image/000001"),
    ):
        assert DeepFashion2Format().load(place) == [Annotated(name, None, None, boxes)]
    saved(tmp_path / "validation/annos/000001.json")
    assert DeepFashion2Format().load(tmp_path)[1:] == [Annotated("validation/image/000001", None, None)]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (item([1, 2, 3]), "item2: bounding_box.3: field required"),
        (item([1, 2, 3, "x"]), "item2: bounding_box.3: "),
        (item([1, 2, 3, float("nan")]), "item2: bounding_box.3: "),
        (
            item([9, 2, 3, 4]),
            "item2: bounding_box: expected x_min, y_min, x_max, y_max of an upright box, got 9, 2, 3, 4",
        ),
        (item([1, 2, 3, 4e6]), "item2: bounding_box: expected pixels, less than 1,000,000, got 4e+06"),
        (item([1, 2, 3, 4], ""), "item2: category_name: "),
        ({}, "item2: category_name: field required"),
        ([], "item2: the item: "),
    ],
)
def test_a_malformed_item_is_named(tmp_path: Path, broken: Any, words: str) -> None:
    file = saved(tmp_path / "annos/000001.json", item1=item([1, 2, 3, 4]), item2=broken)
    with pytest.raises(UserError) as caught:
        DeepFashion2Format().load(tmp_path)
    assert str(caught.value).startswith(f"{file}: {words}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", r"000001\.json: not a file of DeepFashion2, which is JSON: "),
        ("[]", r"000001\.json: expected source, pair_id, item1 and so on, got \[\]"),
        ('{"images": []}', r"000001\.json: expected source, pair_id, item1 and so on, got \['images'\]"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    saved(tmp_path / "annos/000001.json").write_text(text)
    with pytest.raises(UserError, match=words):
        DeepFashion2Format().load(tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected annos/\*\.json in "):
        DeepFashion2Format().load(tmp_path)
