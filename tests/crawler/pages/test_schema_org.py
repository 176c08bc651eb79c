"""What the saved pages' JSON leaves out, and values as shops write them."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from web_poet import HttpResponse
from web_poet.exceptions import UseFallback

from fullshot.core.taxonomy import built_in
from fullshot.crawler.items import Found, ListingFound, NothingFound, ProductFound
from fullshot.crawler.pages import PageOptions
from fullshot.crawler.pages._schema_json import closed
from fullshot.crawler.pages._schema_offers import money, stock
from fullshot.crawler.pages.schema_org import SchemaOrgPage

CASES = Path(__file__).parent / "schema_org"
SITEMAP = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://shop.test/p/1</loc></url>'
COAT = "shop.test:008989ec8e32de70"
"""The style that is named after the address https://shop.test/coat, by the first digits of its sha256."""


def found(url: str, body: bytes | str, **options: Any) -> Found:
    body = body.encode() if isinstance(body, str) else body
    return SchemaOrgPage(HttpResponse(url, body=body), PageOptions(**options)).find()


def saved(case: str) -> bytes:
    (page,) = (CASES / case).glob("page.*")
    return page.read_bytes()


def json_ld(data: str) -> str:
    return f'<html><head><script type="application/ld+json">{data}</script></head></html>'


def product(data: str, **options: Any) -> dict[str, Any]:
    result = found("https://shop.test/p/1", json_ld('{"@type": "Product", "name": "It", ' + data + "}"), **options)
    assert isinstance(result, ProductFound)
    return result.product


def test_a_listing_keeps_what_it_says_of_each_product() -> None:
    listing = found("https://shop.test/women", saved("listing"))
    assert isinstance(listing, ListingFound)
    assert listing.listed["https://shop.test/p/1"]["name"] == "One"
    assert listing.listed["https://shop.test/p/2"] == {
        "name": "Two", "brand": None, "colour": "Blue", "price": 20.0, "mrp": None, "rating": None,
        "rating_count": None, "sizes": None, "in_stock": None, "product_type": "Jeans", "wear": "bottom",
        "gender": "unknown",
    }  # fmt: skip
    assert "https://shop.test/p/5" not in listing.listed


def test_an_index_of_sitemaps_leads_to_them() -> None:
    listing = found("https://shop.test/sitemap.xml", saved("sitemap-index"))
    assert isinstance(listing, ListingFound)
    assert listing.listings == ["https://shop.test/sitemap-1.xml.gz"]


def test_other_colours_are_visited_where_the_user_asks_for_them() -> None:
    page = saved("product-group-colours")
    asked = found("https://shop.test/coat-red", page, colours=True)
    assert isinstance(asked, ProductFound)
    assert asked.links == ["https://shop.test/coat-blue", "https://shop.test/coat-green"]
    not_asked = found("https://shop.test/coat-red", page)
    assert isinstance(not_asked, ProductFound)
    assert not_asked.links == []


@pytest.mark.parametrize(
    ("data", "style"),
    [
        ('"inProductGroupWithID": 77', "shop.test:77"),
        ('"isVariantOf": {"@type": "ProductGroup", "productGroupID": "G 1"}', "shop.test:G 1"),
        ('"isVariantOf": {"productGroupID": "none"}, "inProductGroupWithID": "G2"', "shop.test:G2"),
        ('"hasVariant": [{"@type": "Product", "inProductGroupWithID": "G3"}]', "shop.test:G3"),
        ('"isVariantOf": "/coat"', COAT),
        ('"isVariantOf": {"@id": "https://shop.test/coat#all"}', COAT),
        ('"isVariantOf": {"url": "https://shop.test/coat?", "@id": "#all"}', COAT),
        # What is said of every page alike would make one product of the whole shop.
        ('"isVariantOf": {"@id": "#group"}', None),
        ('"isVariantOf": {"@id": "_:b0"}', None),
        ('"isVariantOf": {"@id": "https://shop.test/#group"}', None),
        ('"isVariantOf": {"@id": "https://schema.org/ProductGroup"}', None),
        ('"isVariantOf": [null, 5, []], "inProductGroupWithID": {}', None),
        ('"sku": "1"', None),
    ],
)
def test_colours_of_one_group_have_one_style(data: str, style: str | None) -> None:
    assert product(data)["style"] == style


@pytest.mark.parametrize("page", ["coat-red", "coat-blue", "coat-green"])
def test_every_page_of_a_group_says_the_same_style(page: str) -> None:
    body = saved("product-group-colours")
    for named in (body, body.replace(b'"productGroupID": "C1"', b'"url": "/coat"')):
        result = found(f"https://shop.test/{page}", named)
        assert isinstance(result, ProductFound)
        assert result.product["style"] == ("shop.test:C1" if named is body else COAT)


