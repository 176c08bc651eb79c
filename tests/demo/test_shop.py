"""The built-in shop's pages: what a crawler reads in them and what a browser shows of them."""

import io
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from fullshot.core.errors import UserError
from fullshot.crawler import HEADLESS_FLAGS, ListingFound, PageOptions, ProductFound, find_chromium, parse
from fullshot.demo.shop import server as shops
from fullshot.demo.shop import studio as studios
from fullshot.demo.shop.server import Shop
from fullshot.demo.shop.studio import Box


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop of three collections, serving; only the pictures that are looked at here are drawn."""
    folder = tmp_path_factory.mktemp("pictures")
    studio = studios.open_studio(7, 10)
    outfits = [picture for picture in studio.pictures if picture.kind == "outfit"]
    boxes = {outfit.name: (Box(outfit.product_ids[0], "top", 120.0, 64.0, 360.0, 320.0),) for outfit in outfits}
    listener = shops.listen(0)
    there = Shop(studio, boxes, folder, shops.base_of(listener))
    for picture in studio.pictures:
        Image.new("RGB", (480, 640), (240, 240, 240)).save(folder / picture.name)
    with shops.serve(there, listener):
        yield there


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        body: bytes = answer.read()
    return body


def test_listings_lead_to_every_product_once(shop: Shop) -> None:
    found: list[str] = []
    for start in shop.urls:
        url: str | None = start
        while url:
            page = parse(url, fetch(url), PageOptions(), "myntra")
            assert isinstance(page, ListingFound)
            found += page.urls
            url = page.next
    assert sorted(found) == sorted(f"{shop.base}/{shop.link(product)}" for product in shop.studio.products)


def test_a_long_listing_has_pages(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shops, "PAGE_SIZE", 3)
    (url, *_) = shop.urls
    first = parse(url, fetch(url), PageOptions(), "myntra")
    assert isinstance(first, ListingFound)
    assert (len(first.urls), first.next) == (3, f"{url}?p=2")
    second = parse(f"{url}?p=2", fetch(f"{url}?p=2"), PageOptions(), "myntra")
    assert isinstance(second, ListingFound)
    assert not set(first.urls) & set(second.urls)


def test_product_pages_say_what_the_studio_knows(shop: Shop) -> None:
    for product in shop.studio.products:
        url = f"{shop.base}/{shop.link(product)}"
        found = parse(url, fetch(url), PageOptions(), "myntra")
        assert isinstance(found, ProductFound)
        row = found.product
        assert (row["url"], row["name"], row["brand"]) == (url, product.name, product.brand)
        assert (row["price"], row["mrp"], row["wear"]) == (product.price, product.mrp, product.wear)
        assert (row["gender"], row["in_stock"]) == (product.gender.lower(), not product.sold_out)
        pictures = [picture for picture in shop.studio.pictures if product.product_id in picture.product_ids]
        assert [link.url for link in found.images] == [
            shop.picture_url(picture) for picture in sorted(pictures, key=lambda one: one.kind == "outfit")
        ]


def test_some_products_are_sold_out(shop: Shop) -> None:
    assert 0 < sum(product.sold_out for product in studios.open_studio(7).products) < 30


def test_boxes_are_in_percent_of_the_picture(shop: Shop) -> None:
    outfit = next(picture for picture in shop.studio.pictures if picture.kind == "outfit")
    product = next(one for one in shop.studio.products if one.product_id == outfit.product_ids[0])
    url = f"{shop.base}/{shop.link(product)}"
    found = parse(url, fetch(url), PageOptions(), "myntra")
    assert isinstance(found, ProductFound)
    (box,) = [box for box in found.boxes if box.url == shop.picture_url(outfit)]
    assert (box.x, box.y, box.width, box.height) == (25.0, 10.0, 50.0, 40.0)


def test_pictures_robots_and_what_is_not_there(shop: Shop) -> None:
    name = shop.studio.pictures[0].name
    for url in (f"{shop.base}/assets/images/{name}", f"{shop.base}/h_1440,q_90,w_1080/assets/images/{name}"):
        assert Image.open(io.BytesIO(fetch(url))).size == (480, 640)
    assert b"Disallow: /checkout" in fetch(f"{shop.base}/robots.txt")
    for path in ("/nothing", "/assets/images/..%2f..%2fetc%2fpasswd", "/x/y/z/99999/buy", "/men-topwear?p=0"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(shop.base + path)
        assert caught.value.code == 404


def test_a_port_in_use_is_said(shop: Shop) -> None:
    port = int(shop.base.rpartition(":")[2])
    with pytest.raises(UserError, match=f"port {port} of 127.0.0.1"):
        shops.listen(port)


def test_a_browser_shows_the_shop(shop: Shop) -> None:
    chromium = find_chromium(None)
    assert chromium, "no Chromium: run `fullshot doctor --fix`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=list(HEADLESS_FLAGS))
        page = browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{shop.base}/")
        page.get_by_role("link", name="Men Topwear", exact=True).click()
        page.locator(".card").first.click()
        page.wait_for_selector(".buy")
        assert page.evaluate("window.__myx.pdpData.id") in {one.product_id for one in shop.studio.products}
        assert page.evaluate("document.querySelector('.album img').naturalWidth") == 480
        assert not faults
        browser.close()
