"""Saved pages beside the answers expected of them."""

import json
from pathlib import Path

import pytest

from fullshot.core.errors import UserError
from fullshot.crawler.pages import SHOPS, PageOptions, page_of, parse

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/*/case.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_saved_page_yields_what_is_expected(case: Path) -> None:
    given = json.loads((case / "case.json").read_text("utf-8"))
    (page,) = case.glob("page.*")
    options = PageOptions(**given.get("options", {}))
    found = parse(given["url"], page.read_bytes(), options, case.parent.name).as_json()
    assert {key: found[key] for key in given["expected"]} == given["expected"]


def test_every_shop_has_saved_pages() -> None:
    assert {case.parent.name for case in CASES} == set(SHOPS.names())


def test_an_unknown_shop_is_named() -> None:
    with pytest.raises(UserError, match=r"expected the shop to be one of myntra, schema_org.*, got 'zalando'"):
        parse("https://shop.test/", b"", PageOptions(), "zalando")


@pytest.mark.parametrize(
    ("url", "shop"),
    [
        ("https://www.myntra.com/men-tshirts?p=2", "myntra"),
        ("https://myntra.com/a/b/c/1/buy", "myntra"),
        ("https://myntra.com.shop.test/", "schema_org"),
        ("http://127.0.0.1:8765/women-topwear", "schema_org"),
    ],
)
def test_the_address_says_whose_page_it_is(url: str, shop: str) -> None:
    assert page_of(url) is SHOPS.get(shop)
