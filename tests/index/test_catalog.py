import io
import json
import shutil
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

from fullshot.core import image_store, tables
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.pictures import read_rgb
from fullshot.core.settings import EmbedderSettings, IndexSettings, Settings, load
from fullshot.core.workspace import Workspace
from fullshot.index import Catalog, build_catalog, items
from fullshot.index.items import find_item_shots
from fullshot.train import embedder, frames_digest
from fullshot.train.embedder import crop_to_foreground

TURNS = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
"""An EXIF orientation, and how a picture has to be stored that it shows upright."""


def test_search_is_exact_over_distinct_products(built: Workspace, settings: Settings) -> None:
    loaded = Catalog.load(built, settings)
    model = embedder.load(built)
    pictures = [crop_to_foreground(read_rgb(built / path)) for path in loaded.items["path"]]
    vectors = model.embed(pictures)
    queries = np.random.default_rng(0).normal(vectors.mean(0), vectors.std(0), (30, 16)).astype(np.float32)
    for wear in ("top", "bottom", "foot"):
        rows = np.flatnonzero(loaded.items["wear"] == wear)
        products = loaded.items["product_id"].to_numpy()[rows]
        distances = ((queries[:, None] - vectors[None, rows]) ** 2).sum(-1)
        for hits, row in zip(loaded.search(queries, wear, products=4), distances, strict=True):
            nearest = {product: row[products == product].min() for product in set(products)}
            expected = sorted(nearest, key=lambda product: nearest[product])[:4]
            assert [hit.product_id for hit in hits] == expected
            assert [hit.distance for hit in hits] == pytest.approx(
                [nearest[name] for name in expected], rel=1e-3, abs=1e-4
            )
            assert [hit.score for hit in hits] == pytest.approx([1 / (1 + hit.distance) for hit in hits])


def test_a_picture_finds_itself(built: Workspace, settings: Settings) -> None:
    loaded = Catalog.load(built, settings)
    item = loaded.items.iloc[7]
    vector = embedder.load(built).embed([crop_to_foreground(read_rgb(built / item["path"]))])
    (hits,) = loaded.search(vector, item["wear"])
    assert hits[0].image_id == item["image_id"]
    assert hits[0].path == item["path"]
    assert hits[0].score == pytest.approx(1, abs=1e-3)


def test_few_products_unknown_wears_and_no_queries(built: Workspace, settings: Settings) -> None:
    loaded = Catalog.load(built, settings)
    query = np.zeros((2, 16), np.float32)
    assert [len(hits) for hits in loaded.search(query, "top", products=99)] == [10, 10]
    assert loaded.search(query, "long") == [[], []]
    assert loaded.search(query[:0], "top") == []
    assert loaded.search(query, "top", products=0) == [[], []]
    with pytest.raises(ValueError, match=r"\(N, 16\)"):
        loaded.search(np.zeros((2, 3), np.float32), "top")


def test_all_splits_are_searched(built: Workspace) -> None:
    manifest = json.loads((built.catalog / "index.json").read_text())
    assert manifest["items"] == 60
    assert manifest["products"] == 30
    assert manifest["wears"] == {"bottom": 20, "foot": 20, "top": 20}


def test_the_same_catalog_is_not_built_again(built: Workspace, settings: Settings) -> None:
    before = (built.catalog / "index.json").read_text()
    assert build_catalog(built, settings)["up_to_date"]
    assert (built.catalog / "index.json").read_text() == before
    images = built.read("images")
    gone = images["image_id"] == images["image_id"].iloc[0]
    built.write("images", images[~gone])
    again = build_catalog(built, settings)
    assert not again["up_to_date"]
    assert again["items"] == 59


