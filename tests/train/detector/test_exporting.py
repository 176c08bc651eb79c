"""A detector as files for other runtimes, by its verb: each finds what the network finds, and a card says how well."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from fullshot.cli import app
from fullshot.core.settings import DetectorSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import detector
from fullshot.train.detector.exporting import making
from fullshot.train.detector.torchvision.networks import build
from fullshot.train.detector.torchvision.weights import Saved, save
from tests.train.detector.test_export import is_same, photos

Trained = tuple[Workspace, Settings, dict[str, Any]]

FORMATS = ["onnx", "openvino"]
LABELS = ("top", "bottom", "foot", "long")


def called(*words: str) -> Result:
    return CliRunner().invoke(app, ["export", "detector", *words], env={"FULLSHOT_DETECTOR_CONFIDENCE": "0.05"})


def exported(*words: str) -> dict[str, Any]:
    done = called(*words, "--json")
    assert done.exit_code == 0, done.output
    stats: dict[str, Any] = json.loads(done.stdout)
    return stats


def test_a_detector_is_exported_and_each_file_is_measured(trained: Trained) -> None:
    workspace, _, run = trained
    stats = exported(str(workspace.root), "--int8")
    folder = workspace.models("detector") / str(run["run"]) / "export"
    assert Path(stats["folder"]) == folder
    assert (stats["measured_on"], stats["pictures"], stats["pictures_left_out"]) == ("val", 4, 0)
    floats = [row for row in stats["files"] if row["numbers"] == "float32"]
    assert [row["file"] for row in floats] == [f"detector.{'xml' if one == 'openvino' else one}" for one in FORMATS]
    pictures = photos(workspace)
    section = DetectorSettings(device="cpu", confidence=0.05)
    expected = detector.load(workspace, settings=Settings(detector=section)).predict(pictures)
    assert any(expected)
    for row in floats:
        assert row["boxes"] == row["same"] > 0
        assert {name: row[name] for name in ("map50", "map50_95")} == pytest.approx(
            {name: stats["before"][name] for name in ("map50", "map50_95")}, abs=1e-3
        )
        answers = detector.open_detector(str(folder / row["file"]), section).predict(pictures)
        assert all(is_same(*pair) for pair in zip(answers, expected, strict=True))
        # Under its licence it stays.
        assert detector.find_source(str(folder / row["file"])).family == "yolo"
    # Eight bits hold, or it is said that they do not.
    eights = [row for row in stats["files"] if row["numbers"] == "int8"]
    assert len(eights) + len(stats["left_out"]) == len(FORMATS)
    for row in eights:
        assert row["map50"] > stats["before"]["map50"] - 0.01
        assert row["megabytes"] < floats[0]["megabytes"]
    there = {row["file"] for row in stats["files"]} | {"export-card.md", "export-card.json"}
    assert {path.name for path in folder.iterdir() if path.suffix != ".bin"} == there
    card = (folder / "export-card.md").read_text()
    assert all(f"| `{row['file']}` |" in card for row in stats["files"])


def test_what_was_exported_is_exported_again_only_where_something_has_changed(trained: Trained) -> None:
    workspace, _, run = trained
    first = exported(str(workspace.root), "--format", "onnx")
    file = workspace.models("detector") / str(run["run"]) / "export" / "detector.onnx"
    done = called(str(workspace.root), "--format", "onnx", "--json")
    assert json.loads(done.stdout) == first
    assert "export detector: nothing has changed since this was exported" in done.stderr
    # Half a file, as a full disk leaves it, and what a kill left beside the folder.
    content = file.read_bytes()
    file.write_bytes(content[:1000])
    part = file.parents[1] / ".export.part"
    part.mkdir()
    (part / "detector.onnx").write_bytes(b"half")
    again = exported(str(workspace.root), "--format", "onnx")
    assert again["files"][0]["share"] == 1.0
    assert file.stat().st_size == len(content)
    assert not part.exists()


def test_where_it_fails_what_was_exported_before_stays(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, _, run = trained
    exported(str(workspace.root), "--format", "onnx")
    folder = workspace.models("detector") / str(run["run"]) / "export"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(making, "LEAST_SAME", 1.1)
    done = called(str(workspace.root), "--format", "onnx", "--photos", str(workspace / "images"))
    assert done.exit_code == 1
    assert "100.0% of its boxes are the network's, not 110%; it is not kept" in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".export")] == []


def test_eight_bits_that_lose_too_much_are_not_kept(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MOST_LOST", {"map50": -1.0, "map50_95": -1.0})
    output = tmp_path / "out"
    done = called(str(trained[0].root), "--format", "onnx", "--int8", "--output", str(output), "--json")
    stats = json.loads(done.stdout)
    assert [row["file"] for row in stats["files"]] == ["detector.onnx"]
    assert "detector-int8.onnx: with delicate layers and the head in float, map50 fell from" in stats["left_out"][0]
    assert "it is not kept" in done.stderr
    assert "detector-int8.onnx: with delicate layers and the head in float" in (output / "export-card.md").read_text()
    assert not (output / "detector-int8.onnx").exists()


def written(path: Path, architecture: str) -> Path:
    """Weights of torchvision's, as they are before any training, but sure of all that they see."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network, _ = build(architecture, "resnet10t", len(LABELS))
    weights = network.state_dict()
    for name in weights:
        if name.endswith("cls_logits.bias"):
            weights[name] = weights[name] + 5
    save(path, Saved(architecture, "resnet10t", LABELS, 64, weights))
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(4):
        pixels = np.random.default_rng(seed).integers(0, 256, (96, 72, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    return folder


@pytest.mark.parametrize("architecture", ["fcos", "retinanet", "ssdlite"])
def test_a_file_of_weights_is_exported_without_a_workspace(
    architecture: str, tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who has learnt nothing is as sure of one place as of the next: the last digit says which of two boxes is kept.
    monkeypatch.setattr(making, "LEAST_SAME", 0.5)
    weights = written(tmp_path / "mine.safetensors", architecture)
    stats = exported("--weights", str(weights), "--photos", str(pictures), "--output", str(tmp_path / "out"))
    assert (stats["weights"], stats["family"], stats["measured_on"]) == (str(weights), architecture, "photos")
    assert len(stats["files"]) == len(FORMATS)
    assert all(row["boxes"] for row in stats["files"])
    assert stats["pictures"] == 2


def test_nothing_is_measured_by_pictures_without_a_garment(tmp_path: Path, pictures: Path) -> None:
    network, _ = build("fcos", "resnet10t", len(LABELS))  # which begins by being sure of nothing
    weights, output = tmp_path / "mine.safetensors", tmp_path / "out"
    save(weights, Saved("fcos", "resnet10t", LABELS, 64, network.state_dict()))
    done = called("--weights", str(weights), "--photos", str(pictures), "--output", str(output))
    assert done.exit_code == 1
    assert "finds no garment in 2 pictures: there is nothing to measure its export by" in done.stderr
    assert not output.exists()


def test_what_else_lies_beside_an_export_is_not_touched(tmp_path: Path, pictures: Path) -> None:
    weights, output = written(tmp_path / "mine.safetensors", "ssdlite"), tmp_path / "out"
    words = ["--weights", str(weights), "--photos", str(pictures), "--format", "onnx", "--output", str(output)]
    exported(*words)
    (output / "notes.txt").write_text("mine")
    network, _ = build("ssdlite", "resnet10t", len(LABELS))
    save(weights, Saved("ssdlite", "resnet10t", LABELS, 96, network.state_dict()))
    done = called(*words)
    assert (done.exit_code, (output / "notes.txt").read_text()) == (2, "mine")
    assert "holds something else (notes.txt): export into a new folder" in done.stderr


def test_an_export_that_a_killed_one_set_aside_is_brought_back(tmp_path: Path, pictures: Path) -> None:
    weights, output = written(tmp_path / "mine.safetensors", "ssdlite"), tmp_path / "out"
    words = ["--weights", str(weights), "--photos", str(pictures), "--format", "onnx", "--output", str(output)]
    first = exported(*words)
    output.rename(tmp_path / ".out.before")
    done = called(*words, "--json")
    assert json.loads(done.stdout) == first
    assert "nothing has changed" in done.stderr


def test_a_network_that_cannot_be_exported_says_so_in_a_line(tmp_path: Path, pictures: Path) -> None:
    weights, output = written(tmp_path / "mine.safetensors", "faster-rcnn"), tmp_path / "out"
    done = called("--weights", str(weights), "--photos", str(pictures), "--output", str(output))
    assert done.exit_code == 1
    assert "cannot be exported: a network that looks in two stages" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not output.exists()


def test_what_is_not_understood_is_said_in_a_line(trained: Trained, tmp_path: Path, pictures: Path) -> None:
    for words, expected in (
        (["--weights", "starter"], "expected a workspace, or --weights, --photos"),
        ([str(trained[0].root), "--weights", "none"], "no run 'none' of the detector"),
        ([str(trained[0].root), "--output", str(pictures)], "holds something else"),
    ):
        done = called(*words)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
        assert expected in done.stderr