@pytest.mark.parametrize("case", ["no-data", "unreadable", "picture", "empty"])
def test_a_page_without_data_is_one_for_a_browser(case: str) -> None:
    with pytest.raises(UseFallback):
        found("https://shop.test/", saved(case))


def test_a_page_with_other_data_is_not() -> None:
    assert isinstance(found("https://shop.test/", saved("other-data")), NothingFound)


@pytest.mark.parametrize(
    ("body", "urls"),
    [
        (b"\xef\xbb\xbf\n" + SITEMAP.encode() + b"</urlset>", ["https://shop.test/p/1"]),
        (SITEMAP.encode("utf-16") + "</urlset>".encode("utf-16-le"), ["https://shop.test/p/1"]),
        (gzip.compress(SITEMAP.encode())[:-9], ["https://shop.test/p/1"]),  # the checksum is missing
        (SITEMAP.encode() + b"</wrong></urlset><junk>", ["https://shop.test/p/1"]),
        (b"<urlset/>", []),
    ],
    ids=["mark", "utf-16", "gzip cut off", "malformed", "empty"],
)
def test_a_sitemap_is_read_as_far_as_it_can_be(body: bytes, urls: list[str]) -> None:
    listing = found("https://shop.test/sitemap.xml", body)
    assert isinstance(listing, ListingFound)
    assert listing.urls == urls


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(SITEMAP.encode() + b" " * (60 * 1024 * 1024) + b"</urlset>", 1),  # a bomb
        b"\x1f\x8b\x08no gzip",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xff\xff\xff",
        b"<?xml",
        b'<?xml version="1.0"?><rss><channel/></rss>',
    ],
    ids=["bomb", "no gzip", "no deflate", "no XML", "another XML"],
)
def test_what_only_looks_like_a_sitemap_is_none(body: bytes) -> None:
    with pytest.raises(UseFallback):
        found("https://shop.test/sitemap.xml", body)


@pytest.mark.parametrize("charset", ["hex", "idna", "undefined", "unicode_escape", "no-such"])
def test_a_page_may_name_an_encoding_that_it_is_not_in(charset: str) -> None:
    page = f'<meta charset="{charset}">' + json_ld('{"@type": "Product", "name": "It"}')
    assert isinstance(found("https://shop.test/p/1", page), ProductFound)


@pytest.mark.parametrize(
    ("written", "price"),
    [
        ("1299.00", 1299.0),  # as schema.org asks for it
        ("1.299", 1.299),  # a number: its dot is a decimal point
        (1299, 1299.0),
        ("₹1,299.00", 1299.0),
        ("₹1,29,900", 129900.0),  # lakhs
        ("Rs. 499", 499.0),
        ("1,299", 1299.0),  # a comma before three digits groups them
        ("0,299", 0.299),
        ("19,90", 19.9),
        ("1.299,00 €", 1299.0),
        ("1.299 €", 1299.0),
        ("1.299.000 ₫", 1299000.0),
        ("1\u202f299,50 €", 1299.5),
        ("CHF 1'299.50", 1299.5),
        ("19.–", 19.0),
        ("$10.00 - $20.00", 10.0),
        ("-5 €", None),
        ("-5", None),
        ("free", None),
        ("", None),
        ("NaN", None),
        (True, None),
        (10**400, None),
        ("9" * 5000 + " €", None),
        ({"price": 5}, None),
    ],
)
def test_a_price_is_read_as_people_write_it(written: object, price: float | None) -> None:
    assert money(written) == price


@pytest.mark.parametrize(
    ("words", "there"),
    [
        (["https://schema.org/InStock"], True),
        (["OutOfStock", "http://schema.org/OnlineOnly/"], True),
        (["in stock"], True),
        (["https://schema.org/Discontinued"], False),
        (["PreOrder"], False),
        (["oos"], False),
        (["ask us"], None),
        ([], None),
    ],
)
def test_availability(words: list[str], there: bool | None) -> None:
    assert stock(words) is there


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('"audience": {"suggestedGender": "female"}', "women"),
        ('"audience": {"suggestedGender": "male", "suggestedMaxAge": "12"}', "boys"),
        ('"audience": {"audienceType": "Women"}, "category": "Men > Shirts"', "women"),
        ('"category": "Women\'s Clothing > Dresses", "description": "for men"', "women"),
        ('"alternateName": "x", "category": "Girls and Boys/Shirts"', "unisex"),
        ('"category": "Womenswear"', "unknown"),
    ],
)
def test_whom_a_product_is_for(data: str, expected: str) -> None:
    assert product(data)["gender"] == expected


