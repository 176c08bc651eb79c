"""The map of a catalog, from the command to the page in a browser."""

import base64
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from fullshot.cli import app
from fullshot.core.workspace import Workspace
from fullshot.index import VECTOR_STORES
from fullshot.index.stores.faiss import FaissStore
from tests.browser import Opened

Lay = Callable[..., Workspace]
Open = Callable[..., Opened]


def call(workspace: Workspace, *flags: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["index", "map", str(workspace.root), "--json", *map(str, flags)])
    return done.exit_code, done.stdout, done.stderr


def drawn(workspace: Workspace, *flags: object) -> dict[str, Any]:
    code, stdout, stderr = call(workspace, *flags)
    assert code == 0, stderr
    stats: dict[str, Any] = json.loads(stdout)
    return stats


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def types_of(data: dict[str, Any]) -> Counter[str]:
    return Counter(data["names"]["product_type"][number] for number in data["product_type"])


# The command


def test_all_items_are_on_the_map_and_a_second_call_changes_nothing(lay: Lay) -> None:
    workspace = lay()
    stats = drawn(workspace)
    page = workspace / "map.html"
    assert stats.pop("megabytes") < 1
    assert stats == {
        "items": 18,
        "shown": 18,
        "product_types": 3,
        "unreadable": 0,
        "page": str(page),
        "up_to_date": False,
    }
    assert types_of(data_of(page)) == {"Shirts": 8, "Jeans": 6, "Boots": 4}
    before = page.read_bytes()
    code, stdout, stderr = call(workspace)
    assert code == 0
    assert "nothing has changed" in stderr
    again = json.loads(stdout)
    assert again.pop("megabytes") < 1
    assert again == {**stats, "up_to_date": True}
    page.unlink()
    assert not drawn(workspace)["up_to_date"]
    assert page.read_bytes() == before  # the same catalog, the same map


def test_what_changed_is_drawn_anew(lay: Lay, tmp_path: Path) -> None:
    workspace = lay()
    drawn(workspace)
    assert not drawn(workspace, "--most", 9)["up_to_date"]
    products = workspace.read("products")
    products.loc[0, "name"] = "Another name"
    workspace.write("products", products)
    assert not drawn(workspace, "--most", 9)["up_to_date"]
    elsewhere = tmp_path / "new" / "page.html"
    assert drawn(workspace, "--most", 9, "--output", elsewhere)["page"] == str(elsewhere)
    assert drawn(workspace, "--most", 9)["up_to_date"]


def test_of_many_items_every_type_has_its_share_and_that_is_said(lay: Lay) -> None:
    workspace = lay({"Shirts": 40, "Jeans": 12, "Boots": 3})
    code, stdout, stderr = call(workspace, "--most", 15)
    assert code == 0
    assert json.loads(stdout)["shown"] == 15
    assert "15 of 55 items are shown" in stderr
    assert types_of(data_of(workspace / "map.html")) == {"Shirts": 6, "Jeans": 6, "Boots": 3}
    assert "15 of 55 items" in (workspace / "map.html").read_text("utf-8")


def test_a_picture_that_cannot_be_read_is_left_out_until_it_is_back(lay: Lay) -> None:
    workspace = lay()
    path = min(workspace.root.glob("images/*/*"))
    content = path.read_bytes()
    path.write_bytes(b"broken")
    code, stdout, stderr = call(workspace)
    assert code == 0
    assert (json.loads(stdout)["shown"], json.loads(stdout)["unreadable"]) == (17, 1)
    assert path.name in stderr
    path.write_bytes(content)
    assert drawn(workspace)["unreadable"] == 0


