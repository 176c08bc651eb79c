"""What a training of torchvision's families does that a conformance test does not see."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from fullshot.core.boxes import Box
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.train import detector
from fullshot.train.detector import DetectionPicture
from fullshot.train.detector.torchvision import networks, training
from fullshot.train.detector.torchvision.dataset import Batches
from fullshot.train.detector.torchvision.pixels import DecodedPictures

MakeWorkspace = Callable[..., Workspace]


def small(**more: object) -> Settings:
    flags = {"family": "fcos", "epochs": 1, "image_size": 64, "batch": 4, "device": "cpu", "plots": False, **more}
    return load(detector=flags)


def test_a_pretrained_backbone_keeps_its_statistics_and_first_layers() -> None:
    network: Any = networks.build("fcos", "tf_efficientnet_lite0", 4)[0]
    network.backbone.freeze()
    before = {name: value.clone() for name, value in network.backbone.body.state_dict().items()}
    optimizer = torch.optim.SGD([one for one in network.parameters() if one.requires_grad], 0.1)
    target = {"boxes": torch.tensor([[8.0, 8.0, 40.0, 56.0]]), "labels": torch.tensor([1])}
    sum(network([torch.rand(3, 64, 64)], [target]).values()).backward()
    optimizer.step()
    after = network.backbone.body.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert not [
        name for name in changed if "running" in name or name.startswith(("conv_stem", "blocks.0.", "blocks.1."))
    ]


def test_every_picture_is_seen_once_an_epoch_and_an_epoch_is_the_same_in_a_run_that_goes_on() -> None:
    batches = Batches(np.ones(10), 4, 128, 3)
    first, second = list(batches), list(batches)
    assert sorted(sample.row for batch in first for sample in batch) == list(range(10))
    assert len(first) == len(batches) == 3
    assert first != second
    again = Batches(np.ones(10), 4, 128, 3)
    again.epoch = 1
    assert list(again) == second


def test_weights_of_ones_own_are_taken_and_others_are_refused(make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    workspace = make_workspace(train=4, val=2)
    stats = detector.fit(workspace, small())
    file = workspace.models("detector") / str(stats["run"]) / "weights.safetensors"
    more = detector.fit(workspace, small(weights=str(file), learning_rate=1e-9))
    own, theirs = (detector.load(workspace, run, settings=small()) for run in (str(more["run"]), str(stats["run"])))
    picture = np.full((64, 64, 3), 200, np.uint8)
    ours, others = (found.predict([picture])[0] for found in (own, theirs))
    assert [box.label for box in ours] == [box.label for box in others]
    with pytest.raises(UserError, match="another network than the one to be trained"):
        detector.fit(workspace, small(weights=str(file), family="retinanet"))
    (tmp_path / "none.pth").write_bytes(b"nothing")
    with pytest.raises(UserError, match="holds no weights to start from"):
        detector.fit(workspace, small(weights=str(tmp_path / "none.pth")))
    runs = set(workspace.models("detector").iterdir())
    (tmp_path / "none.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="holds no weights to start from"):
        detector.fit(workspace, small(weights=str(tmp_path / "none.safetensors")))
    assert set(workspace.models("detector").iterdir()) == runs
    with pytest.raises(UserError, match=r"setting detector\.weights: expected a file"):
        detector.fit(workspace, small(weights="nowhere.pth"))
    with pytest.raises(UserError, match=r"setting detector\.weights: yolo"):
        detector.fit(workspace, small(weights=str(file), family="yolo"))
    with pytest.raises(UserError, match="expected one that timm knows"):
        detector.fit(workspace, small(model="no_such_net"))


def test_the_starter_weights_are_a_start(make_workspace: MakeWorkspace, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_workspace(train=4, val=2)
    stats = detector.fit(workspace, small(weights="starter"))
    assert "fcos on tf_efficientnet_lite2 starts from the starter weights" in capsys.readouterr().err
    # Whoever gets these weights is to know.
    page = Path(detector.evaluate(workspace, small(), str(stats["run"]), split="val")["page"])
    card = page.with_name("model-card.md").read_text()
    assert "Family fcos, model tf_efficientnet_lite2" in card
    assert "began with the starter weights, which learnt from Clothing Co-Parsing (Apache-2.0)" in card
    assert "the starter weights, which learnt from" in page.read_text()


def test_its_figures_and_pictures_can_be_watched_epoch_by_epoch(make_workspace: MakeWorkspace) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    workspace = make_workspace(train=4, val=2)
    stats = detector.fit(workspace, small(epochs=2))
    told = EventAccumulator(str(workspace.models("detector") / str(stats["run"]) / "tensorboard"))
    told.Reload()
    assert [event.step for event in told.Scalars("map50_95")] == [1, 2]
    assert {"map50", "classification", "bbox_regression"} <= set(told.Tags()["scalars"])
    picture = told.Images("found")[-1]
    assert (picture.step, picture.width, picture.height) == (2, 96, 64)


def test_where_memory_does_not_hold_a_batch_fewer_pictures_go_through_at_once(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[int] = []
    step = training.Detection.training_step

    def too_much(self: Any, batch: Any, batch_idx: int) -> Any:
        if len(batch[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        seen.append(len(batch[0]))
        return step(self, batch, batch_idx)

    monkeypatch.setattr(training.Detection, "training_step", too_much)
    stats = detector.fit(make_workspace(train=5, val=2), small())
    assert stats["epochs"] == 1
    assert sorted(seen) == [1, 2, 2]
    assert "2 a step now" in capsys.readouterr().err


def test_a_picture_that_vanishes_between_two_epochs_is_named_and_the_run_goes_on_when_it_is_back(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace(train=4, val=2)
    monkeypatch.setattr("fullshot.train.detector.torchvision.pixels._MOST_BYTES", 0)  # read again in each epoch
    curated = workspace.read("curated").merge(workspace.read("images"), on="image_id")
    path = workspace / curated.loc[curated["split"] == "train", "path"].iloc[0]
    content = path.read_bytes()
    save = training.CheckpointCallback.on_train_epoch_end

    def vanishes(self: Any, *arguments: Any) -> None:
        save(self, *arguments)
        path.unlink(missing_ok=True)

    with monkeypatch.context() as patched:
        patched.setattr(training.CheckpointCallback, "on_train_epoch_end", vanishes)
        with pytest.raises(StageFailed, match=rf"{path.name} can no longer be read"):
            detector.fit(workspace, small(epochs=3))
    path.write_bytes(content)
    assert detector.fit(workspace, small(epochs=3))["resumed_at"] == 1


def test_a_run_that_was_killed_after_its_early_stop_trains_no_further(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, settings = make_workspace(train=4, val=2), small(epochs=9, patience=1, learning_rate=1e-9)

    class Killed(Exception):
        pass

    def kill(*arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("fullshot.train.detector.torchvision.weights.save", kill)
        with pytest.raises(Killed):
            detector.fit(workspace, settings)
    stats = detector.fit(workspace, settings)
    assert stats["epochs"] == stats["resumed_at"] < 9


def test_worker_processes_share_the_pictures_that_were_decoded_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / f"{number}.png" for number in range(6)]
    for number, file in enumerate(files):
        Image.new("RGB", (20, 10), (number, 0, 0)).save(file)
    given = [DetectionPicture(file.stem, file, 20, 10, (Box("top", 0, 0, 20, 10),)) for file in files]
    whole: Any = DecodedPictures(given, 20)
    part = DecodedPictures(given, 20)
    whole.fill()
    monkeypatch.setattr("fullshot.train.detector.torchvision.pixels._MOST_BYTES", 4 * 600)
    part.fill()
    for file in files:
        file.unlink()
    loader: Any = DataLoader(whole, batch_size=None, num_workers=2, multiprocessing_context="fork")
    assert [int(pixels[0, 0, 0]) for pixels, _ in loader] == list(range(6))
    assert [int(part[row][0][0, 0, 0]) for row in range(4)] == list(range(4))
    with pytest.raises(StageFailed, match=r"4\.png can no longer be read"):
        part[4]
    # A process that is not forked begins anew.
    with pytest.raises(StageFailed, match=r"0\.png can no longer be read"):
        pickle.loads(pickle.dumps(whole))[0]  # noqa: S301  # of our own
