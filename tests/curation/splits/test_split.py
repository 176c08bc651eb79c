from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import pytest

from fullshot.core.errors import UserError
from fullshot.core.settings import CurateSettings, load
from fullshot.core.tables import SPLITS
from fullshot.curation.splits import split as splitting
from fullshot.curation.splits.split import NONE, Products, Shown

LIMITS = load().curate


def table(*pairs: str) -> pd.DataFrame:
    return pd.DataFrame([pair.split() for pair in pairs], columns=["image_id", "product_id"])


def goods(images: pd.DataFrame, **columns: Mapping[str, str]) -> pd.DataFrame:
    """A row a product; columns by product_id."""
    names = pd.Series(sorted(set(images["product_id"])))
    return pd.DataFrame(
        {"product_id": names, **{name: names.map(columns.get(name, {})) for name in ("style", "wear", "gender")}},
        dtype=object,
    )


def numbered(images: pd.DataFrame, products: pd.DataFrame) -> tuple[list[str], Shown, Products]:
    """The pictures' names, and tables as numbers."""
    pictures, names = sorted(set(images["image_id"])), sorted(set(images["product_id"]))
    known = products.set_index("product_id").reindex(names)
    place = {name: number for number, name in enumerate(names)}
    style, styles = pd.factorize(known["style"])
    named = np.array([*(place.get(one, NONE) for one in styles), NONE])[style]
    stratum, _ = pd.factorize(known["wear"].fillna("") + " " + known["gender"].fillna(""), sort=True)
    shown = Shown(
        np.searchsorted(pictures, images["image_id"].to_numpy(str)),
        np.searchsorted(names, images["product_id"].to_numpy(str)),
        len(pictures),
    )
    return pictures, shown, Products(names, style, named, stratum)


def split(
    images: pd.DataFrame,
    products: pd.DataFrame,
    clusters: Mapping[str, str],
    before: Mapping[str, str],
    limits: CurateSettings,
    rejected: Collection[str] = (),
) -> dict[str, str]:
    pictures, shown, known = numbered(images, products)
    cluster, _ = pd.factorize(pd.Series(pictures).map(clusters))
    earlier = np.array([SPLITS.index(before[name]) if name in before else NONE for name in pictures])
    is_rejected = np.array([name in rejected for name in pictures])
    found = splitting.split(shown, known, cluster, earlier, is_rejected, limits)
    return {name: SPLITS[number] for name, number in zip(pictures, found, strict=True)}


def groups(images: pd.DataFrame, products: pd.DataFrame, clusters: Mapping[str, str] | None = None) -> dict[str, str]:
    pictures, shown, known = numbered(images, products)
    cluster, _ = pd.factorize(pd.Series(pictures).map(clusters or {}))
    found = splitting.groups(shown, known, cluster, np.zeros(len(pictures), bool))
    return {name: known.names[number] for name, number in zip(known.names, found, strict=True)}


def splits_of(
    images: pd.DataFrame,
    before: Mapping[str, str] | None = None,
    clusters: Mapping[str, str] | None = None,
    limits: CurateSettings = LIMITS,
    **columns: Mapping[str, str],
) -> dict[str, str]:
    return split(images, goods(images, **columns), clusters or {}, before or {}, limits)


def test_products_that_share_pictures_are_one_group() -> None:
    images = table("x d", "x c", "y c", "y a", "z b")
    expected = {"a": "a", "b": "b", "c": "a", "d": "a"}
    assert groups(images, goods(images)) == expected
    assert groups(images[::-1], goods(images)) == expected
    assert groups(images[:0], goods(images[:0])) == {}


def test_copies_and_colours_keep_products_together() -> None:
    images = table("x a", "y b", "z c", "u d", "v e")
    styles = {"c": "s:9", "d": "s:9", "e": "d"}  # e is a colour of d, which goes by another name
    together = groups(images, goods(images, style=styles), {"x": "k", "y": "k"})
    assert together == {"a": "a", "b": "a", "c": "c", "d": "c", "e": "c"}


def test_a_group_is_in_one_split() -> None:
    images = table(*(f"i{number} p{number // 2}" for number in range(2000)), *(f"i{n} p{n}" for n in range(0, 900, 3)))
    splits = splits_of(images)
    group = groups(images, goods(images))
    found: dict[str, set[str]] = {}
    for image, product in zip(images["image_id"], images["product_id"], strict=True):
        found.setdefault(group[product], set()).add(splits[image])
    assert 500 < len(found) < 1000
    assert all(len(each) == 1 for each in found.values())


def test_shares_are_those_of_the_settings_in_every_wear_and_gender() -> None:
    images = table(*(f"i{number} p{number}" for number in range(1500)))
    wear = {f"p{number}": ("top" if number % 5 else "foot") for number in range(1500)}
    gender = {f"p{number}": ("men" if number % 3 else "women") for number in range(1500)}
    limits = load(curate={"test_share": 0.3, "validation_share": 0.1}).curate
    splits = splits_of(images, limits=limits, wear=wear, gender=gender)
    frame = pd.DataFrame(
        {"split": chosen, "wear": wear["p" + image[1:]], "gender": gender["p" + image[1:]]}
        for image, chosen in splits.items()
    )
    for _, stratum in frame.groupby(["wear", "gender"]):
        shares = stratum["split"].value_counts(normalize=True)
        assert shares["test"] == pytest.approx(0.3, abs=0.011)
        assert shares["val"] == pytest.approx(0.1, abs=0.011)


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(UserError, match="must leave products to train on"):
        load(curate={"test_share": 0.7, "validation_share": 0.3})


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({"x": "val"}, "val"),
        ({"x": "train", "y": "test"}, "test"),  # what was tested on is never trained on
        ({"x": "val", "y": "train"}, "val"),
    ],
)
def test_a_group_keeps_its_split_and_never_leaks_the_test(before: dict[str, str], expected: str) -> None:
    assert set(splits_of(table("x a", "y a", "z a"), before).values()) == {expected}


