"""The exported detector finds what Ultralytics finds, and is never that of other weights."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fullshot.core.boxes import Box, Picture, iou, matched
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import digest
from fullshot.core.settings import DetectorSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import detector
from fullshot.train.detector import DETECTORS, DetectorWithFeatures
from fullshot.train.detector.network_detector import NetworkDetector
from fullshot.train.detector.yolo import library
from fullshot.train.detector.yolo.weights import TorchNetwork

Trained = tuple[Workspace, Settings, dict[str, Any]]

CONFIDENCE = 0.01


def photos(workspace: Workspace) -> list[Picture]:
    """Photos of the workspace, in sizes that are letterboxed beside, above, or not at all."""
    paths = sorted((workspace / "images").rglob("*.png"))
    sizes = [(96, 128), (128, 96), (64, 64), (50, 171), (300, 41), (333, 200)]
    return [
        np.asarray(Image.open(path).resize(size, Image.Resampling.BILINEAR))
        for path, size in zip(paths, sizes, strict=False)
    ]


def run_folder(trained: Trained) -> Path:
    return trained[0].models("detector") / str(trained[2]["run"])


def opened(folder: Path, **more: Any) -> NetworkDetector:
    section = DetectorSettings(image_size=64, device="cpu", confidence=CONFIDENCE, **more)
    loaded = DETECTORS.get("yolo").from_settings(section).load(folder)
    assert isinstance(loaded, NetworkDetector)
    return loaded


def is_same(ours: list[Box], theirs: list[Box]) -> bool:
    """Whether each box has its counterpart: of the same label, IoU at least 0.99, the score within 0.001."""
    pairs = matched(iou([box.corners for box in ours], [box.corners for box in theirs]), 0.99)
    return len(ours) == len(theirs) == len(pairs) and all(
        ours[row].label == theirs[column].label and abs((ours[row].score or 0) - (theirs[column].score or 0)) < 1e-3
        for row, column in pairs
    )


def test_a_training_leaves_an_export_that_finds_what_ultralytics_finds(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_folder(trained)
    exported = opened(folder)
    assert capsys.readouterr().err == ""  # it was there
    weights = folder / "weights" / "best.pt"
    assert exported.digest == digest(weights)[:16]
    reference = library.open_model(str(weights))
    pictures = photos(trained[0])
    answers = exported.predict(pictures)
    found = 0
    for picture, boxes in zip(pictures, answers, strict=True):
        (result,) = reference.predict(
            np.ascontiguousarray(picture[..., ::-1]), imgsz=64, conf=CONFIDENCE, device="cpu", verbose=False
        )
        theirs = [
            Box(exported.labels[int(number)], x_min, y_min, x_max, y_max, score)
            for x_min, y_min, x_max, y_max, score, number in result.boxes.data.cpu().numpy().tolist()
        ]
        assert is_same(boxes, theirs)
        found += len(theirs)
    assert found > 2 * len(pictures)  # also such as are no garments


def test_features_of_the_export_are_those_of_torch(trained: Trained) -> None:
    folder = run_folder(trained)
    by_torch = NetworkDetector(
        TorchNetwork(folder / "weights" / "best.pt", image_size=64, confidence=CONFIDENCE, device="cpu"),
        digest="",
        image_size=64,
    )
    exported = opened(folder)
    assert isinstance(exported, DetectorWithFeatures)
    pictures = photos(trained[0])
    boxes, features = exported.predict_with_features(pictures)
    their_boxes, their_features = by_torch.predict_with_features(pictures)
    np.testing.assert_allclose(features, their_features, rtol=1e-3, atol=1e-4)
    assert all(is_same(*pair) for pair in zip(boxes, their_boxes, strict=True))


@pytest.mark.parametrize("model", ["yolo26n.yaml"])
def test_a_network_that_reports_each_garment_once_needs_no_suppression(tmp_path: Path, model: str) -> None:
    weights = tmp_path / "weights" / "best.pt"
    weights.parent.mkdir()
    library.open_model(library.model_file(model)).save(weights)
    section = DetectorSettings(image_size=64, device="cpu", confidence=0)
    exported = DETECTORS.get("yolo").from_settings(section).load(tmp_path)
    assert isinstance(exported, NetworkDetector)
    by_torch = NetworkDetector(
        TorchNetwork(weights, image_size=64, confidence=0, device="cpu"), digest="", image_size=64
    )
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    ours, theirs = (found.predict([picture])[0] for found in (exported, by_torch))
    assert len(ours) == len(theirs) > 50
    np.testing.assert_allclose([box.score or 0 for box in ours], [box.score or 0 for box in theirs], atol=1e-4)


def test_an_export_that_is_missing_stale_or_damaged_is_made_again_and_that_is_said(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder(trained), folder)
    export, weights = folder / "model.onnx", folder / "weights" / "best.pt"
    pictures = photos(trained[0])
    expected = opened(folder).predict(pictures)
    content = export.read_bytes()
    for damage in (b"", b"no model", content[: len(content) // 2]):
        export.write_bytes(damage)
        assert opened(folder).predict(pictures) == expected
        assert f"the detector is exported to {export}, once" in capsys.readouterr().err
    # The weights are others now: what was exported before counts for nothing.
    model = library.open_model(str(weights))
    for parameter in model.model.parameters():
        parameter.data *= 0.5
    model.save(weights)
    assert opened(folder).predict(pictures) != expected
    assert "exported" in capsys.readouterr().err
    opened(folder)
    assert capsys.readouterr().err == ""


def test_without_the_runtime_torch_finds_the_same_and_that_is_said_in_a_line(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = photos(trained[0])
    expected = opened(run_folder(trained)).predict(pictures)
    for runtime in ("onnxruntime", "openvino"):
        monkeypatch.setitem(sys.modules, runtime, None)
    answers = opened(run_folder(trained)).predict(pictures)
    assert all(is_same(*pair) for pair in zip(answers, expected, strict=True))
    assert capsys.readouterr().err.splitlines() == [
        "fullshot: the detector runs on torch, which starts slowly (onnxruntime not installed)"
    ]


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
def test_whatever_runs_it_a_detector_finds_the_same(trained: Trained, runtime: str) -> None:
    pictures = photos(trained[0])
    expected = opened(run_folder(trained), runtime="onnxruntime").predict(pictures)
    answers = opened(run_folder(trained), runtime=runtime).predict(pictures)
    assert all(is_same(*pair) for pair in zip(answers, expected, strict=True))


def test_bfloat16_is_openvinos_or_said_to_be_none_of_this_processors(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    from fullshot.train.runtimes import openvino

    opened(run_folder(trained), precision="bfloat16")
    words = "" if openvino.has_bfloat16() else "fullshot: this processor does not compute in bfloat16: float32 it is\n"
    assert capsys.readouterr().err == words
    with pytest.raises(UserError, match=r"detector\.precision: ONNX Runtime does not compute in bfloat16"):
        opened(run_folder(trained), precision="bfloat16", runtime="onnxruntime")


def test_openvino_takes_the_place_of_onnx_runtime_and_tells_nobody(trained: Trained) -> None:
    code = """
