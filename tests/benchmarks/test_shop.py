"""The synthetic shop that the benchmarks measure on, and the quickest of them, from end to end."""

import hashlib
import http.client
import io
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks import parse as parse_benchmark
from benchmarks._common import ShopProcess, serving
from benchmarks._content import Plan
from benchmarks.shop import Faults
from fullshot.crawler import ListingFound, NothingFound, PageOptions, ProductFound, parse

ROOT = Path(__file__).parents[2]
PLAN = Plan(products=60, page_bytes=60_000, pictures=2, picture_bytes=8000, look_every=6, look_bytes=40_000)


@pytest.fixture(scope="module")
def shop() -> Iterator[ShopProcess]:
    """A shop without faults."""
    with serving(PLAN) as served:
        yield served


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
    return body


def test_listings_show_every_product_once(shop: ShopProcess) -> None:
    urls: list[str] = []
    page: str | None = shop.listing
    while page is not None:
        found = parse(page, get(page), PageOptions(), "myntra")
        assert isinstance(found, ListingFound)
        assert found.total == PLAN.products
        urls += found.urls
        page = found.next
    assert urls == [product["url"] for product in shop.truth()]


@pytest.mark.parametrize("number", [0, 1, 59])
def test_a_product_page_holds_what_the_truth_says(shop: ShopProcess, number: int) -> None:
    product = shop.truth()[number]
    body = get(product["url"])
    found = parse(product["url"], body, PageOptions(), "myntra")
    assert isinstance(found, ProductFound)
    assert found.product["product_id"] == f"myntra:{product['product_id']}"
    assert found.product["url"] == product["url"]
    assert [image.url for image in found.images] == product["image_urls"]
    assert len(product["image_urls"]) == (3 if number % 6 == 0 else 2)
    empty = [name for name, value in found.product.items() if value is None]
    assert not empty
    assert len(body) == pytest.approx(PLAN.page_bytes, rel=0.05)


def test_pictures_decode_and_no_two_are_the_same(shop: ShopProcess) -> None:
    bodies = [get(url) for product in shop.truth()[:12] for url in product["image_urls"]]
    for body in bodies:
        with Image.open(io.BytesIO(body)) as picture:
            picture.load()
            expected = {(224, 224): PLAN.picture_bytes, (550, 800): PLAN.look_bytes}[picture.size]
            assert len(body) == pytest.approx(expected, rel=0.1)
    assert len({hashlib.sha256(body).digest() for body in bodies}) == len(bodies) == 26


def test_the_same_seed_makes_the_same_shop_and_another_another(shop: ShopProcess) -> None:
    def first(served: ShopProcess) -> list[bytes]:
        product = served.truth()[0]
        page = get(product["url"]).replace(served.base.encode(), b"")
        return [page, *map(get, product["image_urls"])]

    with serving(PLAN) as twin, serving(Plan(**{**vars(PLAN), "seed": 8})) as other:
        assert first(twin) == first(shop)
        assert all(one != another for one, another in zip(first(other), first(shop), strict=True))


def test_the_log_counts_what_was_asked_and_not_itself() -> None:
    with serving(PLAN) as shop:
        product = shop.truth()[3]
        for url in (shop.listing, product["url"], product["url"], product["image_urls"][0], f"{shop.base}/robots.txt"):
            get(url)
        expected = {shop.listing: 1, product["url"]: 2, product["image_urls"][0]: 1, f"{shop.base}/robots.txt": 1}
        assert shop.log() == {url.removeprefix(shop.base): count for url, count in expected.items()}
        assert shop.progress() == {"listings": 1, "products": 1, "pictures": 1, "others": 1, "requests": 5}


@pytest.mark.parametrize(
    "path", ["/nothing", "/a/b/99/buy", "/assets/images/10000001-3.jpg", "/assets/images/1-look.jpg"]
)
def test_what_is_not_there_is_not_found(shop: ShopProcess, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        get(shop.base + path)
    caught.value.close()


def _status(expected: int) -> Callable[[str], None]:
    def check(url: str) -> None:
        with pytest.raises(urllib.error.HTTPError, match=str(expected)) as caught:
            get(url)
        assert (caught.value.headers["Retry-After"] == "1") == (expected == 429)
        caught.value.close()

    return check


def _cut(url: str) -> None:
    if url.endswith(".jpg"):
        with pytest.raises(http.client.IncompleteRead):
            get(url)


def _blocked(url: str) -> None:
    if not url.endswith(".jpg"):
        assert isinstance(parse(url, get(url), PageOptions(), "myntra"), NothingFound)


@pytest.mark.parametrize(
    ("faults", "check"),
    [
        (Faults(error_rate=1.0), _status(503)),
        (Faults(limit_rate=1.0), _status(429)),
        (Faults(cut_rate=1.0), _cut),
        (Faults(blocked_rate=1.0), _blocked),
    ],
    ids=["error", "limit", "cut", "blocked"],
)
def test_faults_come_on_the_first_answer_only(shop: ShopProcess, faults: Faults, check: Callable[[str], None]) -> None:
    with serving(PLAN, faults) as faulty:
        product = faulty.truth()[0]
        for url in (faulty.listing, product["url"], product["image_urls"][0]):
            check(url)
            good = get(url.replace(faulty.base, shop.base)).replace(shop.base.encode(), b"")
            assert get(url).replace(faulty.base.encode(), b"") == good
        assert get(f"{faulty.base}/robots.txt").startswith(b"User-agent")


def test_about_as_many_addresses_are_faulty_as_the_rates_say() -> None:
    with serving(Plan(products=400, page_bytes=10_000), Faults(error_rate=0.2, limit_rate=0.1)) as shop:
        statuses: list[int] = []
        connection = http.client.HTTPConnection(shop.base.removeprefix("http://"), timeout=10)
        for product in shop.truth():
            connection.request("GET", product["url"].removeprefix(shop.base))
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
    assert statuses.count(503) / 400 == pytest.approx(0.2, abs=0.06)
    assert statuses.count(429) / 400 == pytest.approx(0.1, abs=0.05)


def script(name: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_parse_measures_a_page_from_end_to_end(
    shop: ShopProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(get(shop.truth()[0]["url"]))
    told: dict[str, Any] = json.loads(script("parse", "--page", str(page), "--repeats", "5", "--json"))
    rows = {row["figure"]: row for row in told["rows"]}
    assert rows["bytes"]["ours"] == page.stat().st_size
    median = rows["milliseconds a page, median"]
    assert median["ratio"] == pytest.approx(median["ours"] / median["peer"])
    assert median["reached"] == (median["ratio"] <= float(median["expected"].removeprefix("≤ ")))
    parse_benchmark.main(["--page", str(page), "--repeats", "5"])
    table = capsys.readouterr().out
    assert re.search(r"milliseconds a page, median +│ +[\d.]+ +│ +[\d.]+ +│ +[\d.]+ +│ ≤ ", table)


@pytest.mark.parametrize("name", ["crawl", "faults", "kills", "memory", "parse", "pictures", "shop"])
def test_every_script_tells_its_flags(name: str) -> None:
    assert "--" in script(name, "--help")
