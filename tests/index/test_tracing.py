import json
import re

import pandas as pd
import pytest

from fullshot.core.errors import MissingInput, UserError
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.index import trace
from fullshot.train import embedder
from tests.removing import remove_table


def test_an_item_shot_is_traced_to_its_page_and_its_vector(built: Workspace) -> None:
    image = built.read("images").iloc[0]
    found = trace(built, image["image_id"][:8])
    assert json.loads(json.dumps(found)) == found
    assert found["image_id"] == image["image_id"]
    assert found["path"] == image["path"]
    (product,) = found["products"]
    assert product["page_url"] == "https://shop.example/0"
    assert product["page_fetched_at"] == "2025-01-02T03:04:05Z"
    assert product["parser"] == "drawn@1"
    assert found["curated"]["full_shot"] is False
    assert found["curated"]["split"] == "train"
    assert found["curated"]["shot_reason"] == "drawn so"
    assert found["catalog"]["embedder"] == embedder.load(built).digest
    assert found["catalog"]["wear"] == ["top"]
    assert [run["stage"] for run in found["runs"]] == ["train embedder", "index build"]
    assert all(run["current"] for run in found["runs"])


def test_an_outfit_image_is_traced_to_its_boxes(built: Workspace) -> None:
    box = built.read("boxes").iloc[0]
    found = trace(built, str(box["image_id"]).upper())
    assert len(found["products"]) == 3
    assert [(row["label"], row["source"], row["product_id"], row["revision"]) for row in found["boxes"]] == [
        ("top", "shop", "drawn:0", 1),
        ("bottom", "shop", "drawn:1", 1),
        ("foot", "shop", "drawn:2", 1),
    ]
    assert found["boxes"][0]["annotator"] is None
    assert found["catalog"] is None


def test_a_run_on_older_tables_is_not_current(built: Workspace) -> None:
    built.write("curated", built.read("curated").iloc[1:])
    runs = trace(built, built.read("images")["image_id"].iloc[0])["runs"]
    assert not any(run["current"] for run in runs)


def test_without_the_later_stages(built: Workspace, settings: Settings) -> None:
    for name in ("products", "curated", "boxes"):
        remove_table(built, name)
    (built.catalog / "index.json").unlink()
    found = trace(built, built.read("images")["image_id"].iloc[0])
    assert (found["curated"], found["boxes"], found["catalog"]) == (None, [], None)
    assert found["products"][0]["product_id"] == "drawn:0"
    assert found["products"][0]["page_url"] is None


def test_a_damaged_catalog_says_nothing_of_a_picture(built: Workspace) -> None:
    image = built.read("images")["image_id"].iloc[0]
    assert trace(built, image)["catalog"]
    (built.catalog / "items.parquet").write_bytes(b"half")
    assert trace(built, image)["catalog"] is None


@pytest.mark.parametrize("wrong", ["abc12", "ABC", "", "zzzzzzzz", "../images", "a" * 65])
def test_what_is_no_id_is_one_line(built: Workspace, wrong: str) -> None:
    with pytest.raises(UserError, match="hexadecimal digits"):
        trace(built, wrong)


def test_no_picture_or_several(built: Workspace) -> None:
    with pytest.raises(UserError, match="no picture ffffffff0000"):
        trace(built, "ffffffff0000")
    images = built.read("images")
    twin = images.iloc[[0]].assign(image_id=images["image_id"].iloc[0][:10] + "0" * 54, product_id="drawn:1")
    built.write("images", pd.concat([images, twin]))
    start = images["image_id"].iloc[0][:8]
    with pytest.raises(UserError, match=rf"2 pictures start with {start} \({re.escape(start)}"):
        trace(built, start)
    remove_table(built, "images")
    with pytest.raises(MissingInput, match=r"images\.csv"):
        trace(built, start)
