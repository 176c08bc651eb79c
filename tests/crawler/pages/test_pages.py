"""Saved pages beside the answers expected of them."""

import json
from pathlib import Path

import pytest

from crawler.pages import SHOPS, parse
from fullshot.errors import UserError
from fullshot.taxonomy import built_in

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/*/case.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_saved_page_yields_what_is_expected(case: Path) -> None:
    given = json.loads((case / "case.json").read_text("utf-8"))
    body = (case / "page.html").read_bytes()
    found = parse(case.parent.name, given["url"], body, built_in(), given["image_size"]).as_json()
    assert {key: found[key] for key in given["expected"]} == given["expected"]


def test_every_shop_has_saved_pages() -> None:
    assert {case.parent.name for case in CASES} == set(SHOPS)


def test_an_unknown_shop_is_named() -> None:
    with pytest.raises(UserError, match="expected a shop out of myntra, got 'zalando'"):
        parse("zalando", "https://shop.test/", b"", built_in())
