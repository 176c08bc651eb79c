import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from fullshot.core import tables
from fullshot.core.errors import BadTable, MissingInput, StageFailed, UserError
from fullshot.core.files import digest
from fullshot.core.pictures import read_rgb
from fullshot.core.progress import Advance
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
from fullshot.train.embedder import checkpoints, dataset
from fullshot.train.embedder.backbones.small import SmallBackbone
from fullshot.train.embedder.sampling import ProductBatches
from tests.removing import remove_table

TRAIN = """
import sys
from pathlib import Path
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
embedder.fit(Workspace(Path(sys.argv[1])), Settings.model_validate_json(sys.argv[2]))
"""


def training_examples(workspace: Workspace) -> pd.DataFrame:
    with workspace.open(dataset.WANTED) as data:
        dataset.create_training_examples(data)
        return dataset.training_examples(data)


def worn_garments(workspace: Workspace) -> pd.DataFrame:
    with workspace.open(dataset.WANTED) as data:
        return dataset.worn_garments(data)


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
    assert names == {"run.json", "metrics.json", "weights.safetensors", "model.onnx", "training.png"}

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
    assert other["in_use"]
    assert embedder.load(trained).digest == other["weights"] != first
    runs = [json.loads(path.read_text())["validation"] for path in trained.models("embedder").glob("*/metrics.json")]
    assert {(run["figure"], run["rows"]) for run in runs} == {("recall@5", runs[0]["rows"])}  # these two compare
    assert {run["value"] for run in runs} == {again["val"]["recall@5"], other["val"]["recall@5"]}
    # Its inputs are there again, and so is the model.
    assert not embedder.fit(trained, settings)["trained"]
    assert embedder.load(trained).digest == first


def test_a_worse_run_stays_out_of_use_however_often_it_is_asked_for(
    trained: Workspace, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    first = embedder.load(trained).digest
    file = folder(trained) / "metrics.json"
    metrics = json.loads(file.read_text())
    metrics["validation"]["value"] = 1.5  # better than any other can be
    file.write_text(json.dumps(metrics))
    shorter = load(embedder={**settings.embedder.model_dump(), "epochs": 1})
    for trains in (True, False):
        stats = embedder.fit(trained, shorter)
        assert (stats["trained"], stats["in_use"]) == (trains, False)
        told = capsys.readouterr().err
        assert "stays in use" in told
        assert f"--use {stats['run']}" in told
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
        deadline = time.monotonic() + 300
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
    _, resumed = checkpoints.read(tmp_path / "models/embedder" / stats["run"] / "weights.safetensors")
    _, straight = checkpoints.read(folder(workspace) / "weights.safetensors")
    assert [row["loss"] for row in in_one_go["history"]] == pytest.approx([row["loss"] for row in stats["history"]])
    for name, value in straight.items():
        assert torch.allclose(value, resumed[name], atol=1e-4), name


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
    remove_table(workspace, "boxes")
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
    remove_table(workspace, "boxes")
    with pytest.raises(MissingInput, match="at least 2 products"):
        embedder.fit(workspace, settings)
    remove_table(workspace, "dataset2")
    with pytest.raises(MissingInput, match="fullshot curate"):
        embedder.fit(workspace, settings)


def test_damaged_weights_are_named(trained: Workspace) -> None:
    weights = folder(trained) / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-500])
    for use in (lambda: embedder.load(trained), lambda: embedder.digest_in_use(trained)):
        with pytest.raises(StageFailed, match=r"safetensors is damaged or replaced: run `fullshot train embedder"):
            use()
    weights.unlink()
    with pytest.raises(StageFailed, match=r"weights\.safetensors is gone"):
        embedder.load(trained)