def test_a_product_that_is_gone_from_the_table_stays_on_the_map(lay: Lay) -> None:
    workspace = lay()
    workspace.write("products", workspace.read("products").iloc[1:])
    assert drawn(workspace)["shown"] == 18
    data = data_of(workspace / "map.html")
    assert "shop:0" in data["title"]
    assert types_of(data)["not known"] == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--most", "0"], "expected 1 or more"),
        (["--output", "."], "expected a file"),
    ],
)
def test_a_wrong_call_is_one_line(lay: Lay, flags: list[str], said: str) -> None:
    code, stdout, stderr = call(lay(), *flags)
    assert (code, stdout) == (2, "")
    (line,) = stderr.splitlines()
    assert said in line


def test_without_a_catalog_it_says_what_makes_one(lay: Lay) -> None:
    workspace = lay()
    (workspace.catalog / "index.json").unlink()
    code, _, stderr = call(workspace)
    assert code == 2
    assert "fullshot index build" in stderr


def test_a_store_that_gives_no_vectors_is_said(lay: Lay, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = lay()

    class SearchAlone:
        """Stands for a store of another package, written before maps were."""

        @classmethod
        def from_settings(cls, *arguments: Any) -> "SearchAlone":
            return cls(FaissStore.from_settings(*arguments))

        def __init__(self, store: FaissStore) -> None:
            self.search, self.partitions, self.close = store.search, store.partitions, store.close

    monkeypatch.setattr(VECTOR_STORES, "get", lambda name: SearchAlone)
    code, _, stderr = call(workspace)
    assert code == 2
    assert "gives no vectors" in stderr


# The page


def names_in_view(page: Page) -> list[str]:
    page.wait_for_selector("#list[aria-busy=false]", state="attached")  # the list follows the map when it rests
    return [text.split("\n")[0] for text in page.locator("#list li").all_inner_texts()]


def middle(page: Page) -> tuple[float, float]:
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.fixture
def shown(lay: Lay, opened: Open) -> Opened:
    workspace = lay()
    drawn(workspace)
    return opened(workspace / "map.html")


def test_the_page_opens_offline_and_asks_for_nothing(shown: Opened) -> None:
    page = shown.page
    assert len(names_in_view(page)) == 18
    assert shown.errors == []
    assert [url for url in shown.requests if not url.startswith(("file:", "data:"))] == []
    assert page.locator("#count").inner_text() == "18 items"
    # Something is drawn on it, in more than one colour.
    page.wait_for_function(
        """() => { const c = document.getElementById("canvas");
        const d = new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer);
        return new Set(d).size > 20; }"""
    )


def test_filters_and_words_choose(shown: Opened) -> None:
    page = shown.page
    page.select_option("#product_type", label="Boots (4)")
    assert page.locator("#count").inner_text() == "4 items"
    assert all("Boots" in name for name in names_in_view(page))
    page.select_option("#colour", label="Red (9)")
    assert page.locator("#count").inner_text() == "2 items"
    page.click("#clear")
    page.fill("#words", "birch SHIRTS")
    assert sorted(names_in_view(page)) == ["Blue Shirts 3", "Red Shirts 0", "Red Shirts 6"]
    page.fill("#words", "")
    page.locator("#legend button", has_text="Jeans").click()
    assert page.locator("#legend button", has_text="Jeans").get_attribute("aria-pressed") == "true"
    assert len(names_in_view(page)) == 6


def test_the_keyboard_moves_and_zooms(shown: Opened) -> None:
    page = shown.page
    page.focus("#canvas")
    every = names_in_view(page)
    for _ in range(6):
        page.keyboard.press("+")
    near = names_in_view(page)
    assert 0 <= len(near) < len(every)
    for key in ("ArrowLeft", "ArrowUp"):
        for _ in range(4):
            page.keyboard.press(key)
    assert names_in_view(page) != near
    page.keyboard.press("0")
    assert names_in_view(page) == every
    page.keyboard.press("-")
    assert len(names_in_view(page)) == 18


def test_wheel_and_buttons_zoom(shown: Opened) -> None:
    page = shown.page
    page.mouse.move(*middle(page))
    for _ in range(8):
        page.mouse.wheel(0, -300)
    expect(page.locator("#in-view")).not_to_have_text("18 of 18 items", timeout=180_000)
    assert len(names_in_view(page)) < 18
    page.click("#all")
    assert len(names_in_view(page)) == 18
    for _ in range(5):
        page.click("#nearer")
    assert len(names_in_view(page)) < 18


def test_an_entry_of_the_list_shows_its_picture_and_leads_to_the_shop(shown: Opened) -> None:
    page = shown.page
    names_in_view(page)
    page.locator("#list a", has_text="Blue Jeans 9").focus()
    card = page.locator("#card")
    assert card.is_visible()
    assert page.locator("#name").inner_text() == "Blue Jeans 9"
    assert page.locator("#cost").inner_text() == "€109"
    for word in ("women", "bottom", "Jeans", "Blue"):
        assert word in page.locator("#facts").inner_text()
    assert page.locator("#link").get_attribute("href") == "https://shop.example/9"
    blue = page.evaluate(
        "() => [...document.getElementById('picture').getContext('2d').getImageData(120, 120, 1, 1).data]"
    )
    assert blue[2] > blue[0] + 80
    page.keyboard.press("Escape")
    assert not card.is_visible()


def test_the_mouse_finds_what_it_points_at(shown: Opened) -> None:
    page = shown.page
    page.fill("#words", "Blue Jeans 9")
    assert names_in_view(page) == ["Blue Jeans 9"]
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    data = page.evaluate("() => JSON.parse(document.getElementById('data').textContent)")
    item = data["title"].index("Blue Jeans 9")
    fit = min(box["width"], box["height"]) / (1 + min(0.3, data["cell"] * 0.9) * 0.6)
    left = (data["x"][item] / data["grain"] - 0.5) * fit + box["width"] / 2
    top = (data["y"][item] / data["grain"] - 0.5) * fit + box["height"] / 2
    page.mouse.move(box["x"] + left, box["y"] + top)
    assert page.locator("#name").inner_text() == "Blue Jeans 9"
    page.mouse.click(box["x"] + left, box["y"] + top)
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] - 2)
    assert page.locator("#card").is_visible()  # a click keeps it
    page.click("#close")
    assert not page.locator("#card").is_visible()