@pytest.mark.parametrize(
    ("data", "product_type", "wear"),
    [
        ('"category": "Apparel & Accessories > Clothing > Shirt"', "Shirt", "top"),
        ('"category": ["Clothing", "Women", "Dresses"]', "Dresses", "long"),
        ('"category": "Clothing / Dresses / Women"', "Dresses", "long"),
        ('"category": "https://shop.test/c/flip-flops/?x=1"', "flip flops", "foot"),
        ('"category": "Jackets & Coats"', "Jackets & Coats", "top"),
        ('"category": "Shirts & Hovercraft"', "Shirts & Hovercraft", None),
        ('"category": "Hovercraft"', "Hovercraft", None),
        ('"category": "Blazer"', "Blazer", "top"),  # the taxonomy has the plural
        ('"category": "Playsuits"', "Playsuits", "long"),  # and the singular
        ('"category": "2271"', None, None),
        ('"additionalType": ["https://www.productontology.org/id/Dress"]', "Dress", "long"),
    ],
)
def test_what_a_product_is(data: str, product_type: str | None, wear: str | None) -> None:
    row = product(data)
    assert (row["product_type"], row["wear"]) == (product_type, wear)


def test_a_users_own_words_count() -> None:
    taxonomy = built_in().extended({"long": ["Kleider"]}, {"women": ["Damen"]})
    row = product('"category": "Damen > Kleider"', taxonomy=taxonomy)
    assert (row["product_type"], row["wear"], row["gender"]) == ("Kleider", "long", "women")


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ("", "https://shop.test/p/1?colour=2"),
        ('<link rel="canonical" href="/p/1">', "https://shop.test/p/1"),
        ('<link rel="canonical" href="https://shop.test/">', "https://shop.test/p/1?colour=2"),  # of every page
        ('<link rel="canonical" href="https://other.test/p/1">', "https://shop.test/p/1?colour=2"),
        ('<base href="https://shop.test/c/"><link rel="canonical" href="p/1">', "https://shop.test/c/p/1"),
        ('<base href="http://[x/"><link rel="canonical" href="p/2">', "https://shop.test/p/p/2"),
    ],
)
def test_a_products_address(head: str, url: str) -> None:
    result = found("https://shop.test/p/1?colour=2", head + json_ld('{"@type": "Product", "name": "It"}'))
    assert isinstance(result, ProductFound)
    assert result.product["url"] == url


def test_control_characters_cost_no_block() -> None:
    row = product('"review": {"reviewBody": "a\x0bb \x1f \n "c""}')
    assert row["name"] == "It"


def test_elements_nested_without_end_take_no_time() -> None:
    tag = '<div itemscope itemprop="offers mainEntity" itemtype="https://schema.org/Product">'
    page = json_ld('{"@type": "Product", "name": "It"}')
    # Thirty that are two properties each hold a milliard paths; a hundred are not read at all.
    assert isinstance(found("https://shop.test/p/1", tag * 30), ProductFound)
    assert isinstance(found("https://shop.test/p/1", page + tag * 100), ProductFound)
    with pytest.raises(UseFallback):
        found("https://shop.test/p/1", tag * 100)


@pytest.mark.parametrize(
    ("page_url", "kind"),
    [
        ("https://shop.test/?id=1", ProductFound),
        ("https://www.shop.test/?utm_source=x&id=1", ProductFound),  # reached by a campaign's link
        ("https://shop.test/?page=1", ListingFound),
        ("https://shop.test/", ListingFound),
    ],
)
def test_an_address_parameters_tell_a_product_from_a_listing(page_url: str, kind: type[Found]) -> None:
    products = [f'{{"@type": "Product", "name": "It {number}", "url": "/?id={number}"}}' for number in range(3)]
    assert isinstance(found(page_url, json_ld(f"[{', '.join(products)}]")), kind)


def test_prices_in_several_currencies_are_not_compared() -> None:
    offers = '[{"price": 1000, "priceCurrency": "INR"}, {"price": 15, "priceCurrency": "USD"}]'
    row = product(f'"offers": {offers}')
    assert (row["price"], row["currency"]) == (1000.0, "INR")


def test_one_product_is_one_id_whichever_way_its_page_is_reached() -> None:
    page = '<link rel="canonical" href="https://www.shop.test/p/1">' + json_ld('{"@type": "Product", "name": "It"}')
    ids = set()
    for url in ("https://www.shop.test/p/1", "https://www.shop.test/p/1?utm_source=x", "https://www.shop.test/sale/1"):
        result = found(url, page)
        assert isinstance(result, ProductFound)
        ids.add(result.product["product_id"])
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("start", "whole"),
    [
        ('{"name": "Tee", "offers": {"price": 5, "url": "http', '{"name": "Tee", "offers": {"price": 5}}'),
        ('{"a": [1, 2, {"b": "x, ]}\\" ', '{"a": [1, 2, {}]}'),
        ('{"a": "x" ', "{}"),
        ('{"a": 1}}', ""),
        ("", ""),
    ],
)
def test_a_json_documents_start_is_closed(start: str, whole: str) -> None:
    assert closed(start) == whole
