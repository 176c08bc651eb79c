"""A model of open_clip embeds pictures and words; here a tiny one with random weights."""

import json

import numpy as np
import open_clip
import pytest
import torch

from fullshot.core.errors import UserError
from fullshot.core.interfaces import TextEmbedder
from fullshot.core.settings import EmbedderSettings, WeightsSettings, load
from fullshot.train import embedder
from fullshot.train.embedder.backbones.names import gives_maps
from fullshot.train.embedder.backbones.opening import open_backbone
from fullshot.train.embedder.network import EmbeddingNetwork
from fullshot.train.embedder.starting import find_start

CONFIG = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def name(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder that holds a model as a hub does."""
    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny.json").write_text(json.dumps(CONFIG))
    open_clip.add_model_config(folder / "tiny.json")
    torch.manual_seed(0)
    model = open_clip.create_model("tiny")
    about = {"model_cfg": CONFIG, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3, "resize_mode": "squash"}}
    (folder / "open_clip_config.json").write_text(json.dumps(about))
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    return f"open_clip:local-dir:{folder}"


def test_pictures_and_words_become_vectors_that_compare(name: str) -> None:
    source = embedder.find_source(name)
    opened = source.load("cpu")
    assert isinstance(opened, TextEmbedder)
    assert (opened.dimension, opened.image_size, opened.digest) == (24, 32, source.digest)
    crops = [np.random.default_rng(side).integers(0, 256, (side, 20, 3), dtype=np.uint8) for side in (20, 50)]
    pictures, words = opened.embed(crops), opened.embed_text(["a red dress", "blue jeans", "a red dress"])
    assert (pictures.shape, words.shape) == ((2, 24), (3, 24))
    assert words.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([pictures, words]), axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(words[0], words[2], atol=1e-6)
    assert not np.allclose(words[0], words[1], atol=1e-3)
    assert opened.embed_text([]).shape == (0, 24)
    again = embedder.find_source(name).load("cpu")
    np.testing.assert_array_equal(again.embed(crops), pictures)


def test_its_picture_tower_is_a_backbone_with_its_makers_weights_or_without(name: str) -> None:
    backbone = open_backbone(name, WeightsSettings())
    assert (backbone.feature_size, backbone.input_size, gives_maps(backbone)) == (24, 32, False)
    assert backbone.std == (0.25, 0.25, 0.25)
    crops = torch.rand(2, 3, 32, 32)
    networks = [one.network().eval() for one in (backbone, backbone, open_backbone(name))]
    with torch.inference_mode():
        ours, same, random = (network(crops) for network in networks)
        assert EmbeddingNetwork(backbone, 8).eval()(crops).shape == (2, 8)
    assert torch.equal(ours, same)
    assert not torch.allclose(ours, random)
    start = find_start(EmbedderSettings(backbone=name), WeightsSettings())
    assert start.source == "with the weights of its makers"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("open_clip:teapot", "open_clip has no model 'teapot'"),
        ("open_clip:local-dir:/nowhere/at/all", "cannot be had"),
        ("hf-hub:nobody/nothing", "not in the cache, and weights.download says to ask nobody"),
    ],
)
def test_a_model_that_cannot_be_had_is_answered_in_a_line(name: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        embedder.find_source(name, settings=load(weights={"download": "never"})).load("cpu")
    assert "\n" not in str(caught.value)
