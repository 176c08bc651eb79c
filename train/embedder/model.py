"""A trained embedder as torch knows it: written to a file, opened, and exported."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fullshot.core.boxes import Picture
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import digest, write_bytes
from fullshot.core.settings import EmbedderSettings
from fullshot.core.workspace import Workspace
from fullshot.train.devices import device_of
from fullshot.train.embedder import BACKBONES
from fullshot.train.embedder.in_use import FIRST
from fullshot.train.embedder.network import BATCH, EmbeddingNetwork, embed_crops
from fullshot.train.embedder.preprocessing import resize_all
from fullshot.train.exported import Export


@dataclass(frozen=True)
class NetworkEmbedder:
    """A network with what is needed to use it; see :class:`fullshot.core.interfaces.Embedder`."""

    network: EmbeddingNetwork
    backbone: str
    image_size: int
    digest: str

    @property
    def dimension(self) -> int:
        """d, the length of an embedding."""
        return self.network.embed.out_features

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        """Embed crops of any size.

        Args:
            crops: pictures of one garment each, upright and tight around it; an item shot goes through
                :func:`fullshot.train.embedder.preprocessing.crop_to_foreground` first.

        Returns:
            Shape (N, d), float32; not normalised, to be compared by squared Euclidean distance.
        """
        parts = [
            embed_crops(self.network, resize_all(crops[start : start + BATCH], self.image_size))
            for start in range(0, len(crops), BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)


def save(path: Path, weights: dict[str, Tensor], settings: EmbedderSettings) -> None:
    """Write a network's weights, and what is needed to build it again, in one step.

    Args:
        path: the file.
        weights: of an :class:`EmbeddingNetwork`.
        settings: the network's backbone, the size of its crops, and the dimension of its embeddings.
    """
    content = io.BytesIO()
    built_from = settings.model_dump(include={"backbone", "image_size", "dimension"})
    torch.save({"weights": weights, **built_from}, content)
    write_bytes(path, content.getvalue())


def open_weights(workspace: Workspace, path: Path, device: str = "") -> NetworkEmbedder:
    """An embedder from its weights.

    Args:
        workspace: where it was trained; for a message.
        path: of a file that :func:`save` wrote.
        device: see :func:`fullshot.train.devices.device_of`.

    Raises:
        UserError: its backbone was of a package that is not there, or this machine has no such device.
        StageFailed: the weights do not load.
    """
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        name, size = str(saved.get("backbone", FIRST)), int(saved["image_size"])
        network = EmbeddingNetwork(BACKBONES.get(name)(), saved["dimension"])
        network.load_state_dict(saved["weights"])
    except UserError:
        raise
    except Exception as error:  # torch raises whatever a broken file makes its readers stumble over
        raise StageFailed(
            f"cannot load {path} ({type(error).__name__}): delete {path.parent} and run "
            f"`fullshot train embedder {workspace.root}` again"
        ) from None
    return NetworkEmbedder(network.to(device_of(device, "embedder.device")).eval(), name, size, digest(path))


def export_of(embedder: NetworkEmbedder) -> Export:
    """What :class:`fullshot.train.embedder.loading.ExportedEmbedder` needs of an embedder on the CPU."""
    generator = torch.Generator().manual_seed(0)
    shape = (3, embedder.image_size, embedder.image_size)
    facts = {"dimension": str(embedder.dimension), "image_size": str(embedder.image_size)}
    return Export(
        embedder.network,
        example=torch.rand(1, *shape, generator=generator),
        other=torch.rand(2, *shape, generator=generator),
        axes={"crops": [0], "embeddings": [0]},
        facts=facts,
    )
