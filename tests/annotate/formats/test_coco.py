"""COCO files, and those of ModaNet and Fashionpedia, which are COCO."""

import json
from pathlib import Path
from typing import Any

import pytest

from fullshot.annotate import formats
from fullshot.annotate.formats import coco, json_parts
from fullshot.annotate.formats.annotated import Annotated
from fullshot.annotate.formats.coco import CocoFormat
from fullshot.core.errors import UserError

# As in Fashionpedia: an id 0, polygons, attributes by their numbers.
SAMPLE: dict[str, Any] = {
    "info": {"year": 2020},
    "licenses": [],
    "images": [{"id": 9, "file_name": "a.jpg", "width": 100, "height": 200, "license": 1, "isstatic": 0}],
    "categories": [
        {"id": 0, "name": "shirt, blouse", "supercategory": "upperbody", "level": 2, "taxonomy_id": "obj0"},
        {"id": 23, "name": "shoe", "supercategory": "legs and feet", "level": 2, "taxonomy_id": "obj23"},
    ],
    "annotations": [
        {
            "id": 1,
            "image_id": 9,
            "category_id": 0,
            "bbox": [1.5, 2.0, 30.25, 40.0],
            "area": 1210.0,
            "iscrowd": 0,
            "segmentation": [[1.5, 2.0, 3.0, 4.0, 5.0, 6.0]],
            "attribute_ids": [2, 115],
            "attributes": {"rotation": 0.0},
        },
        {"id": 2, "image_id": 9, "category_id": 23, "bbox": [0, 180, 10, 20]},
    ],
}


def saved(file: Path, data: dict[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data))
    return file


@pytest.mark.parametrize("name", ["coco", "modanet", "fashionpedia"])
def test_boxes_are_corners_and_sizes(tmp_path: Path, name: str) -> None:
    boxes = (("shirt, blouse", (1.5, 2.0, 31.75, 42.0)), ("shoe", (0.0, 180.0, 10.0, 200.0)))
    file = saved(tmp_path / "annotations" / "instances_attributes_train2020.json", SAMPLE)
    assert list(formats.load_boxes(file, name)) == [Annotated("a.jpg", 100, 200, boxes)]
    assert list(formats.load_boxes(tmp_path, name)) == list(formats.load_boxes(file, name))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bbox": [1, 2, -3, 4]}, "annotations.0.bbox: expected a width and a height of at least 0, got -3 and 4"),
        ({"bbox": [1, 2, 3, 1e300]}, "annotations.0.bbox: expected pixels, less than 1,000,000, got 1e+300"),
        ({"bbox": None}, "annotations.0.bbox: "),
        ({"attributes": {"rotation": 45.0}}, "annotations.0: expected an upright box, got one turned by 45.0 degrees"),
        ({"category_id": 24}, "annotations.0: no category has the id 24"),
    ],
)
def test_a_malformed_box_names_its_part(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    first, second = SAMPLE["annotations"]
    file = saved(tmp_path / "a.json", {**SAMPLE, "annotations": [{**first, **change}, second]})
    with pytest.raises(UserError) as caught:
        CocoFormat().load(file)
    assert str(caught.value).startswith(f"{file}: {words}")


def test_a_file_is_read_a_part_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [
        Annotated(f"“{number}”.jpg", 10 + number, 20, (("top", (1.5, 2, 3, 4 + number)),)) for number in range(40)
    ]
    coco.write_file(tmp_path / "a.json", pictures, ["top"])
    text = (tmp_path / "a.json").read_text()
    data = json.loads(text)
    assert text == json.dumps(data, indent=1) + "\n"
    for size in (1, 7, 100, 10**6):
        monkeypatch.setattr(json_parts, "_CHARACTERS", size)
        for content in (text, json.dumps(dict(reversed(data.items()))), json.dumps(data, indent="\t")):
            (tmp_path / "b.json").write_text(content)
            assert list(CocoFormat().load(tmp_path / "b.json")) == pictures
    assert list(CocoFormat().load(tmp_path / "a.json"))[-1:] == pictures[-1:]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-le"])
def test_a_file_may_be_in_any_encoding_of_json(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(SAMPLE), encoding=encoding)
    assert len(list(CocoFormat().load(tmp_path / "a.json"))) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"images": [],\n "categories": [}', "Expecting value: line 2 column 17"),
        ('{"images": [{"id": 1,}]}', "Expecting property name enclosed in double quotes: line 1 column 22"),
        ('{"images": [] "categories": []}', "Expecting ',' delimiter: line 1 column 15"),
        ('{"images": [], "images": []}', "Expecting each property once, got 'images' again"),
        ('{"images": []} {}', "Extra data: line 1 column 16"),
        ('{"info": [1, ]}', "Expecting value: line 1 column 14"),
        ('{"images" []}', "Expecting ':' delimiter"),
        ('{"images": [], }', "Expecting property name"),
        ('{"images": [', "Expecting value: line 1 column 13"),
        ("", "Expecting value: line 1 column 1"),
        ("\n" * 50 + '{"images": nul}', "Expecting value: line 51 column 12"),
    ],
)
@pytest.mark.parametrize("size", [3, 10**6])
def test_what_is_no_json_is_said_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, words: str, size: int
) -> None:
    monkeypatch.setattr(json_parts, "_CHARACTERS", size)
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UserError) as caught:
        CocoFormat().load(tmp_path / "a.json")
    assert words in str(caught.value)


def test_a_crowd_is_no_garment(tmp_path: Path) -> None:
    first, second = SAMPLE["annotations"]
    file = saved(tmp_path / "a.json", {**SAMPLE, "annotations": [{**first, "iscrowd": 1}, second]})
    assert [name for name, _ in next(iter(CocoFormat().load(file))).boxes] == ["shirt, blouse (crowd)", "shoe"]


def test_two_pictures_of_one_id_are_refused(tmp_path: Path) -> None:
    file = saved(tmp_path / "a.json", {**SAMPLE, "images": SAMPLE["images"] * 2})
    with pytest.raises(UserError, match="images: two have the id 9"):
        CocoFormat().load(file)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no instances\*\.json in .*: name the file"):
        CocoFormat().load(tmp_path)
