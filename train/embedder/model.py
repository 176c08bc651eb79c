"""An embedder as torch runs it: opened from its weights, and exported."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fullshot.core.boxes import Picture
from fullshot.core.files import digest
from fullshot.train.devices import device_of
from fullshot.train.embedder import checkpoints
from fullshot.train.embedder.backbones.opening import open_backbone
from fullshot.train.embedder.network import BATCH, EmbeddingNetwork, UntouchedNetwork, embed_crops
from fullshot.train.embedder.preprocessing import Preparation
from fullshot.train.exported import Export

LEAST_COSINE = 0.999
"""Between what torch and a runtime give for one crop."""


@dataclass(frozen=True)
class NetworkEmbedder:
    """A network with what is needed to use it; see :class:`fullshot.core.interfaces.Embedder`.

    Attributes:
        network: in evaluation mode.
        preparation: of its crops.
        digest: of its weights.
    """

    network: EmbeddingNetwork | UntouchedNetwork
    preparation: Preparation
    digest: str

    @property
    def dimension(self) -> int:
        """d, the length of an embedding."""
        return self.network.dimension

    @property
    def image_size(self) -> int:
        """Side in pixels of its crops."""
        return self.preparation.side

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        """Embed crops of any size.

        Args:
            crops: pictures of one garment each, upright and tight around it; an item shot goes through
                :func:`fullshot.train.embedder.preprocessing.crop_to_foreground` first.

        Returns:
            Shape (N, d), float32; not normalised, to be compared by squared Euclidean distance.
        """
        parts = [self._embedded(self.preparation.all_of(crops[at : at + BATCH])) for at in range(0, len(crops), BATCH)]
        return np.concatenate(parts) if parts else self._embedded(self.preparation.none)

    def embed_prepared(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embed crops that are prepared already, each of shape (side, side, 3), uint8, RGB."""
        return self._embedded(np.stack(crops) if len(crops) else self.preparation.none)

    def _embedded(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return embed_crops(self.network, crops)


def open_weights(path: Path, device: str = "") -> NetworkEmbedder:
    """An embedder from its weights.

    Args:
        path: see :func:`fullshot.train.embedder.checkpoints.read`.
        device: see :func:`fullshot.train.devices.device_of`.

    Raises:
        NotAnEmbedder: the file holds no embedder.
        UserError: its backbone was of a package that is not there, or this machine has no such device.
    """
    about, weights = checkpoints.read(path)
    network = EmbeddingNetwork(open_backbone(about.backbone), about.dimension, about.pooling)
    try:
        network.load_state_dict(weights)
    except RuntimeError:  # names every tensor
        raise checkpoints.NotAnEmbedder(
            f"{path}: its weights are not those of an embedder on {about.backbone}"
        ) from None
    placed = network.to(device_of(device, "embedder.device")).eval()
    return NetworkEmbedder(placed, about.preparation, digest(path))


def export_of(embedder: NetworkEmbedder) -> Export:
    """What :class:`fullshot.train.embedder.loading.ExportedEmbedder` needs of an embedder on the CPU."""
    generator = torch.Generator().manual_seed(0)
    side = embedder.image_size
    # Noise, and large patches of colour, which garments are more like.
    noise, patches = torch.rand(2, 3, side, side, generator=generator), torch.rand(2, 3, 4, 4, generator=generator)
    facts = {
        "dimension": str(embedder.dimension),
        "image_size": str(side),
        "fit": embedder.preparation.fit,
        "background": embedder.preparation.background,
    }
    return Export(
        embedder.network,
        example=noise[:1],
        other=torch.cat([noise, nn.functional.interpolate(patches, size=(side, side))]),
        axes={"crops": [0], "embeddings": [0]},
        facts=facts,
        least_cosine=LEAST_COSINE,
    )
