"""Product type → wear, and a shop's word → gender."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fullshot.core import taxonomy
from fullshot.core.errors import UserError
from fullshot.core.taxonomy import Gender, Taxonomy, Wear


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


def test_colours_belong_to_families() -> None:
    words = taxonomy.built_in()
    assert [words.colour(word) for word in ("Navy Blue", "navy-blue", "Off White", "Beige", "Plaid")] == [
        "blue",
        "blue",
        "white",
        "beige",
        None,
    ]


@pytest.mark.parametrize(
    ("product_type", "other", "is_same"),
    [
        ("Shirts", "shirt", True),
        ("Dresses", "Dress", True),
        ("T-Shirt", "Tshirts", True),
        ("Shoes", "Shoe", True),
        ("Dress", "Dres", False),
        ("Watches", "Watch", True),
        ("Jeans", "Jeggings", False),
    ],
)
def test_one_and_many_are_one_product_type(product_type: str, other: str, is_same: bool) -> None:
    assert (taxonomy.type_key(product_type) == taxonomy.type_key(other)) is is_same


def test_similar_types_are_those_that_shops_do_not_keep_apart() -> None:
    words = taxonomy.built_in()
    assert {"tshirt", "top", "tunic"} <= words.similar_types("Tops")  # of two groups
    assert "tunic" not in words.similar_types("Tshirts")
    assert words.similar_types("Lungis") == {"lungi"}


def test_a_workspace_adds_its_own_colours_and_similar_types(tmp_path: Path) -> None:
    file = tmp_path / "taxonomy.toml"
    file.write_text('[colour]\nblue = ["Petrol"]\nneon = ["Yellow"]\n[similar]\ntypes = [["Lungis", "Dhotis"]]\n')
    words = taxonomy.load(file)
    assert [words.colour(word) for word in ("petrol", "Yellow", "Navy")] == ["blue", "neon", "blue"]
    assert words.similar_types("dhoti") == {"dhoti", "lungi"}
    assert "sweater" in words.similar_types("Sweatshirt")


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
        ('[wear]\nfoot = ["Clogs", "—"]\n', "wear.foot: expected words with a letter or a digit, got '—'"),
        ('[gender]\nmen = [""]\n', "gender.men: expected words with a letter or a digit, got ''"),
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


@pytest.mark.parametrize(
    ("word", "same"),
    [
        ("Röcke", "ROCKE"),
        ("Röcke", "Ro\N{COMBINING DIAERESIS}cke"),
        ("Straßenschuhe", "STRASSENSCHUHE"),
        ("Обувь", "обувь"),
        ("Φόρεμα", "ΦΟΡΕΜΑ"),
        ("シャツ", "ｼｬﾂ"),  # half-width
        ("Ｔ－ｓｈｉｒｔ", "tshirt"),  # noqa: RUF001 full-width
        ("靴\N{VARIATION SELECTOR-17}", "靴"),
        ("半袖 シャツ", "半袖・シャツ"),
        ("साड़ी", "सा\N{DEVANAGARI LETTER DDDHA}ी"),  # with its dot as part of the letter
        ("셔츠", unicodedata.normalize("NFD", "셔츠")),
    ],
)
def test_spellings_of_one_word(word: str, same: str) -> None:
    words = Taxonomy({"top": [word]}, {})
    assert words.wear(same) == Wear.TOP


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("обувь", "シャツ"),
        ("обувь", ""),
        ("バッグ", "ハック"),  # voiced sound marks
        ("กางเกง", "กงเกง"),  # Thai vowels
        ("ที", "ทิ"),
        ("कि", "कु"),  # Devanagari vowels
        ("мой", "мои"),
        ("靴", "服"),
        ("קִיר", "קיר"),
    ],
)
def test_words_that_differ(word: str, other: str) -> None:
    words = Taxonomy({"top": [word]}, {"men": [word]})
    assert words.wear(word) == Wear.TOP
    assert words.wear(other) is None
    assert words.gender(other) == Gender.UNKNOWN


@pytest.mark.parametrize("word", ["", " ", "—", "♀", "👕", "❤\N{VARIATION SELECTOR-16}", "\N{COMBINING ACUTE ACCENT}"])
def test_what_has_no_letter_is_not_known(word: str) -> None:
    assert taxonomy.built_in().wear(word) is None
    assert taxonomy.built_in().gender(word) == Gender.UNKNOWN
    with pytest.raises(UserError, match=r"^wear\.top: expected words with a letter or a digit"):
        Taxonomy({"top": [word]}, {})


def letters(*categories: str) -> st.SearchStrategy[str]:
    """Words of such characters, without those that stand for marks alone, such as the Arabic ligatures of two."""
    characters = st.characters(categories=categories)  # type: ignore[arg-type]
    return st.text(
        characters.filter(lambda letter: unicodedata.category(unicodedata.normalize("NFKD", letter)[0])[0] in "LN"),
        min_size=1,
    )


@given(letters("L", "N"), st.text(st.characters(categories=["P", "Z"]), max_size=3))
@example("ǰ", "")  # its capital is two characters
def test_case_and_signs_between_letters_do_not_count(word: str, signs: str) -> None:
    words = Taxonomy({"foot": [word]}, {})
    for spelling in (word.casefold(), unicodedata.normalize("NFD", word), unicodedata.normalize("NFKC", word)):
        assert words.wear(spelling) == Wear.FOOT
    assert words.wear(f"{signs}{word[:1]}{signs}{word[1:]}{signs}") == Wear.FOOT


@given(letters("Lo", "Nd"), letters("Lo", "Nd"))
def test_words_of_other_letters_differ(word: str, other: str) -> None:
    one, two = (set(unicodedata.normalize("NFKD", text).casefold()) for text in (word, other))
    known = Taxonomy({"foot": [word]}, {}).wear(other)
    assert known is None or one == two