def test_batches_hold_several_pictures_of_each_product() -> None:
    products = np.repeat(np.arange(7), [1, 2, 3, 4, 5, 6, 7])
    rows = np.flatnonzero(products != 3)
    batches = ProductBatches(products, rows, 16, seed=3)
    epochs = [[batch.tolist() for batch in batches] for _ in range(2)]
    for batch in [batch for epoch in epochs for batch in epoch]:
        assert set(np.bincount(products[batch], minlength=7)) <= {0, 4}
        assert 3 not in products[batch]
    assert epochs[0] != epochs[1]
    resumed = ProductBatches(products, rows, 16, seed=3)
    resumed.epoch = 1
    assert [batch.tolist() for batch in resumed] == epochs[1]


def test_batches_leave_the_random_numbers_of_others_alone() -> None:
    np.random.seed(5)
    expected = np.random.rand()
    np.random.seed(5)
    list(ProductBatches(np.arange(9) // 3, np.arange(9), 8, seed=3))
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


def test_what_cannot_be_read_is_left_out_counted_and_named(
    workspace: Workspace, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes, images = workspace.read("boxes"), workspace.read("images").set_index("image_id")
    curated = workspace.read("curated").set_index("image_id")
    on_full_shots = [name for name in boxes["image_id"].unique() if curated.loc[name, "split"] == "test"]
    broken = [
        str(images.loc[[on_full_shots[0]], "path"].iloc[0]),
        str(workspace.read("dataset2")["image_path"].iloc[0]),
    ]
    whole = (workspace / broken[1]).read_bytes()
    for path in broken:
        (workspace / path).write_bytes(b"no picture")
    one_epoch = load(embedder={**settings.embedder.model_dump(), "epochs": 1})
    stats = embedder.fit(workspace, one_epoch)
    assert (stats["unreadable"], stats["item_shots"], stats["worn_garments"]) == (1, 35, 18)
    assert f"train embedder: 1 picture that cannot be read is left out: {broken[1]}" in capsys.readouterr().err
    scores = embedder.evaluate(workspace, one_epoch)
    assert (scores["unreadable"], scores["queries"]) == (2, 3)
    message = capsys.readouterr().err
    assert all(path in message for path in broken)
    assert not embedder.fit(workspace, one_epoch)["trained"]
    (workspace / broken[1]).write_bytes(whole)  # brought back: there is more to learn from
    again = embedder.fit(workspace, one_epoch)
    assert (again["trained"], again["unreadable"], again["item_shots"]) == (True, 0, 36)
    for path in workspace.read("images")["path"]:
        (workspace / str(path)).write_bytes(b"no picture")
    with pytest.raises(StageFailed, match="can be read"):
        embedder.evaluate(workspace, one_epoch)
    with pytest.raises(MissingInput, match="at least 2 products"):
        embedder.fit(workspace, load(embedder={**settings.embedder.model_dump(), "epochs": 2}))


def test_ctrl_c_is_left_to_the_caller(
    workspace: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, total: int, note: str = "") -> None:
        signal.raise_signal(signal.SIGINT)

    @contextlib.contextmanager
    def stopping_bar(what: str, unit: str = "") -> Iterator[Advance]:
        yield stop

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patched:
        patched.setattr("fullshot.train.embedder.run.bar", stopping_bar)
        with pytest.raises(KeyboardInterrupt):
            embedder.fit(workspace, settings)
    assert signal.getsignal(signal.SIGINT) == before
    assert embedder.fit(workspace, settings)["resumed_at"] == 1


def test_a_run_of_version_0_1_loads_and_goes_on(
    workspace: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int, note: str = "") -> None:
        raise Stopped

    @contextlib.contextmanager
    def stopping_bar(what: str, unit: str = "") -> Iterator[Advance]:
        yield stop

    expected = embedder.fit(workspace, settings)
    vector = embedder.load(workspace, device="cpu").embed([np.zeros((40, 30, 3), np.uint8)])
    shutil.move(workspace / "models", workspace / "elsewhere")
    with monkeypatch.context() as patch:
        patch.setattr("fullshot.train.embedder.run.bar", stopping_bar)
        with pytest.raises(Stopped):
            embedder.fit(workspace, settings)
    checkpoint = folder(workspace) / "last.ckpt"
    content = torch.load(checkpoint, weights_only=False)
    content["state_dict"] = as_in_0_1(content["state_dict"])
    for state in content["callbacks"].values():
        state["weights"] = as_in_0_1(state["weights"])
    content["callbacks"] = {"Keeper": next(iter(content["callbacks"].values()))}
    torch.save(content, checkpoint)
    stats = embedder.fit(workspace, settings)
    assert stats["resumed_at"] == 1
    assert stats["history"] == expected["history"]

    about, saved = checkpoints.read(folder(workspace) / "weights.safetensors")
    assert (about.backbone, about.image_size) == ("small", 32)
    (folder(workspace) / "weights.safetensors").unlink()
    weights, metrics = folder(workspace) / "weights.pt", folder(workspace) / "metrics.json"
    torch.save({"weights": as_in_0_1(saved), "image_size": 32, "dimension": 16}, weights)
    metrics.write_text(json.dumps({**json.loads(metrics.read_text()), "weights": digest(weights)}))
    again = embedder.load(workspace, device="cpu").embed([np.zeros((40, 30, 3), np.uint8)])
    np.testing.assert_array_equal(again, vector)
    assert not embedder.fit(workspace, settings)["trained"]


def as_in_0_1(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights under the names that they had when there was one backbone."""
    return {name.replace("backbone.", ""): value for name, value in weights.items()}


def test_only_boxes_on_full_shots_are_learnt_from_and_measured_on(workspace: Workspace) -> None:
    every = worn_garments(workspace)
    curated = workspace.read("curated")
    first, second = every["image_id"].unique()[:2]
    assert training_examples(workspace)["image_id"].isin([first, second]).any()
    curated["full_shot"] = curated["full_shot"].mask(curated["image_id"] == first, False)
    curated["full_shot"] = curated["full_shot"].mask(curated["image_id"] == second, pd.NA)
    workspace.write("curated", curated)
    assert set(worn_garments(workspace)["image_id"]) == set(every["image_id"]) - {first, second}
    examples = training_examples(workspace)
    assert not examples[examples["x_min"].notna()]["image_id"].isin([first, second]).any()


def test_a_box_beside_its_picture_is_left_out(workspace: Workspace) -> None:
    boxes = workspace.read("boxes")
    corners = ["x_min", "y_min", "x_max", "y_max"]
    boxes.loc[0, corners] = [500.0, 10.0, 600.0, 20.0]
    boxes.loc[1, corners] = [-30.0, 10.0, -20.0, 20.0]
    boxes.loc[2, corners] = [20.0, 10.0, 9_000.0, 30.0]  # beyond its picture's right edge, but inside as well
    workspace.write("boxes", boxes)
    assert len(worn_garments(workspace)) == len(boxes) - 2


def test_backbones_are_chosen_by_name_and_named_in_the_checkpoint(
    workspace: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"expected the backbone to be one of small, of .* got 'large'"):
        embedder.fit(workspace, load(embedder={"backbone": "large"}))
    trained = embedder.fit(workspace, load(embedder={"epochs": 1, "dimension": 16, "device": "cpu"}))
    assert trained["trained"]
    assert embedder.load(workspace, device="cpu").image_size == 64  # the backbone's own

    class TwiceTheSmall(SmallBackbone):
        input_size = 24

    monkeypatch.setitem(embedder.BACKBONES._house, "twice", f"{__name__}:TwiceTheSmall")
    monkeypatch.setattr(sys.modules[__name__], "TwiceTheSmall", TwiceTheSmall, raising=False)
    other = embedder.fit(workspace, load(embedder={"backbone": "twice", "epochs": 1, "dimension": 16, "device": "cpu"}))
    assert other["trained"]
    assert embedder.load(workspace, device="cpu").image_size == 24
    monkeypatch.undo()
    # What was exported holds the whole network; only torch needs the package that brought its backbone.
    assert embedder.load(workspace, device="cpu").image_size == 24
    (workspace.models("embedder") / str(other["run"]) / "model.onnx").unlink()
    with pytest.raises(UserError, match=r"expected the backbone to be one of small, of a .* got 'twice'"):
        embedder.load(workspace, device="cpu")
