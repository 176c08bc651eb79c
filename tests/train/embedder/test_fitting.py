import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from fullshot.core import tables
from fullshot.core.errors import BadTable, MissingInput, StageFailed, UserError
from fullshot.core.pictures import read_rgb
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
from fullshot.train.embedder.dataset import training_examples
from fullshot.train.embedder.training import Batches

TRAIN = """
import sys
from pathlib import Path
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
embedder.fit(Workspace(Path(sys.argv[1])), Settings.model_validate_json(sys.argv[2]))
"""


def folder(workspace: Workspace) -> Path:
    (found,) = [path for path in workspace.models("embedder").iterdir() if path.is_dir()]
    return found


def test_fit_load_embed_evaluate(trained: Workspace, settings: Settings) -> None:
    workspace = trained
    (record,) = (workspace / "runs").glob("train-embedder-*.json")
    stats = json.loads(record.read_text())["stats"]
    assert stats["trained"]
    assert (stats["products"], stats["item_shots"], stats["worn_garments"]) == (18, 36, 18)
    assert [row["epoch"] for row in stats["history"]] == [1, 2, 3, 4]
    assert stats["val"]["recall@5"] == 1
    names = {path.name for path in folder(workspace).iterdir()}
    assert names == {"run.json", "metrics.json", "weights.pt", "training.png"}

    loaded = embedder.load(workspace)
    path = workspace / str(workspace.read("images")["path"].iloc[0])
    vectors = loaded.embed([read_rgb(path), read_rgb(path)[10:, 5:], np.zeros((9, 300, 3), np.uint8)])
    assert vectors.shape == (3, 16)
    assert vectors.dtype == np.float32
    # In training and in use alike, a vector depends on its own crop alone.
    assert np.allclose(vectors[0], loaded.embed([read_rgb(path)])[0], atol=1e-5)
    assert loaded.embed([]).shape == (0, 16)
    assert stats["weights"] == loaded.digest

    scores = embedder.evaluate(workspace, settings)
    assert scores["queries"] == 6
    assert scores["recall@5"] == 1
    assert {wear: row["products"] for wear, row in scores["wears"].items()} == {"top": 10, "bottom": 10, "foot": 10}


def test_a_finished_run_is_not_trained_again(trained: Workspace, settings: Settings) -> None:
    first = embedder.load(trained).digest
    again = embedder.fit(trained, settings)
    assert not again["trained"]
    assert again["weights"] == first
    other = embedder.fit(trained, load(embedder={**settings.embedder.model_dump(), "epochs": 1}))
    assert other["trained"]
    assert embedder.load(trained).digest == other["weights"] != first
    # Its inputs are there again, and so is the model.
    assert not embedder.fit(trained, settings)["trained"]
    assert embedder.load(trained).digest == first


def test_training_never_sees_the_test_split(workspace: Workspace) -> None:
    examples = training_examples(workspace)
    assert set(examples["split"]) == {"train", "val"}
    curated = workspace.read("curated")
    held_back = set(curated.loc[curated["split"] == "test", "image_id"])
    assert not held_back & set(examples["image_id"])


def test_killed_and_run_again_it_is_the_run_it_would_have_been(
    workspace: Workspace, settings: Settings, tmp_path: Path
) -> None:
    longer = load(embedder={**settings.embedder.model_dump(), "epochs": 8})
    command = [sys.executable, "-c", TRAIN, str(workspace.root), longer.model_dump_json()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as child:
        deadline = time.monotonic() + 60
        while not list(workspace.models("embedder").glob("*/last.ckpt")) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGKILL)
    killed = folder(workspace)
    assert not (killed / "metrics.json").exists()
    with pytest.raises(MissingInput, match="fullshot train embedder"):
        embedder.load(workspace)

    stats = embedder.fit(workspace, longer)
    assert stats["run"] == killed.name
    assert 0 < stats["resumed_at"] < 8
    assert [row["epoch"] for row in stats["history"]] == list(range(1, 9))

    (workspace / "models").rename(tmp_path / "models")
    in_one_go = embedder.fit(workspace, longer)
    resumed = torch.load(tmp_path / "models/embedder" / stats["run"] / "weights.pt", weights_only=True)
    straight = torch.load(folder(workspace) / "weights.pt", weights_only=True)
    assert [row["loss"] for row in in_one_go["history"]] == pytest.approx([row["loss"] for row in stats["history"]])
    for name, value in straight["weights"].items():
        assert torch.allclose(value, resumed["weights"][name], atol=1e-4), name


