import json
import shutil

import numpy as np
import pytest

from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.pictures import read_rgb
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.index import catalog
from fullshot.index.catalog import Catalog
from fullshot.train import embedder
from fullshot.train.embedder.crops import trimmed


def test_search_is_exact_over_distinct_products(built: Workspace) -> None:
    loaded = Catalog.load(built)
    model = embedder.load(built)
    pictures = [trimmed(read_rgb(built / path)) for path in loaded.items["path"]]
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


def test_a_picture_finds_itself(built: Workspace) -> None:
    loaded = Catalog.load(built)
    item = loaded.items.iloc[7]
    vector = embedder.load(built).embed([trimmed(read_rgb(built / item["path"]))])
    (hits,) = loaded.search(vector, item["wear"])
    assert hits[0].image_id == item["image_id"]
    assert hits[0].path == item["path"]
    assert hits[0].score == pytest.approx(1, abs=1e-3)


def test_few_products_unknown_wears_and_no_queries(built: Workspace) -> None:
    loaded = Catalog.load(built)
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
    assert catalog.build(built, settings)["up_to_date"]
    assert (built.catalog / "index.json").read_text() == before
    images = built.read("images")
    gone = images["image_id"] == images["image_id"].iloc[0]
    built.write("images", images[~gone])
    again = catalog.build(built, settings)
    assert not again["up_to_date"]
    assert again["items"] == 59


def test_what_is_half_built_or_damaged_is_not_used(built: Workspace, settings: Settings) -> None:
    (built.catalog / "top.faiss").write_bytes(b"half")
    with pytest.raises(StageFailed, match=r"top\.faiss is missing or damaged"):
        Catalog.load(built)
    assert not catalog.build(built, settings)["up_to_date"]
    Catalog.load(built)
    # The manifest comes last: without it, there is no catalog.
    shutil.copytree(built.catalog, built / ".catalog.1.part")
    (built.catalog / "index.json").unlink()
    with pytest.raises(MissingInput, match="fullshot index build"):
        Catalog.load(built)
    catalog.build(built, settings)
    assert len(Catalog.load(built).items) == 60
    assert not list(built.root.glob(".catalog*"))


def test_an_unreadable_picture_is_left_out(built: Workspace, settings: Settings) -> None:
    (built.catalog / "index.json").unlink()
    (built / str(built.read("dataset2")["image_path"].iloc[0])).write_bytes(b"no picture")
    stats = catalog.build(built, settings)
    assert (stats["items"], stats["unreadable"]) == (59, 1)


def test_another_embedder_asks_for_a_new_catalog(built: Workspace, settings: Settings) -> None:
    embedder.fit(built, load(embedder={**settings.embedder.model_dump(), "epochs": 1}))
    with pytest.raises(UserError, match="was made by embedder"):
        Catalog.load(built, embedder.load(built))
    assert not catalog.build(built, settings)["up_to_date"]
    Catalog.load(built, embedder.load(built))


def test_what_is_missing_is_one_line(built: Workspace, settings: Settings) -> None:
    shutil.rmtree(built / "models")
    with pytest.raises(MissingInput, match="fullshot train embedder"):
        catalog.build(built, settings)
    curated = built.read("curated")
    built.write("curated", curated[curated["full_shot"].astype(bool)])
    with pytest.raises(MissingInput, match="expected item shots"):
        catalog.build(built, settings)