import sys
sys.modules["onnxruntime"] = None
import numpy as np
from fullshot.core.settings import DetectorSettings
from fullshot.train.detector import open_detector
open_detector(sys.argv[1], DetectorSettings(device="cpu")).predict([np.zeros((96, 72, 3), np.uint8)])
print(*sys.modules)
"""
    command = [sys.executable, "-c", code, str(run_folder(trained))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "openvino" in loaded
    assert not {"torch", "openvino_telemetry", "openvino.tools.ovc"} & loaded
    assert done.stderr == ""


def test_a_runtime_that_is_not_there_is_said_in_a_line(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(UserError, match=r"detector\.runtime: openvino is not installed: pip install"):
        opened(run_folder(trained), runtime="openvino")


def test_a_runs_weights_that_are_others_now_are_refused_by_its_folder(trained: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder(trained), folder)
    detector.open_detector(str(folder))
    with (folder / "weights" / "best.pt").open("ab") as file:
        file.write(b"more")
    with pytest.raises(StageFailed, match=r"best\.pt are not those that the run was finished with"):
        detector.open_detector(str(folder))


def test_a_trained_detector_is_opened_and_used_without_torch(trained: Trained) -> None:
    code = """
import sys
import numpy as np
from fullshot.core.workspace import Workspace
from fullshot.train import detector
found = detector.load(Workspace(sys.argv[1]))
found.predict([np.zeros((96, 72, 3), np.uint8)])
print(*sys.modules)
"""
    command = [sys.executable, "-c", code, str(trained[0].root)]
    trained[0].root.joinpath("fullshot.toml").write_text('[detector]\ndevice = "cpu"\n')
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    trained[0].root.joinpath("fullshot.toml").unlink()
    loaded = set(done.stdout.split())
    assert "onnxruntime" in loaded
    assert not {"torch", "torchvision", "ultralytics", "pandas", "matplotlib"} & loaded


def test_the_detector_in_use_is_the_exported_one_where_the_device_is_the_cpu(trained: Trained) -> None:
    workspace, settings, _ = trained
    pictures = photos(workspace)
    assert detector.load(workspace, settings=settings, confidence=CONFIDENCE).predict(pictures) == opened(
        run_folder(trained)
    ).predict(pictures)
