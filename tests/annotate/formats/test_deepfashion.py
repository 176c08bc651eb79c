"""DeepFashion's lists."""

from pathlib import Path

import pytest

from fullshot.annotate.formats.annotated import Annotated
from fullshot.annotate.formats.deepfashion import DeepFashionFormat
from fullshot.core.errors import UserError

# As in the data set: a count, a header, columns filled with spaces, numbers with zeros.
SAMPLE = {
    "list_bbox.txt": """3
image_name  x_1  y_1  x_2  y_2
img/Sheer_Pleated-Front_Blouse/img_00000001.jpg                        072 079 232 273
img/Ribbed_Dress/img_00000002.jpg                                      067 059 155 161
img/A Name With Spaces/img_00000003.jpg                                000 0.5 065 156
""",
    "list_category_cloth.txt": """3
category_name  category_type
Button-Down    1
Blouse         1
Dress          3
""",
    "list_category_img.txt": """3
image_name                                                             category_label
img/Sheer_Pleated-Front_Blouse/img_00000001.jpg                        2
img/Ribbed_Dress/img_00000002.jpg                                      3
img/A Name With Spaces/img_00000003.jpg                                1
""",
}


def lists(folder: Path, name: str = "", old: str = "", new: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in SAMPLE.items():
        assert file != name or old in text
        (folder / file).write_text(text.replace(old, new) if file == name else text)
    return folder


def test_categories_count_from_one(tmp_path: Path) -> None:
    expected = [
        Annotated("img/Sheer_Pleated-Front_Blouse/img_00000001.jpg", None, None, (("Blouse", (72, 79, 232, 273)),)),
        Annotated("img/Ribbed_Dress/img_00000002.jpg", None, None, (("Dress", (67, 59, 155, 161)),)),
        Annotated("img/A Name With Spaces/img_00000003.jpg", None, None, (("Button-Down", (0, 0.5, 65, 156)),)),
    ]
    anno = lists(tmp_path / "Anno")
    assert DeepFashionFormat().load(tmp_path) == expected
    assert DeepFashionFormat().load(anno) == expected
    assert DeepFashionFormat().load(anno / "list_bbox.txt") == expected


BOXES, NAMES, CATEGORIES = SAMPLE


PARTITION = """2
image_name                                                             evaluation_status
img/Sheer_Pleated-Front_Blouse/img_00000001.jpg                        val
img/A Name With Spaces/img_00000003.jpg                                test
"""


def test_partitions_are_splits(tmp_path: Path) -> None:
    lists(tmp_path / "Anno")
    (tmp_path / "Eval").mkdir()
    file = tmp_path / "Eval" / "list_eval_partition.txt"
    file.write_text(PARTITION)
    for path in (tmp_path, tmp_path / "Anno", tmp_path / "Anno" / "list_bbox.txt"):
        assert [picture.split for picture in DeepFashionFormat().load(path)] == ["val", None, "test"]
    file.write_text(PARTITION.replace(" val", " dev"))
    with pytest.raises(UserError, match=r"list_eval_partition\.txt:3: expected one of train, val, test, got 'dev'"):
        DeepFashionFormat().load(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "place", "words"),
    [
        (BOXES, "155 161", "155", 4, "expected `image_name x_1 y_1 x_2 y_2`"),
        (BOXES, "155 161", "155 1x1", 4, "expected a number, got '1x1'"),
        (BOXES, "155 161", "155 inf", 4, "expected a finite number, got 'inf'"),
        (BOXES, "155 161", "055 161", 4, "expected x_min, y_min, x_max, y_max of an upright box, got 67, 59, 55, 161"),
        (BOXES, "155 161", "155 9999999", 4, "expected pixels, less than 1,000,000, got 1e+07"),
        (BOXES, "img/Ribbed_Dress", "img/Other", 4, "no category for img/Other/img_00000002.jpg"),
        (BOXES, "3\n", "4\n", 1, "expected 3, the number of lines that follow, got 4"),
        (BOXES, "3\nimage_name", "image_name", 1, "expected the number of lines that follow"),
        (BOXES, "x_1  y_1", "x y", 2, "expected `image_name x_1 y_1 x_2 y_2`"),
        (NAMES, "Blouse         1", "Blouse", 4, "expected `category_name category_type`"),
        (CATEGORIES, " 3\n", " 51\n", 4, "expected a category of 1 to 3, got 51"),
        (CATEGORIES, " 3\n", " 0\n", 4, "expected a category of 1 to 3, got 0"),
        (CATEGORIES, " 3\n", " 1.5\n", 4, "expected a category of 1 to 3, got 1.5"),
    ],
)
def test_a_malformed_line_names_its_file_and_line(
    tmp_path: Path, name: str, old: str, new: str, place: int, words: str
) -> None:
    with pytest.raises(UserError) as caught:
        DeepFashionFormat().load(lists(tmp_path, name, old, new))
    assert str(caught.value).startswith(f"{tmp_path}/{name}:{place}: {words}")
    assert "\n" not in str(caught.value)


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no list_bbox\.txt in .* or its Anno/"):
        DeepFashionFormat().load(tmp_path)
    (lists(tmp_path) / "list_category_img.txt").unlink()
    with pytest.raises(UserError, match=r"no list_category_img\.txt in "):
        DeepFashionFormat().load(tmp_path)


def test_a_picture_has_one_box(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected one box on a\.jpg, got 0"):
        DeepFashionFormat().save(tmp_path, {"train": [Annotated("a.jpg", 10, 10)]}, [])
