"""The detector from fit to evaluate, through its public functions, with real trainings of a few seconds."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

from fullshot.core import pictures as storage
from fullshot.core import settings as settings_module
from fullshot.core.boxes import Box, Corners, Picture, iou
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.files import digest
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import detector
from fullshot.train.detector import families, fitting
from fullshot.train.detector.data import choose_boxes
from tests.removing import remove_table

MakeWorkspace = Callable[..., Workspace]

# A child that fits, and kills itself with SIGKILL when so many epochs are reported done: no time plays a part.
KILLED = """
import contextlib, os, signal, sys
from fullshot.core import progress, settings
from fullshot.core.workspace import Workspace
from fullshot.train import detector

@contextlib.contextmanager
def bar(what, unit=""):
    yield lambda done, total: done == int(sys.argv[2]) and os.kill(os.getpid(), signal.SIGKILL)

progress.bar = bar
flags = {"family": "yolo", "epochs": 3, "image_size": 64, "batch": 4, "device": "cpu", "plots": False}
detector.fit(Workspace(sys.argv[1]), settings.load(detector=flags))
"""


def small(**more: object) -> Settings:
    flags: dict[str, object] = {
        "family": "yolo",
        "epochs": 3,
        "image_size": 64,
        "batch": 4,
        "device": "cpu",
        "plots": False,
    }
    return settings_module.load(detector=flags | more)


def pictures_of(workspace: Workspace, split: str) -> dict[str, Picture]:
    curated, images = workspace.read("curated"), workspace.read("images").set_index("image_id")
    ids = curated.loc[curated["split"] == split, "image_id"]
    return {name: storage.read_rgb(workspace / str(images.at[name, "path"])) for name in ids}


def decoded(path: Path) -> Picture:
    """A picture as Ultralytics decodes it, in RGB."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture[..., ::-1], np.uint8)


def test_a_fitted_detector_finds_what_was_drawn(trained: tuple[Workspace, Settings, dict[str, Any]]) -> None:
    workspace, _, stats = trained
    assert stats["pictures"] == {"train": 24, "val": 4, "test": 8}
    found = detector.load(workspace)
    assert found.labels == ("top", "bottom", "foot", "long")
    assert re.fullmatch(r"[0-9a-f]{16}", found.digest)
    boxes = workspace.read("boxes")
    seen = pictures_of(workspace, "test")
    for name, answer in zip(seen, found.predict(list(seen.values())), strict=True):
        best = {box.label: box for box in reversed(answer)}
        for row in boxes[boxes["image_id"] == name].itertuples():
            box = best[str(row.label)]
            assert iou([box.corners], [corners_of(row)]).item() > 0.5
            assert box.source == "model"
            assert box.score is not None
            assert 0.25 <= box.score <= 1
        assert [box.score for box in answer] == sorted((box.score or 0 for box in answer), reverse=True)


def test_colours_reach_the_network_in_their_order(trained: tuple[Workspace, Settings, dict[str, Any]]) -> None:
    # Tops are red and bottoms blue: with red and blue exchanged, nothing scores as well.
    workspace, _, _ = trained
    found = detector.load(workspace)
    seen = list(pictures_of(workspace, "test").values())
    right = [box.score or 0 for answer in found.predict(seen) for box in answer]
    wrong = [box.score or 0 for answer in found.predict([picture[..., ::-1] for picture in seen]) for box in answer]
    assert sum(right) > sum(wrong)


def test_nothing_to_look_at_and_pictures_of_any_size(trained: tuple[Workspace, Settings, dict[str, Any]]) -> None:
    found = detector.load(trained[0])
    assert found.predict([]) == []
    sizes = [(300, 40), (33, 500), (1, 1)]
    answers = found.predict([np.full((*size, 3), 200, np.uint8) for size in sizes])
    for (height, width), answer in zip(sizes, answers, strict=True):
        assert all(0 <= b.x_min <= b.x_max <= width and 0 <= b.y_min <= b.y_max <= height for b in answer)


