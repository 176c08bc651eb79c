"""What every embedder does, whichever its backbone."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fullshot.core.boxes import Picture
from fullshot.core.interfaces import Embedder
from fullshot.core.settings import EmbedderSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.embedder import BACKBONES, checkpoints, load, resize
from fullshot.train.embedder.in_use import WEIGHTS
from fullshot.train.embedder.network import EmbeddingNetwork

SIZES = ((64, 64), (9, 300), (200, 50), (1, 1))
CROPS: list[Picture] = [
    np.asarray(
        Image.fromarray(np.random.default_rng(height).integers(0, 256, (4, 4, 3), dtype=np.uint8)).resize(
            (width, height)
        )
    )
    for height, width in SIZES
]


@pytest.fixture(scope="module", params=BACKBONES.names())
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """With an embedder that has this backbone, untrained."""
    place = Workspace(Path(tmp_path_factory.mktemp("ws")))
    backbone = BACKBONES.get(request.param)()
    section = EmbedderSettings(backbone=request.param, dimension=16, image_size=backbone.input_size)
    run = runs.start(place, "embedder", "0", Settings(embedder=section))
    network = EmbeddingNetwork(backbone, section.dimension)
    checkpoints.write(run.folder / WEIGHTS, network.state_dict(), checkpoints.About.of(section))
    runs.finish(run, {})
    return place


@pytest.fixture
def embedder(workspace: Workspace) -> Embedder:
    return load(workspace, device="cpu")


def test_crops_of_any_size_become_vectors(embedder: Embedder) -> None:
    vectors = embedder.embed(CROPS)
    assert vectors.shape == (len(CROPS), embedder.dimension) == (len(CROPS), 16)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert embedder.embed([]).shape == (0, 16)


def test_a_vector_depends_on_its_own_crop_alone(embedder: Embedder) -> None:
    alone = np.concatenate([embedder.embed([crop]) for crop in CROPS])
    np.testing.assert_allclose(embedder.embed(CROPS), alone, atol=1e-4)
    assert not np.allclose(alone[0], alone[1], atol=1e-3)


def test_a_crop_may_be_brought_to_its_size_before(embedder: Embedder) -> None:
    resized = [resize(crop, embedder.image_size) for crop in CROPS]
    np.testing.assert_allclose(embedder.embed(resized), embedder.embed(CROPS), atol=1e-5)


def test_loaded_again_it_is_the_same(workspace: Workspace, embedder: Embedder) -> None:
    again = load(workspace, device="cpu")
    assert again.digest == embedder.digest
    assert set(embedder.digest) <= set("0123456789abcdef")
    np.testing.assert_array_equal(again.embed(CROPS), embedder.embed(CROPS))
