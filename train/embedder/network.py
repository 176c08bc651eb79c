"""The Siamese network: one set of weights embeds anchors, positives and negatives alike."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fullshot.core.interfaces import Backbone

BATCH = 256
"""Crops that go through the network at once."""


class EmbeddingNetwork(nn.Module):
    """A backbone, and a layer that turns its features into embeddings.

    Args:
        backbone: see :data:`fullshot.train.embedder.BACKBONES`.
        dimension: d, the length of an embedding.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: Backbone, dimension: int) -> None:
        super().__init__()
        self.backbone = backbone.network()
        self.normalize = nn.BatchNorm1d(backbone.feature_size)
        self.embed = nn.Linear(backbone.feature_size, dimension)
        # Not among the weights: they belong to the backbone, whose name stands in the checkpoint.
        self.register_buffer("mean", torch.tensor(backbone.mean).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(backbone.std).reshape(1, 3, 1, 1), persistent=False)
        self.register_load_state_dict_pre_hook(_rename_weights_of_version_0_1)  # type: ignore[no-untyped-call]

    def forward(self, crops: Tensor) -> Tensor:
        """Embed crops.

        Args:
            crops: shape (N, 3, side, side), float32 in [0, 1], RGB.

        Returns:
            Shape (N, d), float32; not normalised.
        """
        embeddings: Tensor = self.embed(self.normalize(self.backbone((crops - self.mean) / self.std)))
        return embeddings


def _rename_weights_of_version_0_1(module: nn.Module, weights: dict[str, Any], prefix: str, *_: Any) -> None:
    """Version 0.1 had one backbone, and its blocks lay in the network itself."""
    for name in [name for name in weights if name.startswith(f"{prefix}blocks.")]:
        weights[f"{prefix}backbone.{name.removeprefix(prefix)}"] = weights.pop(name)


def as_input(crops: NDArray[np.uint8]) -> Tensor:
    """Crops (N, side, side, 3), uint8, as the network's input (N, 3, side, side), float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2).float().div(255)


@torch.inference_mode()
def embed_crops(
    network: EmbeddingNetwork, crops: NDArray[np.uint8], rows: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Embed crops by a network as it is.

    Args:
        network: in training mode it is put into evaluation mode, and back at the end.
        crops: shape (N, side, side, 3), uint8, RGB.
        rows: which of them, shape (M,); None: all.

    Returns:
        Shape (M, d), float32.
    """
    device, training = network.embed.weight.device, network.training
    chosen = np.arange(len(crops)) if rows is None else rows
    network.eval()
    parts = [
        network(as_input(crops[chosen[start : start + BATCH]]).to(device)).cpu().numpy()
        for start in range(0, len(chosen), BATCH)
    ]
    network.train(training)
    return np.concatenate(parts) if parts else np.zeros((0, network.embed.out_features), np.float32)