def test_whatever_is_added_nothing_moves() -> None:
    wear = {f"p{number}": ("top" if number % 2 else "foot") for number in range(900)}
    rows = [f"i{number} p{number}" for number in range(900)]
    before = splits_of(table(*rows[::3]), wear=wear)
    after = splits_of(table(*rows), before, wear=wear)
    assert {image: after[image] for image in before} == before
    assert {chosen: list(after.values()).count(chosen) for chosen in ("test", "val")} == {"test": 180, "val": 135}


def test_the_order_of_rows_does_not_matter() -> None:
    images = table(*(f"i{number} p{number // 3}" for number in range(300)))
    assert splits_of(images) == splits_of(images[::-1].reset_index(drop=True))


def test_what_was_rejected_keeps_nothing_together() -> None:
    rows = [f"i{number} p{number}" for number in range(100)]
    images = table(*rows, *(f"sizes p{number}" for number in range(100)))
    splits = split(images, goods(images), {"sizes": "k", "i0": "k"}, {}, LIMITS, {"sizes"})
    assert {chosen: list(splits.values()).count(chosen) for chosen in ("test", "val")} == {"test": 20, "val": 15}
    before = {**splits, "sizes": "test"}
    assert split(images, goods(images), {}, before, LIMITS, {"sizes"}) == splits


def test_shares_are_of_products_however_large_the_groups_and_small_the_strata() -> None:
    images = table(*(f"i{number} p{number}" for number in range(400)))
    styles = {f"p{number}": "s:1" for number in range(40)}
    found = pd.Series(splits_of(images, style=styles)).value_counts(normalize=True)
    assert found["test"] == pytest.approx(0.2, abs=0.01)
    images = table(*(f"i{number} p{number}" for number in range(60)))
    wear = {f"p{number}": f"w{number // 2}" for number in range(60)}
    found = pd.Series(splits_of(images, wear=wear)).value_counts(normalize=True)
    assert found["train"] == pytest.approx(0.65, abs=0.05)
    assert found["val"] == pytest.approx(0.15, abs=0.05)


def test_a_picture_of_a_product_that_nobody_knows_has_a_split_too() -> None:
    images = table("x a", "y b")
    assert set(split(images, goods(images[:1]), {}, {}, LIMITS)) == {"x", "y"}


@pytest.mark.parametrize("rejected", [set(), {"y"}])
def test_a_picture_of_two_products_keeps_its_split(rejected: set[str]) -> None:
    images = table("x a", "x b", "y c")
    for chosen in ("train", "val", "test"):
        splits = split(images, goods(images), {}, {"x": chosen, "y": chosen}, LIMITS, rejected)
        assert splits == {"x": chosen, "y": chosen}


def test_what_was_rejected_goes_with_the_first_of_its_products() -> None:
    images = table("sizes c", "sizes a", "sizes b", "x a", "y b", "z c")
    before = {"x": "val", "y": "test", "z": "train", "sizes": "test"}
    assert split(images, goods(images), {}, before, LIMITS, {"sizes"}) == {**before, "sizes": "val"}


def test_the_largest_group_is_drawn_first() -> None:
    images = table(*(f"i{number:02} p{number:02}" for number in range(100)))
    styles = {f"p{number}": "s:1" for number in range(60, 100)}  # by name, the group comes last
    found = pd.Series(splits_of(images, style=styles)).value_counts()
    assert found.to_dict() == {"train": 65, "test": 20, "val": 15}


def test_what_has_a_split_counts_in_its_wear_and_gender() -> None:
    images = table(*(f"i{number} p{number}" for number in range(200)))
    wear = {f"p{number}": ("top" if number < 100 else "foot") for number in range(200)}
    before = {f"i{number}": ("test" if number < 20 else "train") for number in [*range(20), *range(100, 180)]}
    tops = [chosen for image, chosen in splits_of(images, before, wear=wear).items() if wear["p" + image[1:]] == "top"]
    assert tops.count("test") == pytest.approx(20, abs=4)


@pytest.mark.parametrize(
    ("wears", "counts_as"),
    [
        (("top", "foot", "foot"), "foot"),
        (("top", "top", "foot"), "top"),
        (("bottom", "top", "foot"), "bottom"),  # of as many, the first by name
        (("top", "foot", "top"), "top"),
    ],
)
def test_a_group_counts_as_what_most_of_its_products_are(wears: tuple[str, ...], counts_as: str) -> None:
    # Pictures do not count: the first product of each group has three of them.
    rows = [f"i{n}{letter} g{n}{letter}" for n in range(30) for letter in "abc"]
    rows += [f"i{n}a{more} g{n}a" for n in range(30) for more in "xy"]
    images = table(*rows, *(f"i{n} p{n}" for n in range(90)))
    styles = {f"g{n}{letter}": f"s:{n}" for n in range(30) for letter in "abc"}
    others = {f"p{n}": ("top", "foot", "bottom")[n % 3] for n in range(90)}
    before = {f"i{n}a": "train" for n in range(30)}
    mixed = {f"g{n}{letter}": wear for n in range(30) for letter, wear in zip("abc", wears, strict=True)}
    uniform = dict.fromkeys(mixed, counts_as)
    splits = splits_of(images, before, style=styles, wear={**others, **mixed})
    assert splits == splits_of(images, before, style=styles, wear={**others, **uniform})
    assert splits != splits_of(images, before, style=styles, wear={**others, **dict.fromkeys(mixed, "other")})