@pytest.mark.parametrize("width", [390, 1400])
def test_it_fits_the_window(lay: Lay, opened: Open, width: int) -> None:
    workspace = lay()
    drawn(workspace)
    page = opened(workspace / "map.html", width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    assert box["width"] > 300
    assert box["height"] > 300


def test_a_shops_words_are_no_markup_and_its_links_run_nothing(lay: Lay, opened: Open) -> None:
    evil = {"name": "</script><script>document.title='x'</script><b>", "url": "javascript:alert(1)"}
    workspace = lay(shop_0=evil)
    drawn(workspace)
    shown = opened(workspace / "map.html")
    assert shown.errors == []
    assert shown.page.title() == "Map of the catalog"
    shown.page.fill("#words", "</script>")
    assert names_in_view(shown.page) == [evil["name"]]
    shown.page.locator("#list button").click()
    assert shown.page.locator("#name").inner_text() == evil["name"]
    assert not shown.page.locator("#link").is_visible()


def test_tiles_lie_where_the_page_looks_for_them(lay: Lay) -> None:
    workspace = lay()
    drawn(workspace)
    data = data_of(workspace / "map.html")
    sheets = data["sheets"]
    (address,) = sheets["addresses"]
    sheet = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB")
    for item, name in enumerate(data["title"]):
        left, top = item % sheets["columns"] * sheets["side"], item // sheets["columns"] * sheets["side"]
        width, height = sheets["widths"][item], sheets["heights"][item]
        assert max(width, height) <= sheets["side"]
        red, _, blue = sheet.getpixel((left + width // 2, top + height // 2))  # type: ignore[misc]
        assert (red > blue) == name.startswith("Red")
