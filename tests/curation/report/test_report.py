import csv
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fullshot.core import tables
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.report import write_report
from fullshot.curation.report.charts import stacks
from fullshot.curation.report.samples import page_link
from tests.browser import Opened
from tests.curation.report.conftest import Curate
from tests.removing import remove_table

Open = Callable[..., Opened]

HOSTILE = "<script>alert('x')</script><img src=http://evil.example/x.png onerror=alert(1)>"
ROWS = [
    ("s:1", "outfit"),
    ("s:1", "front"),
    ("s:2w", "half"),
    ("s:2w", "bus"),
    ("t:3", "zidane"),
    ("t:3", "front"),
    ("t:4w", "item1"),
    ("t:4w", "item2"),
    ("t:4w", "item3"),
]
SAID: dict[str, dict[str, Any]] = {
    "outfit": {"shot": "full", "shot_score": 0.9, "shot_reason": "full length"},
    "front": {"shot": "item", "shot_score": 0.0, "shot_reason": "no person found"},
    "half": {"shot": "half", "shot_score": 0.1, "shot_reason": "ankles outside the frame", "split": "val"},
    "bus": {"shot": "full", "shot_score": 0.8, "shot_reason": "full length", "split": "test"},
    "zidane": {"shot": "unclear", "shot_score": 0.5, "shot_reason": "ankles outside the frame"},
    "item1": {"shot": "item", "shot_score": 0.0, "shot_reason": "no person found", "cluster": "c1"},
    "item2": {"shot": "item", "shot_reason": HOSTILE, "cluster": "c1", "duplicate_of": "item1"},
    "item3": {"issues": "blank tiny"},
}


@pytest.fixture
def workspace(curate: Curate) -> Workspace:
    return curate(ROWS, SAID)


def test_the_page_asks_for_nothing_and_shows_every_picture(
    workspace: Workspace, settings: Settings, opened: Open
) -> None:
    stats = write_report(workspace, settings)
    page = opened(workspace / "report.html")
    assert [url for url in page.requests if not url.startswith("data:")] == [(workspace / "report.html").as_uri()]
    assert page.errors == []
    widths = page.page.evaluate("[...document.images].map(image => image.complete && image.naturalWidth)")
    assert len(widths) >= stats["thumbnails"] == 8
    assert all(widths)
    alone = (workspace / "report.html").read_text("utf-8")
    assert "<script" not in alone
    assert all(f'{part}="http' not in alone for part in ("src", "srcset", "data"))


def test_the_numbers_are_those_of_the_tables(workspace: Workspace, settings: Settings, opened: Open) -> None:
    stats = write_report(workspace, settings)
    page = opened(workspace / "report.html")
    tiles = page.tiles()
    expected = {"Pictures": 8, "Products": 4, "Full": 2, "Half": 1, "Item": 3, "Unclear": 1, "Unreadable": 1}
    expected |= {"Rejected": 1, "Duplicates": 1, "Train": 6, "Val": 1, "Test": 1}
    assert tiles == {name: str(count) for name, count in expected.items()}
    assert {name: stats[name.lower().replace(" ", "_")] for name in expected} == expected
    assert page.table("Pictures by product type") == {
        "Product type": ["Pictures", "Share"],
        "Jeans": ["5", "62.5%"],
        "Shirts": ["3", "37.5%"],
    }
    assert page.table("Pictures by shop") == {"Shop": ["Pictures", "Share"], "s": ["4", "44.4%"], "t": ["5", "55.6%"]}
    full = page.table("Full shots against the others, by product type")
    assert [word.split()[0] for word in full["Jeans"][1:]] == ["1", "3", "1", "5"]
    assert [word.split()[0] for word in full["Shirts"][1:]] == ["1", "1", "1", "3"]
    splits = page.table("Splits by wear and gender")
    assert [word.split()[0] for word in splits["bottom · women"]] == ["3", "1", "1", "5"]
    assert page.table("Pictures by issue")["blank"] == ["1", "50.0%"]
    assert "blank: nearly one colour" in page.page.locator("#rejected").inner_text()
    assert page.table("Share of the products whose cell is filled")["wear"] == ["100.0%", "100.0%", "100.0%"]
    assert page.table("Share of the products whose cell is filled")["name"] == ["0.0%", "0.0%", "0.0%"]
    assert page.table("Verdicts by reason")["full length"] == ["2", "0", "0", "0", "0", "2"]
    assert page.table("Shared pictures")[workspace.read("images")["image_id"].iloc[1][:10]] == ["1", "s:1 · t:3"]


