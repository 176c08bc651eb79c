"""What a network computes in: asked for, given or not, and never mixed up with what was computed in another."""

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError

import pyarrow
import pytest

from fullshot.core.settings import DetectorSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import doctor
from fullshot.train.detector import Detector, detection_store, detector_version, kept_detections, open_detector
from fullshot.train.runtimes import openvino

LEAST = 0.25


@pytest.fixture
def has_bfloat16(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Let OpenVINO say that this processor computes in bfloat16, or that it does not."""
    return lambda has: monkeypatch.setattr(openvino, "has_bfloat16", lambda: has)


def starter(**more: str) -> Detector:
    return open_detector("starter", DetectorSettings.model_validate({"device": "cpu", **more}))


def missing(workspace: Workspace, detector: Detector) -> int:
    """Of how many pictures no box is kept that this detector found."""
    images = workspace.read("images")
    keys = pyarrow.table({name: list(images[name]) for name in ("image_id", "path")})
    return len(detection_store(workspace.root, detector, LEAST).missing(keys))


def test_boxes_that_were_found_in_one_precision_are_not_taken_for_those_of_another(
    make_workspace: Callable[..., Workspace],
) -> None:
    if not openvino.has_bfloat16():
        pytest.skip("this processor does not compute in bfloat16")
    workspace = make_workspace(test=2)
    exact, rough = starter(), starter(precision="bfloat16")
    assert list(kept_detections(workspace.root, list(workspace.read("images")["path"]), rough, LEAST))
    assert (missing(workspace, rough), missing(workspace, exact)) == (0, 2)
    # Whatever runs it in float32 finds the same.
    assert detector_version(exact) == detector_version(starter(runtime="openvino"))


@pytest.mark.parametrize("runtime", ["auto", "openvino"])
def test_where_the_processor_does_not_know_bfloat16_it_is_float32_and_that_is_said(
    runtime: str, has_bfloat16: Callable[[bool], None], capsys: pytest.CaptureFixture[str]
) -> None:
    has_bfloat16(False)
    asked = starter(runtime=runtime, precision="bfloat16")
    words = "fullshot: this processor does not compute in bfloat16: float32 it is\n"
    assert capsys.readouterr().err == words
    assert detector_version(asked) == detector_version(starter())


def told(section: dict[str, str]) -> tuple[bool, str]:
    """What doctor says of the runtime."""
    settings = Settings(detector=DetectorSettings.model_validate({"device": "cpu", **section}))
    [check] = [check for check in doctor.checks(settings) if check.name == "detector's runtime"]
    return check.ok, check.found


def test_doctor_says_what_is_given_not_what_is_asked_for(has_bfloat16: Callable[[bool], None]) -> None:
    asked = {"runtime": "openvino", "precision": "bfloat16"}
    has_bfloat16(True)
    assert told(asked)[1].endswith(", on the CPU, in bfloat16")
    has_bfloat16(False)
    assert told(asked)[1].endswith(", on the CPU, in float32, not bfloat16 as asked for")


def test_doctor_knows_a_runtime_that_another_distribution_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    """As onnxruntime-gpu does: the module is there, and no distribution has its name."""

    def version(name: str) -> str:
        if name == "onnxruntime":
            raise PackageNotFoundError(name)
        return "1.99"

    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setattr(doctor, "packages_distributions", lambda: {"onnxruntime": ["onnxruntime-gpu"]})
    assert "ONNX Runtime (onnxruntime-gpu 1.99), on the CPU" in told({"runtime": "onnxruntime"})[1]


def test_without_any_runtime_doctor_says_so_and_still_names_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("onnxruntime", "openvino", "torch"):
        monkeypatch.setitem(sys.modules, name, None)
    weights, runtime = doctor.checks(Settings(detector=DetectorSettings(device="cpu")))
    assert weights.ok
    assert (runtime.ok, runtime.found) == (False, "none is installed")
