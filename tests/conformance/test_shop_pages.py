"""What every shop's page object does, whichever package it is of."""

import re
from contextlib import suppress

import pytest
from url_matcher import Patterns
from web_poet import HttpResponse
from web_poet.exceptions import UseFallback

from fullshot.crawler.items import NothingFound
from fullshot.crawler.pages import SHOPS, PageOptions, ShopPage, page_finder

BODIES = {
    "nothing": b"",
    "an empty page": b"<html></html>",
    "no text": b"\x00\xff\xfe\x80",
    "words": b"<html><title>About us</title><p>How it all began.</p></html>",
    "JSON": b'{"error": "no such page"}',
}


@pytest.fixture(params=SHOPS.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(name: str) -> type[ShopPage]:
    return SHOPS.get(name)


def test_its_parser_has_its_name_and_a_version(name: str, page: type[ShopPage]) -> None:
    """A product's ``parser`` says later which page object to read its page with."""
    assert re.fullmatch(rf"{re.escape(name)}@\d+", page.parser)


def test_it_says_which_addresses_it_reads(page: type[ShopPage]) -> None:
    assert isinstance(page.patterns, Patterns)
    assert page.patterns.include


def test_its_addresses_lead_to_it(page: type[ShopPage]) -> None:
    for pattern in page.patterns.include:
        address = pattern.replace("*", "x").rstrip("|") or "shop.test/x"
        assert page_finder()(f"https://{address}") is page


def test_its_data_script_says_whether_the_data_is_there(page: type[ShopPage]) -> None:
    assert re.search(r"\breturn\b", page.data_script)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_page_without_data_is_answered(page: type[ShopPage], body: bytes) -> None:
    with suppress(UseFallback):
        found = page(HttpResponse("https://shop.test/some/page", body=body), PageOptions()).find()
        assert isinstance(found, NothingFound)
        assert found.reason