def test_what_a_shop_writes_is_text(workspace: Workspace, settings: Settings, opened: Open) -> None:
    products = workspace.read("products")
    products.loc[0, ["name", "product_type", "colour"]] = HOSTILE
    products.loc[1, "url"] = "javascript:alert(1)"
    workspace.write("products", products)
    failures = [{"url": "http://x.test/", "kind": HOSTILE, "class": HOSTILE, "message": HOSTILE}]
    workspace.write("failures", tables.frame("failures", failures))
    write_report(workspace, settings)
    page = opened(workspace / "report.html")
    assert [url for url in page.requests if not url.startswith(("data:", "file:"))] == []
    assert page.errors == []
    assert page.page.locator("script").count() == 0
    assert page.page.get_by_text(HOSTILE).count() >= 4
    links = page.page.locator("a[href]:not([href^='#'])").evaluate_all("all => all.map(one => [one.href, one.rel])")
    assert links
    assert {url for url, _ in links} == {f"https://shop.example/{name}" for name in ("s:1", "t:3", "t:4w")}
    assert all("noopener" in rel for _, rel in links)


@pytest.mark.parametrize(
    ("address", "opens"),
    [
        ("https://shop.example/1?a=b", True),
        ("HTTP://shop.example", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        (" javascript:alert(1)//http://x", False),
        ("data:text/html,<script>", False),
        ("//shop.example/1", False),
        ("https:///", False),
        (None, False),
    ],
)
def test_only_pages_of_the_web_are_linked(address: str | None, opens: bool) -> None:
    assert page_link(address) == (address if opens else "")


def _truth(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("image_url", "full_shot"), *rows])
    return path


def test_the_rule_against_a_file(workspace: Workspace, settings: Settings, opened: Open, tmp_path: Path) -> None:
    rows = [("outfit", "1"), ("front", "0"), ("half", "1"), ("bus", "0"), ("zidane", "1"), ("item1", "0")]
    places = [(f"http://mirror.example:1/{name}.jpg?h=1", full) for name, full in rows]
    truth = _truth(tmp_path / "truth.csv", [*places, ("http://x/other.jpg", "0")])
    stats = write_report(workspace, settings, truth=truth)["truth"]["truth.csv"]
    assert stats == {
        "pictures": 6,
        "decided": 5,
        "accuracy": 0.6,
        "precision": 0.5,
        "recall": 0.3333,
        "accuracy_with_unclear_as_wrong": 0.5,
        "wrongly_full": 1,
        "missed": 2,
        "unmatched": 1,
        "contradicting": 0,
    }
    page = opened(workspace / "report.html")
    confusion = page.table("What pictures are, and what the rule calls them")
    assert confusion["full"] == ["1", "1", "0", "1", "3"]
    assert confusion["not full"] == ["1", "0", "2", "0", "3"]
    assert page.page.locator("#truth-0-called-full .sample").count() == 1
    assert page.page.locator("#truth-0-missed .sample").count() == 2