def test_the_measured_precision_is_that_of_the_predictions(
    trained: tuple[Workspace, Settings, dict[str, Any]],
) -> None:
    workspace, settings, _ = trained
    stats = detector.evaluate(workspace, settings)
    assert (stats["pictures"], stats["boxes"]) == (8, 16)
    assert set(stats["classes"]) == {"top", "bottom"}
    assert stats["map50"] == pytest.approx(np.mean([of["map50"] for of in stats["classes"].values()]), abs=1e-3)
    every = detector.load(workspace, settings=small(confidence=0.01))
    seen = pictures_of(workspace, "test")
    answers = dict(zip(seen, every.predict(list(seen.values())), strict=True))
    for label, measured in stats["classes"].items():
        assert measured["map50"] == pytest.approx(average_precision(workspace, answers, label), abs=0.02)
    record = json.loads(Path(sorted((workspace / "runs").glob("evaluate-detector-*.json"))[-1]).read_text())
    assert record["stats"]["map50"] == stats["map50"]


def turn(path: Path, orientation: int) -> Picture:
    """Write a picture so that EXIF turns it; returns its pixels as they stand upright."""
    stored = storage.read_rgb(path)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(stored).save(path, exif=exif)
    return storage.read_rgb(path, upright=True)


def test_a_picture_that_exif_turns_is_learnt_from_upright_and_so_are_its_boxes(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=2)
    images, boxes = workspace.read("images"), workspace.read("boxes")
    straight, turned = (workspace / str(path) for path in images["path"])
    bottom = boxes[(boxes["image_id"] == turned.stem) & (boxes["label"] == "bottom")].iloc[0]
    garment_colour = storage.read_rgb(turned)[int(bottom["y_min"]) + 1, int(bottom["x_min"]) + 1]
    upright = turn(turned, 6)
    assert upright.shape == (96, 128, 3)
    detector.fit(workspace, small(epochs=1))
    (data,) = workspace.models("detector").glob("*/data")
    laid = {path.stem: path for path in (data / "images" / "train").iterdir()}
    assert sorted(laid) == sorted(images["image_id"])
    assert laid[straight.stem].resolve() == straight.resolve()
    np.testing.assert_array_equal(decoded(laid[turned.stem]), upright)
    lines = (data / "labels" / "train" / f"{turned.stem}.txt").read_text().splitlines()
    x, y, width, height = next([float(word) for word in line.split()[1:]] for line in lines if line.startswith("1 "))
    piece = upright[
        round((y - height / 2) * 96) : round((y + height / 2) * 96),
        round((x - width / 2) * 128) : round((x + width / 2) * 128),
    ]
    assert piece.shape == (32, 50, 3)
    assert (piece == garment_colour).all()


def of_version_0_1(workspace: Workspace, settings: Settings) -> None:
    """Let the newest run be known as version 0.1 knew its runs."""
    file = sorted(workspace.models("detector").glob("*/run.json"))[-1]
    record = json.loads(file.read_text())
    del record["inputs"]
    section = families.with_defaults(settings.detector)
    with workspace.open() as data:
        boxes = choose_boxes(data, section.labels.split())
    made_with = families.trainer_for(section).inputs()
    record["digest"] = fitting.digest_of_0_1(workspace, section, made_with, boxes)
    file.write_text(json.dumps(record))


def test_a_run_that_learnt_from_pictures_as_they_are_stored_counts_unless_one_was_turned(
    make_workspace: MakeWorkspace,
) -> None:
    workspace = make_workspace(train=3)
    assert detector.fit(workspace, small(epochs=1))["trained"]
    of_version_0_1(workspace, small(epochs=1))
    assert not detector.fit(workspace, small(epochs=1))["trained"]
    of_version_0_1(workspace, small(epochs=1))
    turn(workspace / str(workspace.read("images")["path"].iloc[0]), 6)
    assert detector.fit(workspace, small(epochs=1))["trained"]


