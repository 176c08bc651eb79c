"""Product type → wear, and a shop's word → gender."""

from pathlib import Path

import pytest

from fullshot.core import taxonomy
from fullshot.core.errors import UserError
from fullshot.core.taxonomy import Gender, Wear


@pytest.mark.parametrize(
    ("product_type", "wear"),
    [
        ("Tshirts", Wear.TOP),
        ("t-shirts", Wear.TOP),
        ("Track Pants", Wear.BOTTOM),
        ("Casual Shoes", Wear.FOOT),
        ("Jumpsuit", Wear.LONG),
        ("Watches", Wear.OTHER),
        ("Night Lamps", None),
    ],
)
def test_wear_of_a_product_type(product_type: str, wear: Wear | None) -> None:
    assert taxonomy.built_in().wear(product_type) == wear


def test_gender_of_a_shops_word() -> None:
    assert [taxonomy.built_in().gender(word) for word in ("Women", "MEN", "Unisex", "")] == [
        Gender.WOMEN,
        Gender.MEN,
        Gender.UNISEX,
        Gender.UNKNOWN,
    ]


def test_a_workspace_adds_its_own_words(tmp_path: Path) -> None:
    file = tmp_path / "taxonomy.toml"
    file.write_text('[wear]\nfoot = ["Clogs"]\nother = ["Tshirts"]\n')
    words = taxonomy.load(file)
    assert [words.wear(word) for word in ("clogs", "Tshirts", "Jeans")] == [Wear.FOOT, Wear.OTHER, Wear.BOTTOM]
    assert taxonomy.built_in().wear("Tshirts") == Wear.TOP


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[wear\n", "Expected ']'"),
        ('[wear]\nhead = ["Caps"]\n', "wear.head: Input should be 'top', 'bottom'"),
        ('[gender]\nmen = ["Herren"]\nman = ["Mann"]\n', "gender.man: Input should be 'men', 'women'"),
        ("wear = 3\n", "wear: Input should be a valid dictionary, got 3"),
        ("[wear]\ntop = [1]\n", "wear.top.0: Input should be a valid string, got 1"),
        ('[wear]\ntop = "Shirt"\n', "wear.top: Input should be a valid list, got 'Shirt'"),
        ('[ware]\ntop = ["Shirt"]\n', "ware: Extra inputs are not permitted"),
    ],
)
def test_a_bad_taxonomy_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "taxonomy.toml"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        taxonomy.load(file)
    assert str(caught.value).startswith(f"{file}: {message}")
    assert "\n" not in str(caught.value)
