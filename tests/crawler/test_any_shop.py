"""What a crawl finds: on a shop that publishes schema.org data, in other colours, in the listing, in unknown types."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from fullshot.core.workspace import Workspace
from fullshot.crawler import crawl
from tests.crawler.conftest import PRODUCTS, FaultyShop
from tests.crawler.test_crawl import FLAGS, crawl_it, tables


class SchemaShop(FaultyShop):
    """The same products in JSON-LD, with raw newlines in it; a sitemap, and listings that go on by rel=next."""

    def content(self, path: str) -> tuple[int, str, bytes]:
        if path == "/sitemap.xml":
            names = ["/about", "/story", *(f"/tshirts/brand/tee/{n}/buy" for n in range(1, PRODUCTS + 1))]
            places = "".join(f"<url><loc>{self.base}{name}</loc></url>" for name in names)
            kind = "http://www.sitemaps.org/schemas/sitemap/0.9"
            return 200, "application/xml", f'<?xml version="1.0"?><urlset xmlns="{kind}">{places}</urlset>'.encode()
        if path == "/about":
            return 200, "text/html", _page({"@type": "Organization", "name": "A shop"})
        if path == "/story":
            return 200, "text/html", b"<html><p>How it all began.</p></html>"
        if path.endswith("/buy"):
            number = path.split("/")[-2]
            product = {
                "@type": "Product",
                "sku": number,
                "name": f"Tee {number}",
                "description": "two\nlines",
                "category": "Clothing > Tshirts",
                "image": [f"{self.base}/assets/{number}-1.jpg"],
                "offers": {"@type": "Offer", "price": "1,299.00", "priceCurrency": "INR"},
            }
            return 200, "text/html", _page(product)
        if path.startswith("/men-topwear"):
            page = int(path.partition("p=")[2] or 1)
            urls = [f"/tshirts/brand/tee/{n}/buy" for n in range(1, PRODUCTS + 1)][(page - 1) * 3 : page * 3]
            entries = [{"@type": "ListItem", "position": n, "url": url} for n, url in enumerate(urls, start=1)]
            more = f'<link rel="next" href="/men-topwear?p={page + 1}">' if page * 3 < PRODUCTS else ""
            return 200, "text/html", _page({"@type": "ItemList", "itemListElement": entries}, more)
        return super().content(path)


def _page(data: Mapping[str, object], more: str = "") -> bytes:
    text = json.dumps({"@context": "https://schema.org", **data}).replace("\\n", "\n")
    return f'<html><head>{more}<script type="application/ld+json">{text}</script></head></html>'.encode()


@pytest.mark.parametrize("start", ["/sitemap.xml", "/men-topwear"])
def test_any_shop_with_schema_org_data_is_crawled_without_its_name(tmp_path: Path, start: str) -> None:
    with SchemaShop().serving() as shop:
        workspace = Workspace(tmp_path / "ws")
        settings = workspace.settings(crawl={**FLAGS, "renderer": "http"})
        stats = crawl(workspace, settings, [shop.base + start])
        found = tables(workspace.root)
        ids = [f"127.0.0.1:{number}" for number in range(1, PRODUCTS + 1)]
        assert sorted(found["products"]["product_id"]) == ids
        assert set(found["products"]["price"]) == {1299.0}
        assert set(found["products"]["wear"]) == {"top"}
        assert len(found["images"]) == PRODUCTS
        assert found["failures"].empty
        assert stats["pages_without_product"] == (2 if start == "/sitemap.xml" else 0)
        (row,) = Workspace(workspace.root).read("ledger").to_dict("records")
        assert (row["blocked"], row["paused"]) == (0, 0)
        # What was found under one address or another is known by the next crawl.
        shop.requests.clear()
        crawl(workspace, settings, [shop.base + start])
        assert not any(path.endswith("/buy") for path in shop.requests)


def test_other_colours_are_further_products_when_asked(tmp_path: Path, shop: FaultyShop) -> None:
    shop.changes = {"colours": [{"label": "Red", "url": "tshirts/brand/tee/99/buy"}]}
    assert crawl_it(tmp_path / "without", shop.listing)["products"] == PRODUCTS
    assert crawl_it(tmp_path / "with", shop.listing, colours=True)["products"] == PRODUCTS + 1
    assert "myntra:99" in set(tables(tmp_path / "with")["products"]["product_id"])


def test_the_product_page_wins_over_the_listing(tmp_path: Path, shop: FaultyShop) -> None:
    shop.listed = {"productName": "Listed", "brand": "Listed", "gender": "Women", "category": "Jeans", "rating": 4.5}
    crawl_it(tmp_path / "ws", shop.listing)
    row = tables(tmp_path / "ws")["products"].iloc[1]
    assert (row["name"], row["gender"], row["product_type"], row["wear"]) == ("=Tee, “no. 2”", "men", "Tshirts", "top")
    assert (row["brand"], row["rating"]) == ("Listed", 4.5)


def test_product_types_that_are_not_known_are_kept_and_counted(tmp_path: Path, shop: FaultyShop) -> None:
    shop.changes = {"analytics": {"articleType": "Frobs", "gender": "Men"}}
    stats = crawl_it(tmp_path / "ws", shop.listing)
    assert stats["unknown_types"] == {"Frobs": 1}
    row = tables(tmp_path / "ws")["products"].iloc[0]
    assert row["product_type"] == "Frobs"
    assert pd.isna(row["wear"])


def test_no_answer_in_time_is_a_class_of_its_own(tmp_path: Path, shop: FaultyShop) -> None:
    shop.faults = {"/assets/2-1.jpg": "hang"}
    crawl_it(tmp_path / "ws", shop.listing, timeout=1.0, max_failures=1.0)
    assert tables(tmp_path / "ws")["failures"]["class"].tolist() == ["timeout"]


def test_a_crawl_that_is_not_what_is_expected_says_so_and_exits_with_1(tmp_path: Path, shop: FaultyShop) -> None:
    shop.faults = {f"/assets/{number}-1.jpg": "always-404" for number in range(1, PRODUCTS + 1)}
    flags = ["--delay", "0", "--no-autothrottle", "--shop", "myntra", "--json"]
    command = [sys.executable, "-m", "fullshot", "crawl", str(tmp_path / "ws"), shop.listing, *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "fullshot: failed pages and pictures: expected at most 10%, got 28.0%"
    stats = json.loads(done.stdout)
    assert (stats["healthy"], stats["failures"]) == (False, {"http-404": PRODUCTS})
    assert stats["health"][0]["value"] == 0.28
