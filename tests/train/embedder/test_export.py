"""The exported embedder gives torch's vectors, and a network that cannot be exported falls back to torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fullshot.core.boxes import Picture
from fullshot.core.files import digest
from fullshot.core.interfaces import Embedder
from fullshot.core.workspace import Workspace
from fullshot.train import embedder, exported, runtimes
from fullshot.train.embedder import checkpoints
from fullshot.train.embedder.model import export_of, open_weights

CROPS: list[Picture] = [
    np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    for height, width in ((32, 32), (100, 20), (7, 90), (1, 1))
] * 20


def by_torch(workspace: Workspace) -> Embedder:
    (weights,) = workspace.models("embedder").glob("*/weights.safetensors")
    return open_weights(weights, "cpu")


def test_a_training_leaves_an_export_that_embeds_as_torch_does(
    trained: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    found, reference = embedder.load(trained, device="cpu"), by_torch(trained)
    assert capsys.readouterr().err == ""  # it was there
    assert type(found) is not type(reference)
    assert (found.digest, found.dimension, found.image_size) == (
        reference.digest,
        reference.dimension,
        reference.image_size,
    )
    ours, theirs = found.embed(CROPS), reference.embed(CROPS)
    assert ours.shape == theirs.shape == (80, 16)
    assert ours.dtype == np.float32
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    assert ((ours * theirs).sum(axis=1) / lengths).min() > 0.999
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_openvino_gives_the_same_vectors(trained: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "is_installed", lambda name: name == "openvino")
    found = embedder.load(trained, device="cpu")
    np.testing.assert_allclose(found.embed(CROPS), by_torch(trained).embed(CROPS), rtol=1e-3, atol=1e-4)


def test_the_least_cosine_between_rows_is_what_an_export_is_judged_by(trained: Workspace) -> None:
    rows = np.eye(3, dtype=np.float32)
    assert exported.least_cosine(rows, 2 * rows) == pytest.approx(1)
    assert exported.least_cosine(rows, rows[[0, 2, 1]]) == pytest.approx(0)
    (weights,) = trained.models("embedder").glob("*/weights.safetensors")
    assert export_of(open_weights(weights, "cpu")).least_cosine == 0.999


def test_an_export_of_other_weights_is_made_again(trained: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    before = embedder.load(trained, device="cpu").embed(CROPS)
    (weights,) = trained.models("embedder").glob("*/weights.safetensors")
    about, saved = checkpoints.read(weights)
    checkpoints.write(weights, {**saved, "embed.bias": saved["embed.bias"] + 1}, about)
    metrics = weights.with_name("metrics.json")
    metrics.write_text(json.dumps({**json.loads(metrics.read_text()), "weights": digest(weights)}))
    np.testing.assert_allclose(embedder.load(trained, device="cpu").embed(CROPS), before + 1, rtol=1e-3, atol=1e-4)
    assert f"the embedder is exported to {weights.with_name('model.onnx')}, once" in capsys.readouterr().err
    embedder.load(trained, device="cpu")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("threads", ["2,1", "many", ""])
def test_whatever_openmp_is_told_the_export_opens(
    trained: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], threads: str
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert embedder.load(trained, device="cpu").embed(CROPS[:1]).shape == (1, 16)
    assert capsys.readouterr().err == ""


def test_without_a_library_for_it_torch_embeds_and_that_is_said_in_a_line(
    trained: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for runtime in ("onnxruntime", "openvino"):
        monkeypatch.setitem(sys.modules, runtime, None)
    np.testing.assert_array_equal(embedder.load(trained, device="cpu").embed(CROPS), by_torch(trained).embed(CROPS))
    assert capsys.readouterr().err.splitlines() == [
        "fullshot: the embedder runs on torch, which starts slowly (onnxruntime not installed)"
    ]


def test_a_trained_embedder_is_opened_and_used_without_torch(trained: Workspace) -> None:
    code = """
import sys
import numpy as np
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
embedder.load(Workspace(sys.argv[1]), device="cpu").embed([np.zeros((9, 9, 3), np.uint8)])
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, str(trained.root)], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "onnxruntime" in loaded
    assert not {"torch", "lightning", "pandas", "matplotlib"} & loaded


class FixedSize(nn.Module):
    """Holds the size that it was traced with for a constant."""

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.mean(dim=(1, 2, 3)) * float(len(pictures))


class NoOperator(nn.Module):
    """Does what ONNX has no operator for."""

    def forward(self, pictures: Tensor) -> Tensor:
        values: Tensor = torch.special.bessel_j0(pictures)
        return values


@pytest.mark.parametrize(
    ("network", "words"),
    [(FixedSize(), "its numbers differ"), (NoOperator(), "bessel_j0")],
)
def test_a_network_whose_export_is_wrong_or_impossible_is_not_exported(
    network: nn.Module, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.onnx"

    def make() -> exported.Export:
        return exported.Export(
            network.eval(), torch.ones(1, 3, 4, 4), torch.ones(2, 3, 4, 4), {"pictures": [0], "means": [0]}, {}
        )

    assert exported.write_export(path, "weights", "the teapot", make) is None
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"fullshot: the teapot runs on torch, which starts slowly (not exported to {path}: ")
    assert words in line
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_stops_nothing(trained: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = (path.parent for path in trained.models("embedder").glob("*/weights.safetensors"))
    (run / "model.onnx").unlink()
    (run / "model.onnx").mkdir()  # as good as a folder without the right to write, which root would have
    opened = embedder.load(trained, device="cpu").embed(CROPS)
    np.testing.assert_allclose(opened, by_torch(trained).embed(CROPS), atol=1e-5)
    assert "the export of the embedder cannot be kept, and is made anew each time" in capsys.readouterr().err
