"""Which label a category stands for."""

from collections import Counter
from pathlib import Path

import pytest

from fullshot.annotate.formats import labels
from fullshot.core import taxonomy
from fullshot.core.errors import UserError
from fullshot.core.taxonomy import GARMENTS

# What the data sets' papers say of their categories, as in their published lists.
COUNTS = {
    "deepfashion": (50, 1, {"top": 23, "bottom": 16, "long": 11}),
    "deepfashion2": (13, 1, {"top": 6, "bottom": 3, "long": 4}),
    "modanet": (13, 1, {"other": 5, "foot": 2, "top": 2, "bottom": 3, "long": 1}),
    "fashionpedia": (46, 0, {"top": 8, "bottom": 4, "long": 2, "foot": 1, "other": 31}),
}


@pytest.mark.parametrize("name", COUNTS)
def test_the_lists_are_those_of_the_data_sets(name: str) -> None:
    label_map = labels.load(name, taxonomy.built_in())
    number, first, counts = COUNTS[name]
    assert [category.id for category in label_map.categories] == list(range(first, first + number))
    assert Counter(str(category.label) for category in label_map.categories) == counts
    for category in label_map.categories:
        assert label_map.label(category.name) == category.label
    # What is written is read as the same label again.
    for label, category_name in label_map.export.items():
        assert label_map.label(category_name) == label


@pytest.mark.parametrize(
    ("name", "category", "expected"),
    [
        ("deepfashion2", "long_sleeve_outwear", "top"),
        ("modanet", "Scarf and Tie", "other"),
        ("modanet", "footwear", "foot"),
        ("fashionpedia", "shoe", "foot"),
        # The taxonomy's words help out, and a format without a list knows the labels themselves.
        ("modanet", "Jumpsuits", "long"),
        ("yolo", "Jeans", "bottom"),
        ("coco", "FOOT", "foot"),
        ("coco", "other", "other"),
        ("coco", "spaceship", None),
        ("deepfashion", "shoe", None),
    ],
)
def test_a_category_is_looked_up(name: str, category: str, expected: str | None) -> None:
    assert labels.load(name, taxonomy.built_in()).label(category) == expected


def test_deepfashion_counts_types_as_published() -> None:
    types = Counter(category.type for category in labels.load("deepfashion", taxonomy.built_in()).categories)
    assert types == {1: 20, 2: 16, 3: 14}


def own(folder: Path, text: str) -> Path:
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return folder / "own.toml"


def test_a_file_of_ones_own_wins(tmp_path: Path) -> None:
    words = '0 = "foot"\ntop = "other"\nJeans = "long"\n"衬衫" = "top"\n"裤子" = "bottom"'
    text = f'[labels]\n{words}\n[export]\nfoot = "Schuh"\n'
    label_map = labels.load("yolo", taxonomy.built_in(), own(tmp_path, text))
    expected = {"0": "foot", "top": "other", "jeans": "long", "衬衫": "top", "裤子": "bottom", "shirt": "top"}
    assert {name: label_map.label(name) for name in expected} == expected
    assert [(category.id, category.name) for category in label_map.categories] == [
        (1, "top"),
        (2, "bottom"),
        (3, "Schuh"),
        (4, "long"),
    ]
    assert list(label_map.export) == [str(label) for label in GARMENTS]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[labels", r"own\.toml: .*end of document"),
        ('[labels]\nTee = "upper"', r"own\.toml: labels\.Tee: input should be .*, got 'upper'"),
        ('[label]\nTee = "top"', r"own\.toml: label: extra inputs are not permitted"),
        ('[export]\ntop = "Bikini"', r"own\.toml: export: deepfashion has no category 'Bikini'"),
        ('[export]\nhat = "Tee"', r"own\.toml: export\.hat: "),
    ],
)
def test_a_broken_file_is_said_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        labels.load("deepfashion", taxonomy.built_in(), own(tmp_path, text))
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"no file .*none\.toml to read labels from"):
        labels.load("coco", taxonomy.built_in(), tmp_path / "none.toml")