def test_where_nothing_changed_no_row_is_read_and_neither_torch_nor_pandas_is_loaded(
    trained: tuple[Workspace, Settings, dict[str, Any]],
) -> None:
    workspace, settings, stats = trained
    measured = detector.evaluate(workspace, settings)
    code = """
import json, sys
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import detector
workspace, settings = Workspace(sys.argv[1]), load(detector=json.loads(sys.argv[2]))
print(json.dumps([detector.fit(workspace, settings), detector.evaluate(workspace, settings), [*sys.modules]]))
"""
    command = [sys.executable, "-c", code, str(workspace.root), settings.detector.model_dump_json()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    again, measured_again, loaded = json.loads(done.stdout)
    assert again == {**stats, "trained": False}
    assert measured_again == measured
    assert not {"torch", "ultralytics", "pandas", "onnxruntime", "matplotlib"} & set(loaded)


def test_an_evaluation_is_made_again_where_a_box_or_the_model_changed(
    trained: tuple[Workspace, Settings, dict[str, Any]], tmp_path: Path
) -> None:
    shutil.copytree(trained[0].root, tmp_path / "ws", symlinks=True)
    workspace, settings = Workspace(tmp_path / "ws"), trained[1]
    before = detector.evaluate(workspace, settings)
    boxes = workspace.read("boxes")
    held_back = next(iter(pictures_of(workspace, "test")))
    workspace.write("boxes", boxes[boxes["image_id"] != held_back])
    after = detector.evaluate(workspace, settings)
    assert (before["pictures"], after["pictures"]) == (8, 7)
    record = workspace.models("detector") / str(before["run"]) / "evaluation-test.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "map50": 0.123}))
    assert detector.evaluate(workspace, settings)["map50"] == 0.123  # read from there
    weights = record.parent / "weights" / "best.pt"
    weights.write_bytes(weights.read_bytes() + b"\0")
    metrics = record.parent / "metrics.json"
    metrics.write_text(json.dumps({**json.loads(metrics.read_text()), "weights": digest(weights)[:16]}))
    assert detector.evaluate(workspace, settings)["map50"] != 0.123


def test_the_confidence_of_the_settings_holds_wherever_a_detector_is_loaded(
    trained: tuple[Workspace, Settings, dict[str, Any]],
) -> None:
    workspace, _, _ = trained
    seen = list(pictures_of(workspace, "test").values())

    def scores(found: detector.Detector) -> list[float]:
        return [box.score or 0 for answer in found.predict(seen) for box in answer]

    every = scores(detector.load(workspace, settings=small(confidence=0.001)))
    least = sorted(every)[len(every) // 2]
    some = scores(detector.load(workspace, settings=small(confidence=least)))
    assert 0 < len(some) < len(every)
    assert min(some) >= least - 1e-6
    assert scores(detector.load(workspace, settings=small(), confidence=least)) == some
    toml = workspace / "fullshot.toml"
    toml.write_text(f"[detector]\nconfidence = {least}\n")
    assert scores(detector.load(workspace)) == some
    toml.unlink()


def test_damaged_weights_are_named_and_trained_again(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=3)
    first = detector.fit(workspace, small(epochs=1))
    weights = workspace.models("detector") / str(first["run"]) / "weights" / "best.pt"
    weights.write_bytes(weights.read_bytes()[:-500])
    for use in (detector.load, lambda place: detector.evaluate(place, small(), split="train")):
        with pytest.raises(StageFailed, match=r"best\.pt is damaged or replaced: run `fullshot train detector"):
            use(workspace)
    again = detector.fit(workspace, small(epochs=1))
    assert again["trained"]
    assert again["run"] != first["run"]
    detector.load(workspace)


def test_a_run_names_its_family_and_one_of_version_0_1_is_of_the_first(
    make_workspace: MakeWorkspace,
) -> None:
    workspace = make_workspace(train=3)
    with pytest.raises(UserError, match=r"expected the detector family to be one of yolo.*, got 'teapot'"):
        detector.fit(workspace, small(family="teapot"))
    stats = detector.fit(workspace, small(epochs=1))
    file = workspace.models("detector") / str(stats["run"]) / "run.json"
    record = json.loads(file.read_text())
    assert record.pop("family") == "yolo"
    del record["settings"]["detector"]["family"]
    file.write_text(json.dumps(record))
    digest = detector.load(workspace).digest
    assert not detector.fit(workspace, small(epochs=1))["trained"]
    # Another family in the settings trains another detector, and opens this one all the same.
    assert detector.load(workspace, settings=small(family="teapot")).digest == digest
    file.write_text(json.dumps({**record, "family": "teapot"}))
    with pytest.raises(UserError, match="got 'teapot'"):
        detector.load(workspace)


def test_pictures_that_cannot_be_read_are_left_out_counted_and_named(
    make_workspace: MakeWorkspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = make_workspace(train=5, val=1, test=2)
    images, curated = workspace.read("images"), workspace.read("curated")
    paths = {
        split: list(images.loc[images["image_id"].isin(curated.loc[curated["split"] == split, "image_id"]), "path"])
        for split in ("train", "val", "test")
    }
    cut_off, missing, validated = paths["train"][0], paths["train"][1], paths["val"][0]
    whole = (workspace / cut_off).read_bytes()
    (workspace / cut_off).write_bytes(whole[:150])
    (workspace / missing).unlink()
    (workspace / validated).write_bytes(b"no picture")
    (workspace / paths["test"][0]).write_bytes(b"")
    stats = detector.fit(workspace, small(epochs=1))
    assert stats["unreadable"] == 3
    assert stats["pictures"] == {"train": 3, "val": 0, "test": 2}
    assert stats["val"]["measured_on"] == "train"
    message = capsys.readouterr().err
    assert "train detector: 3 pictures that cannot be read are left out: " in message
    assert all(path in message for path in (cut_off, missing, validated))
    scores = detector.evaluate(workspace, small())
    assert (scores["pictures"], scores["boxes"], scores["unreadable"]) == (1, 2, 1)
    assert (
        f"evaluate detector: 1 picture that cannot be read is left out: {paths['test'][0]}" in capsys.readouterr().err
    )
    assert not detector.fit(workspace, small(epochs=1))["trained"]
    (workspace / cut_off).write_bytes(whole)  # brought back: there is more to learn from
    again = detector.fit(workspace, small(epochs=1))
    assert (again["trained"], again["unreadable"], again["pictures"]["train"]) == (True, 2, 4)
    assert detector.fit(workspace, small(epochs=1)) == {**again, "trained": False}
    for path in images["path"]:
        (workspace / str(path)).unlink(missing_ok=True)
    with pytest.raises(StageFailed, match=r"no picture of the split test in .* can be read"):
        detector.evaluate(workspace, small())
    with pytest.raises(StageFailed, match="no picture of the split train"):
        detector.fit(workspace, small(epochs=2))
    assert len(list(workspace.models("detector").glob("*/run.json"))) == 2


def test_a_finished_run_is_not_trained_again(trained: tuple[Workspace, Settings, dict[str, Any]]) -> None:
    workspace, settings, stats = trained
    runs = sorted(path.name for path in workspace.models("detector").iterdir())
    weights = workspace.models("detector") / str(stats["run"]) / "weights" / "best.pt"
    before = weights.stat().st_mtime_ns
    boxes = workspace.read("boxes")
    workspace.write("boxes", boxes.iloc[::-1].assign(updated_at="2031-01-01T00:00:00Z"))
    again = detector.fit(workspace, settings)
    assert again == {**stats, "trained": False}
    assert weights.stat().st_mtime_ns == before
    assert sorted(path.name for path in workspace.models("detector").iterdir()) == runs


def test_the_run_folder_says_what_it_was_made_of(trained: tuple[Workspace, Settings, dict[str, Any]]) -> None:
    workspace, settings, stats = trained
    folder = workspace.models("detector") / str(stats["run"])
    record = json.loads((folder / "run.json").read_text())
    assert record["settings"] == settings.model_dump(mode="json")
    assert record["counts"]["train"] == {"pictures": 24, "boxes": 48, "top": 24, "bottom": 24, "foot": 0, "long": 0}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["val"] == stats["val"]
    assert (metrics["validation"]["figure"], metrics["validation"]["value"]) == ("mAP@0.5", stats["val"]["map50"])
    assert json.loads((folder.parent / "latest.json").read_text()) == {"run": stats["run"]}
    assert (folder / "results.png").is_file()
    assert (folder / "checkpoint" / "last.pt").is_file()  # to go on to more epochs


def test_ultralytics_says_nothing_and_asks_nothing_of_the_network(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    # Every attempt to reach a host goes through one of these two audited calls.
    spy = """
import sys
def hook(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect") and not isinstance(arguments[-1], str):
        print("NETWORK", event, arguments, file=sys.stderr)
sys.addaudithook(hook)
from fullshot.core import settings
from fullshot.core.workspace import Workspace
from fullshot.train import detector
short = {"family": "yolo", "epochs": 1, "image_size": 64, "batch": 4, "device": "cpu", "plots": False}
chosen = settings.load(detector=short)
workspace = Workspace(sys.argv[1])
detector.fit(workspace, chosen)
detector.evaluate(workspace, chosen)
"""
    workspace = make_workspace(train=6, val=2, test=2)
    # An empty cache: the first run on a machine.
    fresh = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-c", spy, str(workspace.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=fresh)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    ours = ("train detector:", "fullshot: yolo (garment-nano) starts from scratch")
    assert all(line.startswith(ours) for line in done.stderr.splitlines()), done.stderr


def test_a_killed_training_goes_on_where_it_stopped(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace(train=10, val=2)
    killed_after(workspace, epochs=1)
    runs = workspace.models("detector")
    assert not (runs / "latest.json").exists()
    with pytest.raises(MissingInput, match=r"no detector in .*: run `fullshot train detector "):
        detector.load(workspace, settings=small(starter=False))
    (first,) = (path.parent for path in runs.glob("*/run.json"))
    # The kill came while Ultralytics was writing, as far as the next start can tell.
    (first / "weights" / "last.pt").write_bytes(b"half a file")
    copies = {name: runs / f"{first.name}-{name}" for name in ("asked", "young")}
    for copy in copies.values():
        shutil.copytree(first, copy, symlinks=True)
    # One was killed before its first checkpoint was whole.
    (copies["young"] / "checkpoint" / "state.json").unlink()

    boxes = workspace.read("boxes")
    workspace.write("boxes", boxes.iloc[1:])
    with pytest.raises(UserError, match="have changed since run"):
        detector.fit(workspace, small(), resume=copies["asked"].name)
    workspace.write("boxes", boxes)
    # So has the way of training, where the recipe is another, or Ultralytics of another minor version.
    for target, value in (
        ("fullshot.train.detector.yolo.trainer.RECIPE", {}),
        ("fullshot.train.detector.yolo.library.version", lambda: "8.999.0"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(target, value)
            with pytest.raises(UserError, match="have changed since run"):
                detector.fit(workspace, small(), resume=copies["asked"].name)
    with pytest.raises(UserError, match=rf"no run 'nine' of the detector in .*: there are .*{first.name}"):
        detector.fit(workspace, small(), resume="nine")

    # A run that is named keeps the settings that it was started with.
    asked = detector.fit(workspace, small(epochs=9), resume=copies["asked"].name)
    assert (asked["run"], asked["resumed_at"], asked["epochs"]) == (copies["asked"].name, 1, 3)
    with pytest.raises(UserError, match="is finished"):
        detector.fit(workspace, small(), resume=copies["asked"].name)
    shutil.rmtree(copies["asked"])
    young = detector.fit(workspace, small())
    assert (young["run"], young["resumed_at"], young["epochs"]) == (copies["young"].name, 0, 3)
    shutil.rmtree(copies["young"])
    stats = detector.fit(workspace, small())
    assert (stats["run"], stats["resumed_at"], stats["epochs"]) == (first.name, 1, 3)
    assert list(pd.read_csv(first / "results.csv").iloc[:, 0]) == [1, 2, 3]
    assert [path.name for path in runs.glob("*/run.json")] == ["run.json"]
    assert detector.load(workspace).labels


def test_a_training_killed_at_its_very_end_is_only_finished(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=4, val=1)
    killed_after(workspace, epochs=3)
    (laid,) = workspace.models("detector").glob("*/data")
    before = {path: path.lstat().st_mtime_ns for path in sorted(laid.rglob("*"))}
    stats = detector.fit(workspace, small())
    # What Ultralytics reads was there already, and was not laid out anew, nor for the measuring at the end.
    assert {path: path.lstat().st_mtime_ns for path in sorted(laid.rglob("*"))} == before
    assert (stats["resumed_at"], stats["epochs"], stats["trained"]) == (3, 3, True)
    assert detector.load(workspace).labels


def test_weights_of_ones_own_and_architectures_that_ultralytics_ships(
    trained: tuple[Workspace, Settings, dict[str, Any]], make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    weights = tmp_path / "mine.pt"
    shutil.copy(trained[0].models("detector") / str(trained[2]["run"]) / "weights" / "best.pt", weights)
    workspace = make_workspace(train=8)
    stats = detector.fit(workspace, small(model=str(weights), epochs=1, learning_rate=1e-5))
    assert (stats["val"]["measured_on"], trained[2]["val"]["measured_on"]) == ("train", "val")
    # It starts from what the weights know, and is measured on the pictures to train on, for want of others.
    assert stats["val"]["map50"] > 0.5
    stats = detector.fit(workspace, small(model="yolo11n.yaml", epochs=1))
    assert stats["trained"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"model": "yolo11n-seg.pt"}, r"setting detector\.model: expected .* got 'yolo11n-seg\.pt'"),
        ({"model": "mine.pt"}, r"setting detector\.model: expected .* got 'mine\.pt'"),
        ({"model": "yolo77n.yaml"}, r"setting detector\.model: expected"),
        ({"device": "cuda:7"}, r"setting detector\.device: this machine has no 'cuda:7'"),
    ],
)
def test_a_wrong_setting_is_said_in_one_line(make_workspace: MakeWorkspace, flags: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        detector.fit(make_workspace(train=2, val=1), small(**flags))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_model_is_said_in_one_line(make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    for name, content in (("broken.pt", b"not weights"), ("broken.yaml", b"backbone: [[")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match="not a model that Ultralytics reads") as caught:
            detector.fit(make_workspace(train=2, val=1), small(model=str(tmp_path / name)))
        assert "\n" not in str(caught.value)


def test_what_is_missing_is_said_in_one_line(make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="no workspace at"):
        detector.fit(Workspace(tmp_path / "nowhere"), small())
    with pytest.raises(UserError, match="no box to train on in"):
        detector.fit(make_workspace(train=2, boxes=False), small())
    with pytest.raises(UserError, match="no box to train on in"):
        detector.fit(make_workspace(test=2), small())
    workspace = make_workspace(train=2)
    remove_table(workspace, "curated")
    with pytest.raises(MissingInput, match=r"no curated\.csv in .*: run `fullshot curate "):
        detector.fit(workspace, small())
    with pytest.raises(MissingInput, match="no detector in"):
        detector.evaluate(workspace, small())


def test_the_best_source_of_a_picture_counts_alone(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=4, val=1)
    boxes = workspace.read("boxes")
    first, second = boxes["image_id"].unique()[:2]
    # A person redrew the first picture's top twice; a model guessed on the second.
    drawn = boxes[boxes["image_id"] == first].iloc[:1]
    human = [drawn.assign(source="human", revision=1), drawn.assign(source="human", revision=2, x_max=500.0)]
    guess = boxes[boxes["image_id"] == second].assign(source="model", label="long")
    workspace.write("boxes", pd.concat([boxes, *human, guess]))
    stats = detector.fit(workspace, small(epochs=1))
    assert stats["boxes"]["train"] == 7
    label = next((workspace.models("detector")).glob(f"*/data/labels/train/{first}.txt")).read_text()
    number, x, _, width, _ = (float(cell) for cell in label.split())
    assert number == 0
    # The box is cut at the picture's right edge.
    assert x + width / 2 == pytest.approx(1.0, abs=1e-5)


def killed_after(workspace: Workspace, epochs: int) -> None:
    command = [sys.executable, "-c", KILLED, str(workspace.root), str(epochs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def corners_of(row: Any) -> Corners:
    return float(row.x_min), float(row.y_min), float(row.x_max), float(row.y_max)


def average_precision(workspace: Workspace, answers: dict[str, list[Box]], label: str) -> float:
    """AP@0.5 by its definition: precision, made monotone, averaged over 101 recalls."""
    boxes = workspace.read("boxes")
    boxes = boxes[(boxes["label"] == label) & boxes["image_id"].isin(answers)]
    open_truths = {str(name): [corners_of(r) for r in rows.itertuples()] for name, rows in boxes.groupby("image_id")}
    ranked = sorted(
        ((box.score or 0.0, name, box) for name, answer in answers.items() for box in answer if box.label == label),
        key=lambda row: -row[0],
    )
    hits = []
    for _, name, box in ranked:
        truths = open_truths.get(name, [])
        overlaps = iou([box.corners], truths)[0]
        hits.append(overlaps.max(initial=0.0) > 0.5)
        if hits[-1]:
            truths.pop(int(np.argmax(overlaps)))
    right = np.cumsum(hits)
    precision, recall = right / np.arange(1, len(hits) + 1), right / len(boxes)
    return float(np.mean([precision[recall >= level].max(initial=0.0) for level in np.linspace(0, 1, 101)]))
