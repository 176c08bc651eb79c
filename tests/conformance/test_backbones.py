"""What every backbone does, whichever it is."""

import pytest
import torch

from fullshot.core.interfaces import Backbone
from fullshot.train.embedder import BACKBONES


@pytest.fixture(params=BACKBONES.names())
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return BACKBONES.get(request.param)()


def crops(backbone: Backbone, count: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, 3, backbone.input_size, backbone.input_size, generator=generator)


def test_it_says_how_pictures_are_normalised(backbone: Backbone) -> None:
    assert len(backbone.mean) == len(backbone.std) == 3
    assert all(0 <= mean <= 1 for mean in backbone.mean)
    assert all(std > 0 for std in backbone.std)


def test_it_turns_pictures_into_features(backbone: Backbone) -> None:
    network = backbone.network().eval()
    with torch.inference_mode():
        together = network(crops(backbone))
        alone = torch.cat([network(crop[None]) for crop in crops(backbone)])
    assert together.shape == (3, backbone.feature_size)
    assert together.dtype == torch.float32
    assert torch.allclose(together, alone, atol=1e-4)
    assert not torch.allclose(together[0], together[1])


def test_every_weight_learns(backbone: Backbone) -> None:
    network = backbone.network().train()
    network(crops(backbone)).square().sum().backward()
    assert all(weight.grad is not None for weight in network.parameters() if weight.requires_grad)


def test_its_weights_go_into_a_new_network(backbone: Backbone) -> None:
    first, second = backbone.network().eval(), backbone.network().eval()
    second.load_state_dict(first.state_dict())
    with torch.inference_mode():
        assert torch.equal(first(crops(backbone)), second(crops(backbone)))


def test_one_seed_makes_one_network(backbone: Backbone) -> None:
    networks = []
    for _ in range(2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            networks.append(backbone.network().state_dict())
    assert all(torch.equal(value, networks[1][name]) for name, value in networks[0].items())
