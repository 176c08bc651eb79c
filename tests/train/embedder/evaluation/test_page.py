"""The pages, in a browser without a network."""

from pathlib import Path
from typing import Any

import pytest

from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
from tests.browser import Opened


def page_of(stats: dict[str, Any]) -> Path:
    return Path(stats["page"])


def test_the_page_asks_for_nothing_and_shows_questions_and_answers(typed: Workspace, opened: Any) -> None:
    stats = embedder.evaluate(typed, load(), "hsv")
    page: Opened = opened(page_of(stats))
    assert [url for url in page.requests if not url.startswith("data:")] == [page_of(stats).as_uri()]
    assert page.errors == []
    shop = stats["shop"]["product_type"]
    row = page.table("By split and question")["test: item shots among each other"]
    assert row[:3] == ["same type and colour", *_words(stats["shop"]["type_and_colour"])]  # the second of its name
    tile = page.page.locator("#test-shop .tiles dd").first.inner_text()
    assert tile.split()[0] == f"{shop['precision@5']:.3f}"
    types = page.table("Same product type, by type")
    assert set(types) == {"Type", "Shirts", "Tops", "Jeans", "Trousers", "Heels", "Flats"}
    # Six queries of each kind at most, each with its five nearest; of a gender and wear there are three others.
    lists = page.page.locator("#test-shop .answered")
    assert lists.count() == 18
    assert lists.first.locator("li").count() == 4
    pictures = page.page.locator("img")
    assert pictures.count() > 100
    assert pictures.evaluate_all("all => all.every(one => one.naturalWidth > 0 && one.alt.length > 5)")
    right, wrong = (page.page.locator(f"#test-shop figure.{name}") for name in ("right", "wrong"))
    assert right.count() > 0
    assert wrong.count() > 0
    assert right.locator(".mark").all_inner_texts() == ["✓"] * right.count()
    assert right.locator("img").first.get_attribute("alt", timeout=1000).startswith("right answer")  # type: ignore[union-attr]


def _words(figures: dict[str, Any]) -> list[str]:
    return [str(figures["queries"]), f"{figures['precision@1']:.3f}"]


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window_and_its_parts_have_names(typed: Workspace, opened: Any, width: int) -> None:
    compared = embedder.compare(typed, load(), ["hsv", "hog"])
    single = embedder.evaluate(typed, load(), "hsv")
    for stats in (compared, single):
        page: Opened = opened(page_of(stats), width)
        assert page.errors == []
        assert page.page.evaluate("document.documentElement.scrollWidth") == width
        assert page.page.locator("h1").count() == 1
        assert page.page.locator("table:not(:has(caption))").count() == 0
        assert page.page.locator("[tabindex]:not([aria-label])").count() == 0
        ids = page.page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
        assert len(ids) == len(set(ids))
        links = page.page.locator("a[href^='#']").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        assert {link.removeprefix("#") for link in links} <= set(ids)


def test_embedders_stand_side_by_side_with_the_best_in_bold(typed: Workspace, opened: Any) -> None:
    stats = embedder.compare(typed, load(), ["random", "hsv", "hsv"])
    assert [row["run"] for row in stats["embedders"]] == ["random", "hsv"]
    page: Opened = opened(page_of(stats))
    rows = page.table("Item shots among each other: same type and colour")
    assert rows["Embedder"] == ["random", "hsv"]
    assert rows["precision@5"] == [f"{row['shop_type_and_colour']:.3f}" for row in stats["embedders"]]
    assert page.page.locator("td.best").count() > 0
    href = page.page.locator("thead a").first.get_attribute("href")
    assert href is not None
    assert (page_of(stats).parent / href).is_file()
    assert "random is a baseline" in page.page.locator("#summary").inner_text()


def test_words_of_a_shop_are_no_mark_up(typed: Workspace, opened: Any) -> None:
    products = typed.read("products")
    hostile = "<script>alert('x')</script>"
    products["product_type"] = products["product_type"].replace({"Shirts": hostile})
    typed.write("products", products)
    page: Opened = opened(page_of(embedder.evaluate(typed, load(), "hsv")))
    assert hostile in page.table("Same product type, by type")
    assert page.errors == []


def test_both_splits_are_on_one_page_and_the_card_says_what_was_measured(typed: Workspace, opened: Any) -> None:
    embedder.evaluate(typed, load(), "hsv", "val")
    stats = embedder.evaluate(typed, load(), "hsv")
    page: Opened = opened(page_of(stats))
    assert page.page.locator("h2").all_inner_texts() == ["Split test", "Split val", "Model card"]
    text = (page_of(stats).parent / "model-card.md").read_text()
    assert "# Garment embedder hsv" in text
    assert "It is a baseline: nothing was learnt for it." in text
    assert "| test | 48 | 24 |" in text
    assert "- Item shots by shop: drawn 240" in text
    figures = stats["street"]["product_type"]
    assert f"| test | worn garments among item shots | same product type | 24 | {figures['precision@1']} |" in text
    for table, digest in typed.digests(["products", "images", "curated"]).items():
        assert f"`{table}` `{digest}`" in text


def test_a_page_that_is_gone_is_written_again_and_what_is_gone_is_not_shown(typed: Workspace, opened: Any) -> None:
    stats = embedder.evaluate(typed, load(), "hsv")
    page_of(stats).unlink()
    for path in typed.read("images")["path"]:
        (typed / str(path)).unlink(missing_ok=True)
    assert embedder.evaluate(typed, load(), "hsv") == stats
    page: Opened = opened(page_of(stats))
    assert page.page.locator("img").count() == 0
    assert page.page.locator(".blank").count() > 100