def test_a_change_of_tables_that_no_item_shows_builds_nothing(
    built: Workspace, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    products = built.read("products")
    products["price"] = 1.0
    built.write("products", products)
    before = json.loads((built.catalog / "index.json").read_text())
    assert build_catalog(built, settings)["up_to_date"]
    after = json.loads((built.catalog / "index.json").read_text())
    assert after["built_at"] == before["built_at"]
    assert after["tables"] != before["tables"]
    products["wear"] = products["wear"].replace("top", "long")
    built.write("products", products)
    capsys.readouterr()
    again = build_catalog(built, settings)
    assert (again["up_to_date"], again["wears"]) == (False, {"bottom": 20, "foot": 20, "long": 20})
    assert capsys.readouterr().err == ""  # the embeddings were kept: nothing was cut, nothing embedded


def test_a_catalog_that_is_built_part_by_part_is_the_same(
    built: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Catalog.load(built, settings)
    query = np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32)
    answers = [whole.search(query, wear) for wear in ("top", "bottom", "foot")]
    manifest = json.loads((built.catalog / "index.json").read_text())
    shutil.rmtree(built.catalog)
    monkeypatch.setattr(items, "AT_ONCE", 7)  # the last product of a part goes on in the next
    build_catalog(built, settings)
    parts = Catalog.load(built, settings)
    assert parts.items.equals(whole.items)
    assert [parts.search(query, wear) for wear in ("top", "bottom", "foot")] == answers
    again = json.loads((built.catalog / "index.json").read_text())
    assert {name: again[name] for name in ("items", "products", "left_out", "wears")} == {
        name: manifest[name] for name in ("items", "products", "left_out", "wears")
    }


def test_what_is_half_built_or_damaged_is_not_used(built: Workspace, settings: Settings) -> None:
    (built.catalog / "top.faiss").write_bytes(b"half")
    with pytest.raises(StageFailed, match=r"top\.faiss is missing or damaged"):
        Catalog.load(built, settings)
    assert not build_catalog(built, settings)["up_to_date"]
    Catalog.load(built, settings)
    # The manifest comes last: without it, there is no catalog.
    shutil.copytree(built.catalog, built / ".catalog.1.part")
    (built.catalog / "index.json").unlink()
    with pytest.raises(MissingInput, match="fullshot index build"):
        Catalog.load(built, settings)
    build_catalog(built, settings)
    assert len(Catalog.load(built, settings).items) == 60
    assert not list(built.root.glob(".catalog*"))


def test_unreadable_pictures_are_left_out_counted_and_named(
    built: Workspace, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    (built.catalog / "index.json").unlink()
    paths = [str(path) for path in built.read("dataset2")["image_path"].iloc[:5]]
    (built / paths[0]).unlink()
    whole = {path: (built / path).read_bytes() for path in paths[1:]}
    for path in whole:
        (built / path).write_bytes(b"no picture")
    stats = build_catalog(built, settings)
    assert (stats["items"], stats["unreadable"]) == (55, 5)
    messages = capsys.readouterr().err
    assert "5 pictures that cannot be read are left out" in messages
    assert sum(path in messages for path in paths) == 3
    assert build_catalog(built, settings) == {**stats, "up_to_date": True}
    (built / paths[1]).write_bytes(whole[paths[1]])  # brought back
    again = build_catalog(built, settings)
    assert (again["up_to_date"], again["items"], again["unreadable"]) == (False, 56, 4)
    for path in built.read("dataset2")["image_path"]:
        (built / path).write_bytes(b"no picture")
    (built.catalog / "index.json").unlink()
    with pytest.raises(StageFailed, match="none of the 60 item shots"):
        build_catalog(built, settings)


def test_pictures_that_curation_rejected_are_not_in_the_catalog(built: Workspace, settings: Settings) -> None:
    curated = built.read("curated")
    rejected = Catalog.load(built, settings).items["image_id"].iloc[:2].tolist()
    curated.loc[curated["image_id"].isin(rejected), "keep"] = False
    built.write("curated", curated)
    assert build_catalog(built, settings)["items"] == 58
    assert not set(rejected) & set(Catalog.load(built, settings).items["image_id"])


@pytest.mark.parametrize(("orientation", "turn"), list(TURNS.items()))
def test_a_picture_that_is_stored_turned_has_the_vector_of_the_upright_one(
    built: Workspace, settings: Settings, orientation: int, turn: Image.Transpose
) -> None:
    upright = Catalog.load(built, settings).items.iloc[3]
    turned = with_turned_copy(built, upright, orientation, turn)
    build_catalog(built, settings)
    loaded = Catalog.load(built, settings)
    vector = embedder.load(built).embed([crop_to_foreground(read_rgb(built / upright["path"]))])
    distances = {hit.image_id: hit.distance for hit in loaded.search(vector, upright["wear"], products=99)[0]}
    assert distances[upright["image_id"]] == pytest.approx(0, abs=1e-3)
    assert distances[turned] == pytest.approx(0, abs=1e-3)


def with_turned_copy(workspace: Workspace, item: "pd.Series[Any]", orientation: int, turn: Image.Transpose) -> str:
    """Give a new product the item's picture, stored turned, with the EXIF tag that turns it back."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    content = io.BytesIO()
    with Image.open(workspace / item["path"]) as picture:
        picture.transpose(turn).save(content, "PNG", exif=exif)
    stored = image_store.put(workspace.blobs, content.getvalue())
    rows: dict[str, dict[str, Any]] = {
        "products": {"product_id": "drawn:turned", "gender": "women", "wear": item["wear"]},
        "images": {
            "image_id": stored.image_id,
            "product_id": "drawn:turned",
            **{name: getattr(stored, name) for name in ("path", "width", "height", "bytes")},
        },
        "curated": {"image_id": stored.image_id, "full_shot": False, "split": "train"},
    }
    for table, row in rows.items():
        workspace.write(table, pd.concat([workspace.read(table), tables.frame(table, [row])], ignore_index=True))
    return stored.image_id


def as_version_0_1(workspace: Workspace) -> None:
    """Make the catalog's files those that version 0.1 wrote: an index a wear, and no table of the store's own."""
    path = workspace.catalog / "index.json"
    manifest = json.loads(path.read_text())
    (workspace.catalog / "vectors.parquet").unlink()
    del manifest["files"]["vectors.parquet"], manifest["store"], manifest["samples"], manifest["tables"]
    with workspace.open() as data:
        find_item_shots(data)
        rows = data.query("SELECT item, image_id, product_id, wear, path FROM items ORDER BY item")
    made_by = pd.DataFrame({"embedder": [manifest["embedder"]]})
    every_setting = frozenset(EmbedderSettings.model_fields)
    inputs = frames_digest({"items": rows, "embedder": made_by}, EmbedderSettings(), without=every_setting)
    path.write_text(json.dumps({**manifest, "format": 1, "inputs": inputs}))


def test_a_catalog_of_version_0_1_opens_and_is_not_built_again(built: Workspace, settings: Settings) -> None:
    query = np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32)
    before = Catalog.load(built, settings).search(query, "top")
    as_version_0_1(built)
    assert sorted(path.name for path in built.catalog.iterdir()) == [
        "bottom.faiss",
        "foot.faiss",
        "index.json",
        "items.parquet",
        "top.faiss",
    ]
    assert Catalog.load(built, settings, embedder.load(built)).search(query, "top") == before
    assert build_catalog(built, settings)["up_to_date"]


def test_a_catalog_of_version_0_1_with_turned_pictures_is_built_again(built: Workspace, settings: Settings) -> None:
    with_turned_copy(built, Catalog.load(built, settings).items.iloc[0], 6, TURNS[6])
    build_catalog(built, settings)
    as_version_0_1(built)
    assert not build_catalog(built, settings)["up_to_date"]
    assert build_catalog(built, settings)["up_to_date"]


def test_a_catalog_of_a_later_version_asks_for_a_new_one(built: Workspace, settings: Settings) -> None:
    path = built.catalog / "index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(UserError, match="of another version of fullshot: run `fullshot index build"):
        Catalog.load(built, settings)
    assert not build_catalog(built, settings)["up_to_date"]


def test_an_unknown_store_is_one_line(built: Workspace, settings: Settings) -> None:
    with pytest.raises(UserError, match=r"expected the vector store to be one of faiss.*got 'pinecone'"):
        build_catalog(built, settings.model_copy(update={"index": IndexSettings(store="pinecone")}))
    assert not list(built.root.glob(".catalog.*"))
    assert Catalog.load(built, settings).items.shape[0] == 60


def test_another_embedder_asks_for_a_new_catalog(built: Workspace, settings: Settings) -> None:
    embedder.fit(built, load(embedder={**settings.embedder.model_dump(), "epochs": 1}))
    with pytest.raises(UserError, match="was made by embedder"):
        Catalog.load(built, settings, embedder.load(built))
    assert not build_catalog(built, settings)["up_to_date"]
    Catalog.load(built, settings, embedder.load(built))


def test_what_is_missing_is_one_line(built: Workspace, settings: Settings) -> None:
    shutil.rmtree(built / "models")
    with pytest.raises(MissingInput, match="fullshot train embedder"):
        build_catalog(built, settings)
    curated = built.read("curated")
    built.write("curated", curated[curated["full_shot"].astype(bool)])
    with pytest.raises(MissingInput, match="expected item shots"):
        build_catalog(built, settings)
