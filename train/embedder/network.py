"""The Siamese network: one set of weights embeds anchors, positives and negatives alike."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fullshot.core.interfaces import Backbone
from fullshot.train.embedder.backbones.names import gives_maps

BATCH = 256
"""Crops that go through the network at once."""


GEM, AVERAGE = "gem", "average"
"""Of the setting ``embedder.pooling``."""

_GEM_POWER, _GEM_LEAST = 3.0, 1e-6
"""What GeM begins with, and the least value that it takes to a power: those of its authors."""


class Gem(nn.Module):
    """Generalised mean of maps, ``(mean f^p)^(1/p)`` with a learnt p (Radenović et al. 2018, arXiv:1711.02512).

    With p = 1 it is the average, with a large p the largest value: where on the garment a feature is strong.
    """

    def __init__(self) -> None:
        super().__init__()
        self.power = nn.Parameter(torch.tensor(_GEM_POWER))

    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps: shape (N, F, height, width) → (N, F)."""
        values = maps.float().clamp(min=_GEM_LEAST)
        # As shares of the largest, which the formula does not see: a small value to a power would be nothing.
        largest = values.detach().amax(dim=(2, 3), keepdim=True)
        return largest.flatten(1) * (values / largest).pow(self.power).mean(dim=(2, 3)).pow(1 / self.power)


class Average(nn.Module):
    """The mean of maps."""

    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps: shape (N, F, height, width) → (N, F)."""
        return maps.mean(dim=(2, 3))


def _pooling(backbone: Backbone, name: str) -> nn.Module:
    """What makes features of a backbone's maps; nothing is done to what it has pooled itself."""
    if not gives_maps(backbone):
        return nn.Identity()
    return Gem() if name == GEM else Average()


class _OnPictures(nn.Module):
    """Pictures normalised as a backbone wants them."""

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        # Not among the weights: they belong to the backbone, whose name stands in the checkpoint.
        self.register_buffer("mean", torch.tensor(backbone.mean).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(backbone.std).reshape(1, 3, 1, 1), persistent=False)


class EmbeddingNetwork(_OnPictures):
    """A backbone, and a layer that turns its features into embeddings.

    Args:
        backbone: see :func:`fullshot.train.embedder.backbones.opening.open_backbone`.
        dimension: d, the length of an embedding.
        pooling: of a backbone's maps, :data:`GEM` or :data:`AVERAGE`; one that pools by itself needs none.

    Attributes:
        dimension: d. Where the loss asks for it, the first 32 and 64 numbers are embeddings, too (Matryoshka, Kusupati
            et al. 2022): whoever wants shorter ones cuts them off.
    """

    def __init__(self, backbone: Backbone, dimension: int, pooling: str = GEM) -> None:
        super().__init__(backbone)
        self.dimension = dimension
        self.backbone = backbone.network()
        self.pool = _pooling(backbone, pooling)
        self.normalize = nn.BatchNorm1d(backbone.feature_size)
        self.embed = nn.Linear(backbone.feature_size, dimension)
        self.register_load_state_dict_pre_hook(_rename_weights_of_version_0_1)  # type: ignore[no-untyped-call]

    def features(self, crops: Tensor) -> Tensor:
        """What the backbone sees in crops, see :meth:`forward`: shape (N, F), float32."""
        features: Tensor = self.pool(self.backbone((crops - self.mean) / self.std))
        return features

    def forward(self, crops: Tensor) -> Tensor:
        """Embed crops.

        Args:
            crops: shape (N, 3, side, side), float32 in [0, 1], RGB.

        Returns:
            Shape (N, d), float32; not normalised.
        """
        embeddings: Tensor = self.embed(self.normalize(self.features(crops)))
        return embeddings


class UntouchedNetwork(_OnPictures):
    """A pretrained backbone as it is: its features, averaged over the picture and brought to length 1.

    Args:
        backbone: what its network was made by.
        network: with its weights.

    Attributes:
        dimension: F, the length of the features.
    """

    def __init__(self, backbone: Backbone, network: nn.Module) -> None:
        super().__init__(backbone)
        self.dimension = backbone.feature_size
        self.backbone = network
        self.pool = _pooling(backbone, AVERAGE)

    def forward(self, crops: Tensor) -> Tensor:
        """See :meth:`EmbeddingNetwork.forward`; of length 1."""
        return nn.functional.normalize(self.pool(self.backbone((crops - self.mean) / self.std)), dim=1)


def _rename_weights_of_version_0_1(module: nn.Module, weights: dict[str, Any], prefix: str, *_: Any) -> None:
    """Version 0.1 had one backbone, and its blocks lay in the network itself."""
    for name in [name for name in weights if name.startswith(f"{prefix}blocks.")]:
        weights[f"{prefix}backbone.{name.removeprefix(prefix)}"] = weights.pop(name)


def as_input(crops: NDArray[np.uint8]) -> Tensor:
    """Crops (N, side, side, 3), uint8, as the network's input (N, 3, side, side), float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2).float().div(255)


@torch.inference_mode()
def embed_crops(
    network: EmbeddingNetwork | UntouchedNetwork, crops: NDArray[np.uint8], rows: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Embed crops by a network as it is.

    Args:
        network: in training mode it is put into evaluation mode, and back at the end.
        crops: shape (N, side, side, 3), uint8, RGB.
        rows: which of them, shape (M,); None: all.

    Returns:
        Shape (M, d), float32.
    """
    device, training = network.mean.device, network.training
    chosen = np.arange(len(crops)) if rows is None else rows
    network.eval()
    parts = [
        network(as_input(crops[chosen[start : start + BATCH]]).to(device)).cpu().numpy()
        for start in range(0, len(chosen), BATCH)
    ]
    network.train(training)
    return np.concatenate(parts) if parts else np.zeros((0, network.dimension), np.float32)