def test_resume_takes_an_unfinished_run_of_these_inputs(trained: Workspace, settings: Settings) -> None:
    run = folder(trained)
    with pytest.raises(UserError, match="no run 'x'"):
        embedder.fit(trained, settings, resume="x")
    with pytest.raises(UserError, match="is finished"):
        embedder.fit(trained, settings, resume=run.name)
    (run / "metrics.json").unlink()
    # The run's own settings count, not those of today.
    other = load(embedder={"epochs": 1})
    assert embedder.fit(trained, other, resume=run.name)["epochs"] == 4
    (run / "metrics.json").unlink()
    trained.write("boxes", trained.read("boxes").iloc[1:])
    with pytest.raises(UserError, match="have changed"):
        embedder.fit(trained, settings, resume=run.name)


def test_without_boxes_item_shots_alone_are_learnt_from(workspace: Workspace, settings: Settings) -> None:
    workspace.table("boxes").unlink()
    stats = embedder.fit(workspace, load(embedder={**settings.embedder.model_dump(), "epochs": 1}))
    assert stats["worn_garments"] == 0
    assert stats["val"]["queries"] == 6
    with pytest.raises(MissingInput, match=r"boxes\.csv"):
        embedder.evaluate(workspace, settings)


def test_what_is_missing_or_wrong_is_one_line(workspace: Workspace, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="no workspace"):
        embedder.fit(Workspace(tmp_path / "none"), settings)
    with pytest.raises(MissingInput, match="fullshot train embedder"):
        embedder.evaluate(workspace, settings)
    with pytest.raises(UserError, match=r"embedder\.device"):
        embedder.fit(workspace, load(embedder={"epochs": 1, "device": "toaster"}))
    exported = workspace.read("dataset2")
    workspace.write("dataset2", tables.frame("dataset2", [{"image_path": "images/none.jpg", "label": 0}]))
    with pytest.raises(BadTable, match=r"images/none\.jpg"):
        embedder.fit(workspace, settings)
    workspace.write("dataset2", exported.iloc[:0])
    workspace.table("boxes").unlink()
    with pytest.raises(MissingInput, match="at least 2 products"):
        embedder.fit(workspace, settings)
    workspace.table("dataset2").unlink()
    with pytest.raises(MissingInput, match="fullshot curate"):
        embedder.fit(workspace, settings)


def test_damaged_weights_are_named(trained: Workspace) -> None:
    (folder(trained) / "weights.pt").write_bytes(b"half")
    with pytest.raises(StageFailed, match=r"weights\.pt"):
        embedder.load(trained)


def test_batches_hold_several_pictures_of_each_product() -> None:
    products = np.repeat(np.arange(7), [1, 2, 3, 4, 5, 6, 7])
    rows = np.flatnonzero(products != 3)
    batches = Batches(products, rows, 16, seed=3)
    epochs = [[batch.tolist() for batch in batches] for _ in range(2)]
    for batch in [batch for epoch in epochs for batch in epoch]:
        assert set(np.bincount(products[batch], minlength=7)) <= {0, 4}
        assert 3 not in products[batch]
    assert epochs[0] != epochs[1]
    resumed = Batches(products, rows, 16, seed=3)
    resumed.epoch = 1
    assert [batch.tolist() for batch in resumed] == epochs[1]


def test_batches_leave_the_random_numbers_of_others_alone() -> None:
    np.random.seed(5)
    expected = np.random.rand()
    np.random.seed(5)
    list(Batches(np.arange(9) // 3, np.arange(9), 8, seed=3))
    assert np.random.rand() == expected


def test_splits_that_leak_are_refused(workspace: Workspace, settings: Settings) -> None:
    curated = workspace.read("curated")
    product = workspace.read("images").drop_duplicates("image_id")["product_id"].iloc[0]
    images = workspace.read("images")
    its = sorted(set(images.loc[images["product_id"] == product, "image_id"]))
    curated.loc[curated["image_id"] == its[0], "split"] = "test"
    workspace.write("curated", curated)
    with pytest.raises(UserError, match=rf"leak.*product {product}: {its[0][:12]} in test") as error:
        embedder.fit(workspace, settings)
    assert "\n" not in str(error.value)
    assert not list(workspace.models("embedder").glob("*"))