def test_the_rule_against_persons(curate: Curate, settings: Settings, opened: Open) -> None:
    by_hand = {"shot_reason": "said by a person", "shot_score": 1.0}
    workspace = curate(ROWS, SAID | {"half": {"shot": "full", **by_hand}, "front": {"shot": "item", **by_hand}})
    curated, images = workspace.read("curated"), workspace.read("images")
    names = {Path(url).stem: one for url, one in zip(images["url"], images["image_id"], strict=True)}
    machine = {names["half"]: "half", names["front"]: "item"}
    verdicts = [{"image_id": names["half"], "shot": "full"}, {"image_id": names["front"], "shot": "item"}]
    workspace.write("verdicts", tables.frame("verdicts", [*verdicts, {"image_id": names["item3"], "keep": True}]))
    # What the rule said is lost where a person's word took its place: nothing is said of how right it was.
    lost = write_report(workspace, settings)
    assert lost["truth"]["persons’ verdicts"]["pictures"] == 0
    assert lost["rejected"] == 0
    workspace.write("curated", curated.assign(machine_shot=curated["image_id"].map(machine).fillna(curated["shot"])))
    told = write_report(workspace, settings)["truth"]["persons’ verdicts"]
    assert (told["pictures"], told["accuracy"], told["recall"]) == (2, 0.5, 0.0)
    page = opened(workspace / "report.html")
    assert page.page.locator("#verdict-overridden .sample").count() == 1
    assert "they overrode it 1 times" in page.page.locator("#verdicts").inner_text()
    assert "1 pictures with an issue were kept" in page.page.locator("#verdicts").inner_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "got no such file"),
        ("url,shot\na,b\n", "expected columns full_shot and one of"),
        ("url,full_shot\nhttps://shop.example/outfit.jpg,perhaps\n", "row 2 column full_shot: expected true or false"),
        ("url,full_shot\nhttps://shop.example/none.jpg,true\n", "expected pictures of this workspace"),
    ],
)
def test_a_truth_that_is_none(
    workspace: Workspace, settings: Settings, tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "truth.csv"
    if text:
        path.write_text(text)
    with pytest.raises(UserError, match=words):
        write_report(workspace, settings, truth=path)
    assert not (workspace / "report.html").exists()


def test_columns_of_a_users_own_are_not_taken_for_the_reports(workspace: Workspace, settings: Settings) -> None:
    outfit = workspace.read("images")["image_id"].iloc[0]
    workspace.write("verdicts", tables.frame("verdicts", [{"image_id": outfit, "shot": "half"}]))
    before = write_report(workspace, settings)
    page = (workspace / "report.html").read_bytes()
    for name in ("images", "products", "curated", "verdicts"):
        own = dict.fromkeys(("width", "kind", "number", "place", "machine", "rejected", "shop", "path", "keep"), "mine")
        frame = workspace.read(name)
        workspace.write(name, frame.assign(**{key: word for key, word in own.items() if key not in frame.columns}))
    assert write_report(workspace, settings) == before
    assert (workspace / "report.html").read_bytes() == page


def test_duplicates_stand_side_by_side(workspace: Workspace, settings: Settings, opened: Open) -> None:
    write_report(workspace, settings)
    page = opened(workspace / "report.html")
    samples = page.page.locator(".cluster .sample").all_inner_texts()
    identities = workspace.read("images").set_index("url")["image_id"]
    expected = [identities[f"https://shop.example/item{number}.jpg"][:10] for number in (1, 2)]
    assert [text.split()[-1] for text in samples] == expected
    assert "stands for the others" in samples[0]


def test_it_says_what_to_find_people(workspace: Workspace, settings: Settings) -> None:
    products = workspace.read("products")
    products.loc[1, "product_type"] = "Astronaut Suit"
    products.loc[1, "wear"] = pd.NA
    workspace.write("products", products)
    record = {"inputs": {"images.csv": "0", "products.csv": "0"}, "version": "9", "started_at": "2026-01-01"}
    (workspace / "runs").mkdir()
    (workspace / "runs" / "curate-1.json").write_text(json.dumps(record))
    (workspace / "runs" / "curate-2.json").write_text("half a rec")
    said = write_report(workspace, settings)["look_at"]
    for words in (
        "images.csv, products.csv changed since curation",
        "1 product has pictures in more than one split",
        "1 unclear picture waits for a person",
        "1 picture cannot be read",
        "1 product type unknown to the taxonomy, of 1 product: Astronaut Suit",
        "the column name is filled for 0%",
    ):
        assert any(words in line for line in said), words


def test_when_curation_ran_is_said_in_words(workspace: Workspace, settings: Settings, opened: Open) -> None:
    record = workspace / "runs" / "curate-1.json"
    record.parent.mkdir()
    for moment, words in (("2026-11-03T02:17:09Z", "on 3 November 2026, 02:17 UTC by"), ("lately", "on lately by")):
        record.write_text(json.dumps({"version": "9", "started_at": moment}))
        write_report(workspace, settings)
        assert words in opened(workspace / "report.html").page.locator("#summary .lead").inner_text()


def test_the_commonest_score_hides_no_other() -> None:
    chart = stacks(pd.DataFrame({"full": [16, 3], "item": [0, 1]}, index=["a", "b"]), "", "", by_root=True)
    # 4 are a quarter of 16, and their root is half of its root: 50 of 100, shared as 3 to 1.
    assert [row.lengths for row in chart.rows] == [(100.0, 0.0), (37.5, 12.5)]


def test_a_workspace_of_nothing_has_a_page(tmp_path: Path, settings: Settings, opened: Open) -> None:
    workspace = Workspace(tmp_path)
    for name in ("products", "images", "curated"):
        workspace.write(name, tables.frame(name))
    stats = write_report(workspace, settings)
    assert (stats["pictures"], stats["look_at"]) == (0, [])
    page = opened(tmp_path / "report.html", 400)
    assert page.errors == []
    assert page.tiles()["Pictures"] == "0"


def test_what_is_missing_is_said(curate: Curate, settings: Settings) -> None:
    workspace = curate(ROWS, SAID)
    remove_table(workspace, "curated")
    with pytest.raises(MissingInput, match="run `fullshot curate"):
        write_report(workspace, settings)
    assert not (workspace / "runs").exists()


def test_a_picture_that_is_gone_or_broken_leaves_a_blank(
    workspace: Workspace, settings: Settings, opened: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = workspace.read("images").drop_duplicates("path").set_index("url")["path"]
    (workspace / paths["https://shop.example/outfit.jpg"]).unlink()
    (workspace / paths["https://shop.example/bus.jpg"]).write_bytes(b"no picture")
    stats = write_report(workspace, settings)
    assert (stats["thumbnails"], stats["unreadable"]) == (6, 1)
    assert stats["unreadable_thumbnails"] == 2
    [line] = [line for line in capfd.readouterr().err.splitlines() if "cannot be read" in line]
    assert line.startswith("report: 2 pictures that cannot be read")
    assert paths["https://shop.example/outfit.jpg"] in line
    page = opened(workspace / "report.html")
    assert page.page.locator("#shot-full .blank").count() == 2
    assert page.errors == []


def test_a_second_report_opens_no_picture(workspace: Workspace, settings: Settings) -> None:
    write_report(workspace, settings)
    before = (workspace / "report.html").read_bytes()
    for path in (workspace / "images").rglob("*.*"):
        there = path.stat()
        path.write_bytes(b"x" * there.st_size)
        os.utime(path, ns=(there.st_atime_ns, there.st_mtime_ns))  # as if nothing had happened
    assert write_report(workspace, settings)["unreadable_thumbnails"] == 0
    assert (workspace / "report.html").read_bytes() == before


def test_the_same_tables_make_the_same_bytes(workspace: Workspace, settings: Settings, tmp_path: Path) -> None:
    write_report(workspace, settings)
    write_report(workspace, settings, output=tmp_path / "other" / "page.html")
    assert (tmp_path / "other" / "page.html").read_bytes() == (workspace / "report.html").read_bytes()
    assert sorted(path.name.split("-")[0] for path in (workspace / "runs").iterdir()) == ["report", "report"]


@pytest.mark.parametrize("width", [400, 1400])
def test_nothing_is_wider_than_the_window(workspace: Workspace, settings: Settings, opened: Open, width: int) -> None:
    products = workspace.read("products")
    products.loc[0, ["name", "product_type"]] = "A" * 300
    workspace.write("products", products)
    write_report(workspace, settings)
    page = opened(workspace / "report.html", width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator("table:not(:has(> caption))").count() == 0
    broken = "all => all.map(one => one.getAttribute('href').slice(1)).filter(one => !document.getElementById(one))"
    assert page.locator("a[href^='#']").evaluate_all(broken) == []


def test_many_pictures_and_words_stay_one_small_page(workspace: Workspace, settings: Settings) -> None:
    count = 5_000
    random = np.random.default_rng(1)
    path = workspace.read("images")["path"].iloc[0]
    names = [f"{number:064x}" for number in range(count)]
    products = [f"s:{number}" for number in range(count)]
    images = {"image_id": names, "product_id": products, "path": path, "width": random.integers(1, 4000, count)}
    frame = pd.DataFrame({**images, "height": random.integers(1, 4000, count), "bytes": 1})
    workspace.write("images", frame.reindex(columns=tables.columns("images")))
    words = [f"type {number}" for number in range(count)]
    table = pd.DataFrame({"product_id": products, "gender": "men", "product_type": words, "colour": words})
    workspace.write("products", table.reindex(columns=tables.columns("products")))
    judged = pd.DataFrame({"image_id": names, "shot": "full", "full_shot": True, "split": "train", "issues": words})
    workspace.write("curated", judged.reindex(columns=tables.columns("curated")))
    started = time.process_time()
    stats = write_report(workspace, settings)
    assert time.process_time() - started < 30
    assert stats["bytes"] < 10_000_000
