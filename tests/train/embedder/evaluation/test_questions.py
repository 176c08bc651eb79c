"""What is asked, and what is right: as a loop over the tables says it."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from fullshot.cli import app
from fullshot.core.errors import MissingInput, UserError
from fullshot.core.pictures import read_crops
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
from fullshot.train.embedder.baselines import BASELINES
from tests.removing import remove_table


@dataclass(frozen=True)
class Shown:
    """A garment in a picture."""

    product: str
    wear: str
    gender: str
    kind: str | None
    colour: str | None
    vector: NDArray[np.float32]
    cluster: str | None = None


def shown(workspace: Workspace, weights: str = "hsv") -> tuple[list[Shown], list[Shown]]:
    """The item shots and the worn garments of the split test, embedded one by one."""
    products = workspace.read("products").set_index("product_id").fillna({"product_type": "", "colour": ""})
    images = workspace.read("images").drop_duplicates("image_id").set_index("image_id")
    curated = workspace.read("curated")
    boxes = workspace.read("boxes")
    model = BASELINES.get(weights)()

    def of(product: str, image: str, box: tuple[float, float, float, float] | None) -> Shown:
        (piece,) = read_crops(workspace / str(images.loc[image, "path"]), [box])
        piece = embedder.crop_to_foreground(piece) if box is None else piece
        row = products.loc[product]
        words = [str(row[name]).strip().lower() or None for name in ("product_type", "colour")]
        clusters = curated.set_index("image_id")["cluster"]
        cluster = None if pd.isna(clusters[image]) else str(clusters[image])
        return Shown(
            product, str(row["wear"]), str(row["gender"]), words[0], words[1], model.embed([piece])[0], cluster
        )

    tested = set(curated.loc[curated["split"] == "test", "image_id"])
    full = set(curated.loc[curated["full_shot"], "image_id"])
    shots = [of(str(images.loc[name, "product_id"]), name, None) for name in sorted(tested - full)]
    worn = [
        of(row["product_id"], row["image_id"], (row["x_min"], row["y_min"], row["x_max"], row["y_max"]))
        for _, row in boxes[boxes["image_id"].isin(tested)].iterrows()
    ]
    return shots, worn


def naive(queries: list[Shown], gallery: list[Shown], *, by_gender: bool, colour: bool) -> dict[str, float]:
    """Means over queries, each distance by itself."""
    rows = []
    for query in queries:
        if query.kind is None or (colour and query.colour is None):
            continue
        nearest: dict[str, tuple[float, bool]] = {}
        for item in gallery:
            same_place = item.wear == query.wear and (not by_gender or item.gender == query.gender)
            is_copy = query.cluster is not None and item.cluster == query.cluster
            if not same_place or item.product == query.product or is_copy:
                continue
            distance = float(np.square(item.vector.astype(float) - query.vector).sum())
            right = item.kind == query.kind and (not colour or item.colour == query.colour)
            before = nearest.get(item.product, (np.inf, right))
            nearest[item.product] = (min(before[0], distance), right)
        ranked = [right for _, right in sorted(nearest.values())]
        count = sum(ranked)
        if not count:
            continue
        precision = sum(sum(ranked[: i + 1]) / (i + 1) for i in range(count) if ranked[i]) / count
        rows.append([*(sum(ranked[:k]) / k for k in (1, 5, 10)), any(ranked[:5]), any(ranked[:10]), precision])
    names = ("precision@1", "precision@5", "precision@10", "recall@5", "recall@10", "map@r")
    means = dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))
    return {"queries": len(rows), **means, "left_out": len(queries) - len(rows)}


@pytest.mark.parametrize("weights", ["hsv", "hog"])
def test_figures_are_those_of_a_loop_over_all_pairs(typed: Workspace, weights: str) -> None:
    curated = typed.read("curated")
    # A picture of one product nearly copies one of another.
    copies = curated.loc[(curated["split"] == "test") & ~curated["full_shot"], "image_id"].iloc[[0, 3, 9]]
    curated.loc[curated["image_id"].isin(copies), "cluster"] = "c1"
    typed.write("curated", curated)
    shots, worn = shown(typed, weights)
    stats = embedder.evaluate(typed, load(), weights)
    assert (len(shots), len(worn)) == (48, 24)
    for question, queries, by_gender in (("shop", shots, True), ("street", worn, False)):
        found = stats[question]
        assert (found["pictures"], found["products"], found["not_asked"]) == (48, 24, 0)
        for target, colour in (("product_type", False), ("type_and_colour", True)):
            expected = naive(queries, shots, by_gender=by_gender, colour=colour)
            assert 0 < expected["map@r"] < 1
            assert found[target] == pytest.approx(expected, abs=1e-4)
    assert stats["queries"] == 24
    assert 0 <= stats["recall@1"] <= stats["recall@5"] <= 1
    assert stats["wears"]["top"]["products"] == 40


def test_a_random_embedder_is_as_good_as_chance(typed: Workspace) -> None:
    figures = embedder.evaluate(typed, load(), "random")["shop"]["product_type"]
    # Of the three others of its gender and wear, one is of its type.
    assert figures["precision@1"] == pytest.approx(1 / 3, abs=0.2)
    assert (figures["queries"], figures["recall@10"]) == (48, 1)


def test_without_outfits_the_shop_alone_is_measured_and_that_is_said(
    typed: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    remove_table(typed, "boxes")
    stats = embedder.evaluate(typed, load(), "hsv")
    assert stats["shop"]["product_type"]["queries"] == 48
    assert (stats["queries"], stats["recall@5"], stats["street"]) == (0, None, None)
    assert [line.partition(":")[0] for line in stats["not_measured"]] == ["same product", "street"]
    assert "evaluate embedder: not measured: same product: no box on a full shot" in capsys.readouterr().err


def test_what_can_measure_nothing_is_refused(typed: Workspace) -> None:
    remove_table(typed, "boxes")
    products = typed.read("products")
    products["product_type"] = None
    typed.write("products", products)
    with pytest.raises(MissingInput, match=r"nothing can be measured: same product.*boxes\.csv.*shop: .*street: "):
        embedder.evaluate(typed, load(), "hsv")


def test_a_box_of_no_product_has_a_type_of_its_own(typed: Workspace) -> None:
    before = embedder.evaluate(typed, load(), "hsv")
    kinds = typed.read("products").set_index("product_id")["product_type"]
    boxes = typed.read("boxes")
    boxes["product_type"] = [kinds[product].upper() for product in boxes["product_id"]]
    boxes["product_id"] = None
    boxes.loc[boxes.index[:3], "product_type"] = None  # of these nothing is known
    typed.write("boxes", boxes)
    stats = embedder.evaluate(typed, load(), "hsv")
    assert stats["queries"] == 0
    # A garment's own product is an answer now: nobody knows that it is.
    assert stats["street"]["product_type"]["precision@1"] >= before["street"]["product_type"]["precision@1"]
    assert stats["street"]["product_type"]["queries"] == 24
    assert "type_and_colour" not in stats["street"]


def test_splits_that_leak_are_refused(typed: Workspace) -> None:
    curated = typed.read("curated")
    images = typed.read("images").set_index("image_id")
    shot = curated.loc[(curated["split"] == "test") & ~curated["full_shot"], "image_id"].iloc[0]
    curated.loc[curated["image_id"] == shot, "split"] = "train"
    typed.write("curated", curated)
    with pytest.raises(UserError, match=f"leak.*product {images.loc[shot, 'product_id']}"):
        embedder.evaluate(typed, load(), "hsv")


def test_more_queries_than_are_asked_are_counted(typed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fullshot.train.embedder.evaluation.similar.MOST_QUERIES", 10)
    found = embedder.evaluate(typed, load(), "hsv")["shop"]
    assert (found["not_asked"], found["product_type"]["queries"], found["products"]) == (38, 10, 24)


def test_the_command_prints_what_is_measured(typed: Workspace) -> None:
    done = CliRunner().invoke(app, ["evaluate", "embedder", str(typed.root), "--weights", "hsv", "--split", "val"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["run", "hsv"], ["split", "val"]]
    assert "shop" in lines
    assert any(line.startswith("  product type     queries 48, precision@1 0.") for line in lines)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--weights", "none"], "none"),
        (["--weights", "hsv", "--compare", "hsv"], "expected one of --weights, --run and --compare"),
        (["--compare", "hsv"], "expected two embedders or more to compare, got hsv"),
        (["hsv"], "weights to compare stand after --compare"),
        ([], "fullshot train embedder"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(typed: Workspace, flags: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["evaluate", "embedder", str(typed.root), *flags])
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_was_measured_is_shown_again(typed: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    first = embedder.evaluate(typed, load(), "hsv")
    capsys.readouterr()
    assert embedder.evaluate(typed, load(), "hsv") == first
    assert "nothing has changed" in capsys.readouterr().err
    (kept,) = (typed.models("embedder") / "evaluations").glob("hsv-*/evaluation-test.json")
    assert json.loads(kept.read_text())["shop"] == first["shop"]
    products = typed.read("products")
    products["product_type"] = products["product_type"].replace({"Shirts": "Tops"})
    typed.write("products", products)
    assert embedder.evaluate(typed, load(), "hsv")["shop"] != first["shop"]


def test_all_pictures_the_same_are_measured(typed: Workspace) -> None:
    # The same bytes stand in the place of each item shot.
    curated, images = typed.read("curated"), typed.read("images").set_index("image_id")
    shots = curated.loc[~curated["full_shot"], "image_id"]
    content = (typed / str(images.loc[shots.iloc[0], "path"])).read_bytes()
    for name in shots:
        (typed / str(images.loc[name, "path"])).write_bytes(content)
    figures = embedder.evaluate(typed, load(), "hsv")["shop"]["product_type"]
    assert figures["precision@1"] == 0
    assert figures["map@r"] < 0.3


def test_a_table_of_one_product_type_is_measured(typed: Workspace) -> None:
    products = typed.read("products")
    products["product_type"] = "Clothes"
    typed.write("products", products)
    figures = embedder.evaluate(typed, load(), "random")["shop"]["product_type"]
    assert figures["precision@1"] == figures["map@r"] == 1
