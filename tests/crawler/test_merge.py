"""From a crawl's state to the tables, beside what people have put into these."""

from pathlib import Path
from typing import Any

import pytest

from fullshot.core import tables
from fullshot.core.workspace import Workspace
from fullshot.crawler.frontier import LISTING, PAGE
from fullshot.crawler.items import PictureLink, ProductFound
from fullshot.crawler.merge import merge
from fullshot.crawler.state import FILE, CrawlState, Validators

PAGE_URL, PICTURE_URL = "https://shop.test/7", "https://shop.test/7.jpg"
TIME = "2026-01-01T00:00:00Z"


def merge_a_product(workspace: Workspace, product: dict[str, Any], *, is_fetched: bool = False) -> dict[str, int]:
    with CrawlState(workspace / FILE) as state, workspace.open() as data:
        state.frontier.add([PAGE_URL], PAGE)
        task = state.frontier.take("shop.test:443", LISTING)
        assert task is not None
        found = ProductFound({"product_id": "s:7", "gender": "men", **product}, [PictureLink(PICTURE_URL, 1, "")])
        state.found_product(task, found, TIME, Validators())
        if is_fetched:
            state.add_pictures([(PICTURE_URL, "0" * 64, "0.jpg", 1, 1, 1, TIME)], lambda path: True)
        else:
            state.note_failure(PICTURE_URL, PAGE_URL, "http-404", "gone", TIME)
        return merge(data, state)


def test_a_number_that_is_none_is_not_known(tmp_path: Path) -> None:
    merge_a_product(Workspace(tmp_path), {"price": float("nan"), "rating": 4.5})
    products = Workspace(tmp_path).read("products")
    assert list(products["rating"]) == [4.5]
    assert products["price"].isna().all()


@pytest.mark.parametrize(
    "column", ["n", "key", "seen", "line", "select", "_n", "_seq", "_part", "_odd", "_line", "row number", "part"]
)
def test_a_persons_further_columns_stay_whatever_they_are_called(tmp_path: Path, column: str) -> None:
    workspace = Workspace(tmp_path)
    rows: dict[str, dict[str, Any]] = {
        "products": {"product_id": "s:1", "gender": "men"},
        "images": {"image_id": "0" * 64, "product_id": "s:1", "path": "0.jpg", "width": 1, "height": 1, "bytes": 1},
        "failures": {"url": "https://shop.test/9", "kind": "page", "class": "timeout"},
        "ledger": {"host": "shop.test"},
    }
    for name, row in rows.items():
        workspace.write(name, tables.frame(name, [row]).assign(**{column: "mine"}))
    assert merge_a_product(workspace, {})["products"] == 2
    for name in rows:
        assert "mine" in set(workspace.read(name)[column].dropna()), name


def test_what_two_people_drew_alike_stays(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    corners = {"x_min": 1.0, "y_min": 2.0, "x_max": 3.0, "y_max": 4.0}
    box = {"image_id": "0" * 64, "label": "top", **corners, "source": "human"}
    rows = [{**box, "annotator": who, "revision": number} for number, who in enumerate(("ada", "bob", "bob"), 1)]
    workspace.write("boxes", tables.frame("boxes", rows))
    merge_a_product(workspace, {})
    written = workspace.read("boxes")
    assert list(zip(written["annotator"], written["revision"], strict=True)) == [("ada", 1), ("bob", 2), ("bob", 3)]


def test_what_a_person_noted_of_a_product_stays_when_it_is_found_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    merge_a_product(workspace, {}, is_fetched=True)
    for name in ("products", "images"):
        workspace.write(name, workspace.read(name).assign(note="mine"))
    merge_a_product(workspace, {"name": "shirt"}, is_fetched=True)
    assert workspace.read("products")[["name", "note"]].to_numpy().tolist() == [["shirt", "mine"]]
    assert workspace.read("images")[["position", "note"]].to_numpy().tolist() == [[1, "mine"]]


@pytest.mark.parametrize("name", ["Brand", "seen_at", "_fs_seq"])
def test_what_can_be_no_column_is_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    workspace = Workspace(tmp_path)
    merge_a_product(workspace, {"brand": "ours", name: "theirs", "Fit": "slim"})
    product = workspace.read("products").iloc[0]
    assert (product["brand"], product["Fit"]) == ("ours", "slim")
    assert f"what pages say of {name} is left out" in capsys.readouterr().err


def test_a_shops_further_values_become_columns_but_for_names_that_queries_use(tmp_path: Path) -> None:
    merge_a_product(Workspace(tmp_path), {"_seq": "a", "_odd": "b", "_line": "c", "_fs_seq": "d"})
    products = Workspace(tmp_path).read("products")
    assert [products[name][0] for name in ("_seq", "_odd", "_line")] == ["a", "b", "c"]
    assert "_fs_seq" not in products.columns
