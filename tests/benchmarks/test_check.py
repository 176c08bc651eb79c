"""What the benchmarks find wrong with a crawl."""

import csv
import hashlib
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from benchmarks import _check, kills, memory
from benchmarks._common import Row, ShopProcess, serving
from benchmarks._content import Plan
from benchmarks.memory import Sample

PLAN = Plan(products=4, page_bytes=20_000, pictures=2, picture_bytes=4000)


class Crawled:
    """A workspace as a perfect crawl leaves it, to be damaged."""

    def __init__(self, root: Path, shop: ShopProcess) -> None:
        self.root = root
        self.products: list[dict[str, str]] = []
        self.images: list[dict[str, str]] = []
        for product in shop.truth():
            identity = f"myntra:{product['product_id']}"
            self.products.append({"product_id": identity, "url": product["url"]})
            for url in product["image_urls"]:
                body = urllib.request.urlopen(url).read()
                file = root / f"{hashlib.sha256(body).hexdigest()}.jpg"
                file.write_bytes(body)
                self.images.append({"product_id": identity, "url": url, "path": file.name})

    def file(self, index: int) -> Path:
        return self.root / self.images[index]["path"]

    def compare(self, truth: _check.Truth) -> dict[str, Row]:
        for name, rows in (("products", self.products), ("images", self.images)):
            with (self.root / f"{name}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                writer.writerows(rows)
        return {row.figure: row for row in _check.compare(self.root, truth)}


def wrong(rows: dict[str, Row]) -> dict[str, Any]:
    """What was not reached, but for the counts of what was found."""
    return {name: row.ours for name, row in rows.items() if not row.reached and not name.endswith("found")}


def test_each_thing_that_is_wrong_with_a_crawl_is_seen(tmp_path: Path) -> None:
    with serving(PLAN) as shop:
        truth = _check.truth_of(shop.truth())
        crawled = Crawled(tmp_path, shop)
        rows = crawled.compare(truth)
        assert not wrong(rows)
        assert (rows["products found"].ours, rows["pictures found"].ours) == (4, 8)

        crawled.products[3] = crawled.products[2]
        crawled.images.append(crawled.images[0])
        crawled.images.append({**crawled.images[1], "product_id": "myntra:1"})
        del crawled.images[7]
        whole = crawled.file(2).read_bytes()
        crawled.file(2).write_bytes(whole[: len(whole) // 2])
        crawled.file(3).write_bytes(crawled.file(4).read_bytes())
        crawled.file(5).unlink()
        assert wrong(crawled.compare(truth)) == {
            "products missing": 1,
            "products twice": 1,
            "pictures missing": 1,
            "pictures twice": 1,
            "pictures that the shop does not have": 1,
            "pictures whose file is not there": 1,
            "pictures that do not decode": 1,
            "pictures whose bytes differ from the shop's": 1,
        }


def test_an_empty_workspace_has_found_nothing(tmp_path: Path) -> None:
    rows = {row.figure: row for row in _check.compare(tmp_path, _check.Truth(frozenset("1"), frozenset({("1", "u")})))}
    assert wrong(rows) == {"products missing": 1, "pictures missing": 1}


def test_the_truth_comes_from_a_table_too(tmp_path: Path) -> None:
    table = tmp_path / "truth.csv"
    table.write_text("product_id,url,kind,image_url\n1,p,Tshirts,a\n1,p,Tshirts,b\n2,q,Jeans,\n")
    assert _check.truth_from(table) == _check.Truth(frozenset("12"), frozenset({("1", "a"), ("1", "b")}))
    table.write_text("product_id,url\n1,p\n")
    with pytest.raises(SystemExit, match=r"expected the columns product_id and image_url, got none named image_url"):
        _check.truth_from(table)


def test_requests_made_twice_are_those_beyond_an_addresses_first() -> None:
    assert kills.asked_twice({"/a": 1, "/b": 3, "/c": 1, "/d": 1, "/robots.txt": 11}) == pytest.approx(2 / 4)


def test_the_moments_to_kill_at_lie_inside_the_crawl() -> None:
    moments = kills.moments(200, 10, seed=1)
    assert len(set(moments)) == 10
    assert moments == sorted(moments) == kills.moments(200, 10, seed=1)
    assert 0 < moments[0] < moments[-1] < 200


def test_memory_counts_as_the_crawl_comes_up_to_a_number_of_pages() -> None:
    sizes = {100: 50.0, 1900: 90.0, 1950: 100.0, 2000: 110.0, 2001: 500.0, 20_000: 0.0}
    samples = [Sample(pages, size, size) for pages, size in sizes.items()]
    assert memory.size_at(samples, 2000) == 100.0
    with pytest.raises(SystemExit, match="not seen at 20000 pages"):
        memory.size_at(samples, 20_000)
