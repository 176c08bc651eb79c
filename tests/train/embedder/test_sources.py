"""Embedders by what they are called: runs, files, the one that comes along, and networks that others trained."""

from pathlib import Path

import numpy as np
import pytest

from fullshot.core.errors import MissingInput, UserError
from fullshot.core.files import digest
from fullshot.core.interfaces import Embedder, TextEmbedder
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import embedder
from fullshot.train.embedder import in_use as using
from fullshot.train.embedder import sources

CROP = np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)


def run_of(workspace: Workspace) -> Path:
    (found,) = [path for path in workspace.models("embedder").iterdir() if path.is_dir()]
    return found


def test_a_run_its_folder_its_file_and_its_workspace_are_one_embedder(
    trained: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = run_of(trained)
    file = run / "weights.safetensors"
    named = embedder.find_source(run.name, trained)
    others = [embedder.open_source(str(place)) for place in (run, file, trained.root)]
    expected = named.load("cpu").embed([CROP])
    assert named.digest == digest(file)
    assert (named.name, named.backbone, named.run is not None) == (run.name, "small", True)
    for source in others:
        assert (source.digest, source.backbone) == (named.digest, "small")
        found = source.load("cpu")
        assert found.digest == named.digest
        np.testing.assert_allclose(found.embed([CROP]), expected, atol=1e-5)
    assert embedder.embedder_in_use(trained).name == run.name
    assert embedder.open_embedder(str(file)).dimension == 16


def test_what_there_is_not_is_answered_by_what_there_may_be(
    trained: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sources, "STARTER_FILE", tmp_path / "none.safetensors")
    for name, words in {
        "": "expected weights, got nothing",
        "nothing.safetensors": "expected a file .safetensors, the folder of a run, starter, imagenet, hf-hub:ORG/NAME",
        "starter": "no starter weights of an embedder come along",
    }.items():
        with pytest.raises(UserError, match=words):
            embedder.open_source(name)
    with pytest.raises(UserError, match="no run 'teapot' of the embedder"):
        embedder.find_source("teapot", trained)
    (run_of(trained) / "metrics.json").unlink()
    with pytest.raises(UserError, match="is not finished"):
        embedder.open_source(str(run_of(trained)))


def test_the_starter_weights_embed_until_a_run_takes_their_place(
    trained: Workspace,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(MissingInput, match="fullshot train embedder"):
        embedder.load(workspace)
    file = tmp_path / "garments.safetensors"
    file.write_bytes((run_of(trained) / "weights.safetensors").read_bytes())
    for module in (using, sources):
        monkeypatch.setattr(module, "STARTER_FILE", file)
    used = embedder.embedder_in_use(workspace)
    assert (used.name, used.digest, used.run) == ("starter", digest(file), None)
    assert embedder.digest_in_use(workspace) == digest(file)
    assert embedder.load(workspace, device="cpu").digest == digest(file)
    assert "the starter weights embed" in capsys.readouterr().err
    assert embedder.features_in_use(workspace, load())["embeddings"] == [digest(file)[:16]]
    assert embedder.embedder_in_use(trained).name == run_of(trained).name
    (workspace / "fullshot.toml").write_text("[embedder]\nstarter = false\n")
    with pytest.raises(MissingInput, match="fullshot train embedder"):
        embedder.embedder_in_use(workspace)


def test_the_untouched_network_of_imagenet_gives_vectors_of_length_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = embedder.find_source("imagenet")
    opened: Embedder = source.load("cpu")
    assert (opened.dimension, opened.image_size, opened.digest) == (1280, 224, source.digest)
    vectors = opened.embed([CROP, CROP[:30]])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-3)
    assert not np.allclose(vectors[0], vectors[1])
    assert not isinstance(opened, TextEmbedder)
    never = load(weights={"download": "never"})
    with pytest.raises(UserError, match="no weights of ImageNet are to be had of resnet18"):
        embedder.find_source("imagenet:resnet18", settings=never).load("cpu")
