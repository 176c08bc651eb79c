"""Embeddings are made once of each picture, box and embedder."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from numpy.typing import NDArray

from fullshot.core.boxes import Picture
from fullshot.core.interfaces import Embedder
from fullshot.core.pictures import read_crops
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
from fullshot.train.embedder import checkpoints, crop_to_foreground, has_plain_background, kept_embeddings, keys_of
from fullshot.train.embedder.dataset import MEASURED_SHOTS, WANTED, as_frame, create_measured, worn_garments


@dataclass
class Counting:
    """An embedder that counts the crops which it is given."""

    model: Embedder
    digest: str
    seen: list[int] = field(default_factory=list)

    @property
    def dimension(self) -> int:
        return self.model.dimension

    @property
    def image_size(self) -> int:
        return self.model.image_size

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        self.seen.append(len(crops))
        return self.model.embed(crops)


@pytest.fixture
def model(trained: Workspace) -> Counting:
    loaded = embedder.load(trained, device="cpu")
    return Counting(loaded, loaded.digest)


def keys(workspace: Workspace) -> pyarrow.Table:
    with workspace.open(WANTED) as data:
        create_measured(data, "test")
        shots = as_frame(data.arrow(f"SELECT * FROM {MEASURED_SHOTS} ORDER BY example"))
        return pyarrow.concat_tables([keys_of(shots), keys_of(worn_garments(data))])


def test_pictures_and_boxes_are_embedded_as_any_crop_is(
    trained: Workspace, model: Counting, settings: Settings
) -> None:
    asked = keys(trained)
    rows = kept_embeddings(trained.root, asked, model, settings, "test")
    assert rows.is_readable.all()
    crops, packshots = [], []
    for key in asked.to_pylist():
        box = None if np.isnan(key["x_min"]) else (key["x_min"], key["y_min"], key["x_max"], key["y_max"])
        (piece,) = read_crops(trained / key["path"], [box])
        crops.append(piece if box else crop_to_foreground(piece))
        packshots.append(box is None and has_plain_background(piece))
    assert np.allclose(np.asarray(rows.array("vector"), float), model.model.embed(crops), atol=1e-4)
    assert rows.read(["is_packshot"])["is_packshot"].to_pylist() == packshots
    assert 0 < sum(packshots) < len(packshots)


def test_what_is_kept_is_not_embedded_again(trained: Workspace, model: Counting, settings: Settings) -> None:
    asked = keys(trained)
    few = kept_embeddings(trained.root, asked.slice(0, 7), model, settings, "test").array("vector")
    every = kept_embeddings(trained.root, asked, model, settings, "test").array("vector")
    np.testing.assert_array_equal(every[:7], few)
    assert sum(model.seen) == len(asked)
    again = kept_embeddings(trained.root, asked, model, settings, "test")
    assert sum(model.seen) == len(asked)
    np.testing.assert_array_equal(again.array("vector"), every)
    other = Counting(model.model, "0" * 64)
    kept_embeddings(trained.root, asked, other, settings, "test")
    assert sum(other.seen) == len(asked)


def test_one_picture_of_two_products_is_embedded_once(trained: Workspace, model: Counting, settings: Settings) -> None:
    asked = keys(trained).slice(0, 3)
    rows = kept_embeddings(trained.root, pyarrow.concat_tables([asked, asked]), model, settings, "test")
    assert sum(model.seen) == 3
    np.testing.assert_array_equal(rows.array("vector")[:3], rows.array("vector")[3:])


def test_a_picture_that_cannot_be_read_is_asked_again_when_its_file_has_changed(
    trained: Workspace, model: Counting, settings: Settings
) -> None:
    asked = keys(trained).slice(0, 5)
    path: Path = trained / asked["path"][2].as_py()
    content = path.read_bytes()
    path.write_bytes(b"no picture")
    rows = kept_embeddings(trained.root, asked, model, settings, "test")
    assert rows.is_readable.tolist() == [True, True, False, True, True]
    assert rows.unreadable()["path"].to_pylist() == [asked["path"][2].as_py()]
    path.write_bytes(content)
    assert kept_embeddings(trained.root, asked, model, settings, "test").is_readable.all()
    assert sum(model.seen) == 5


def test_workers_cut_what_is_much(trained: Workspace, model: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    here = kept_embeddings(trained.root, keys(trained), model, load(), "test").array("vector")
    for shard in (trained / "features").rglob("*.parquet"):
        shard.unlink()
    monkeypatch.setattr("fullshot.train.embedder.crops.FEW", 0)
    opened: list[Path] = []
    monkeypatch.setattr("fullshot.train.embedder.crops.read_crops", lambda path, boxes: opened.append(path))
    by_workers = kept_embeddings(trained.root, keys(trained), model, load(), "test").array("vector")
    assert np.allclose(np.asarray(by_workers, float), np.asarray(here, float), atol=1e-5)
    assert not opened  # by this process


def test_crops_are_made_as_the_embedder_wants_them_and_nothing_is_done_to_them_twice(
    trained: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (weights,) = trained.models("embedder").glob("*/weights.safetensors")
    about, found = checkpoints.read(weights)
    checkpoints.write(tmp_path / "other.safetensors", found, replace(about, fit="letterbox", background="remove"))
    other = embedder.open_source(str(tmp_path / "other.safetensors")).load("cpu")
    asked = keys(trained)
    rows = kept_embeddings(trained.root, asked, other, settings, "test")
    for number in (0, len(asked) - 1):  # a whole picture, and a box
        (key,) = asked.slice(number, 1).to_pylist()
        box = None if np.isnan(key["x_min"]) else (key["x_min"], key["y_min"], key["x_max"], key["y_max"])
        (piece,) = read_crops(trained / key["path"], [box])
        expected = other.embed([piece if box else crop_to_foreground(piece)])[0]
        np.testing.assert_allclose(rows.array("vector")[number], expected, atol=1e-4)
    assert (trained / "features" / "crops" / "1-32-letterbox-remove").is_dir()
    assert not np.allclose(expected, embedder.load(trained, device="cpu").embed([piece])[0], atol=1e-3)
