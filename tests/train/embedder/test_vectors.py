"""``fullshot embed``: vectors of a workspace's pictures, or of photos, as Parquet."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from typer.testing import CliRunner, Result

from fullshot.cli import app
from fullshot.core.pictures import read_rgb
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
from fullshot.train.embedder import crop_to_foreground


def embed(*words: str) -> Result:
    return CliRunner().invoke(app, ["embed", *words, "--device", "cpu", "--json"])


def stats(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def rows(file: Path, key: str) -> dict[str, list[float]]:
    table = pyarrow.parquet.read_table(file)
    assert str(table.schema.field("vector").type) == "list<element: float>"
    return dict(zip(table[key].to_pylist(), table["vector"].to_pylist(), strict=True))


@pytest.fixture
def photos(trained: Workspace, tmp_path: Path) -> Path:
    """Five item shots of the shop in a folder, and a file that is none."""
    folder = tmp_path / "photos"
    images = trained.read("images").merge(trained.read("curated"), on="image_id")
    for number, path in enumerate(images[~images["full_shot"].astype(bool)]["path"].unique()[:5]):
        place = folder / ("inner" if number % 2 else "") / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(trained / path, place)
    (folder / "notes.txt").write_text("hello")
    return folder


@pytest.fixture
def weights(trained: Workspace) -> Path:
    (found,) = trained.models("embedder").glob("*/weights.safetensors")
    return found


def test_photos_become_vectors_without_a_workspace(photos: Path, weights: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "vectors.parquet"
    done = embed(str(photos), "--weights", str(weights), "--output", str(output))
    assert done.exit_code == 0, done.output
    assert stats(done) | {"digest": ""} == {
        "vectors": 5,
        "unreadable": 0,
        "dimension": 16,
        "weights": str(weights),
        "digest": "",
        "output": str(output),
        "written": True,
    }
    assert "1 files that are no pictures were left out" in done.stderr
    found = rows(output, "path")
    assert sorted(Path(path).name for path in found) == [f"{number}.jpg" for number in range(5)]
    opened = embedder.open_source(str(weights)).load("cpu")
    for path, vector in found.items():  # as a catalog does it
        expected = opened.embed([crop_to_foreground(read_rgb(Path(path), upright=True))])[0]
        np.testing.assert_allclose(vector, expected, atol=1e-4)
    assert [path.name for path in output.parent.iterdir()] == ["vectors.parquet"]


def test_the_first_numbers_of_vectors_and_nothing_twice(photos: Path, weights: Path, tmp_path: Path) -> None:
    output = tmp_path / "v.parquet"
    asked = (str(photos), "--weights", str(weights), "--output", str(output))
    assert embed(*asked).exit_code == 0
    whole = rows(output, "path")
    written = output.stat().st_mtime_ns
    again = embed(*asked)
    assert (again.exit_code, stats(again)["written"]) == (0, False)
    assert "nothing has changed since" in again.stderr
    assert output.stat().st_mtime_ns == written
    cut = embed(*asked, "--size", "4")
    assert (stats(cut)["dimension"], stats(cut)["written"]) == (4, True)
    assert {path: vector[:4] for path, vector in whole.items()} == rows(output, "path")
    too_long = embed(*asked, "--size", "17")
    assert too_long.exit_code == 2
    assert "expected a size of at most 16" in too_long.stderr
    os.utime(photos / "0.jpg", (1, 1))
    assert stats(embed(*asked))["written"]


def test_photos_that_cannot_be_read_are_named_and_the_others_embedded(
    photos: Path, weights: Path, tmp_path: Path
) -> None:
    (photos / "broken.jpg").write_bytes(b"no picture")
    output = tmp_path / "v.parquet"
    for _ in range(2):  # the file remembers them
        done = embed(str(photos), "--weights", str(weights), "--output", str(output))
        assert done.exit_code == 1
        assert f"{photos / 'broken.jpg'} is not a picture that can be read" in done.stderr
        assert "1 of 6 pictures cannot be read" in done.stderr
        assert (stats(done)["vectors"], stats(done)["unreadable"]) == (5, 1)
    assert len(rows(output, "path")) == 5


def test_item_shots_and_boxes_of_a_workspace_by_the_embedder_in_use(trained: Workspace, tmp_path: Path) -> None:
    output = tmp_path / "v.parquet"
    done = embed(str(trained.root), "--output", str(output))
    assert done.exit_code == 0, done.output
    shots = rows(output, "image_id")
    curated = trained.read("curated")
    assert set(shots) == set(curated[~curated["full_shot"].astype(bool)]["image_id"])
    assert stats(done)["digest"] == embedder.digest_in_use(trained)
    assert not stats(embed(str(trained.root), "--output", str(output)))["written"]

    done = embed(str(trained.root), "--output", str(output), "--boxes")
    assert done.exit_code == 0, done.output
    table = pyarrow.parquet.read_table(output).to_pandas()
    boxes = trained.read("boxes")
    boxed = table[table["x_min"].notna()]
    assert len(table) == len(shots) + len(boxes)
    assert sorted(boxed["label"]) == sorted(boxes["label"])
    assert {tuple(row) for row in boxed[["image_id", "x_min", "y_max"]].to_numpy().tolist()} == {
        tuple(row) for row in boxes[["image_id", "x_min", "y_max"]].to_numpy().tolist()
    }
    alone = table[table["x_min"].isna()]
    np.testing.assert_allclose(
        np.stack(alone["vector"].to_list()), [shots[identity] for identity in alone["image_id"]], atol=1e-5
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing", "--weights", "imagenet", "--output", "{out}"], "there is no file at nothing"),
        (["{photos}", "--weights", "teapot", "--output", "{out}"], "weights 'teapot': expected a file .safetensors"),
        (["{photos}", "--weights", "imagenet", "--output", "{photos}"], "expected a file to write, got the folder"),
        (["{photos}", "--weights", "imagenet", "--output", "{out}", "--boxes"], "--boxes are those of a workspace"),
        (["{empty}", "--weights", "imagenet", "--output", "{out}"], "no photo in"),
    ],
)
def test_what_is_wrong_is_one_line(photos: Path, tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "empty").mkdir()
    places = {"out": tmp_path / "v.parquet", "photos": photos, "empty": tmp_path / "empty"}
    done = embed(*(word.format(**places) for word in words))
    assert done.exit_code == 2
    assert said in done.stderr.splitlines()[-1]
    assert not (tmp_path / "v.parquet").exists()
