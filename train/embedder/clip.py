"""Models of open_clip as their makers trained them: embedders of pictures and of words."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fullshot.core.settings import WeightsSettings
from fullshot.train.devices import device_of
from fullshot.train.embedder.backbones.from_open_clip import OpenClipBackbone
from fullshot.train.embedder.model import NetworkEmbedder
from fullshot.train.embedder.network import UntouchedNetwork
from fullshot.train.embedder.preprocessing import Preparation

_TEXTS = 64
"""Texts that go through the network at once."""


@dataclass(frozen=True)
class ClipEmbedder(NetworkEmbedder):
    """See :class:`fullshot.core.interfaces.TextEmbedder`.

    Attributes:
        model: of pictures and words.
        tokens: of texts, shape (N, length), int64.
    """

    model: Any
    tokens: Callable[[list[str]], Tensor]

    @classmethod
    def open(cls, name: str, sources: WeightsSettings, device: str) -> Self:
        """A model by its name.

        Args:
            name: see :class:`fullshot.train.embedder.backbones.from_open_clip.OpenClipBackbone`.
            sources: see there.
            device: see :func:`fullshot.train.devices.device_of`.

        Raises:
            UserError: see there; or this machine has no such device.
        """
        where = device_of(device, "embedder.device")
        backbone = OpenClipBackbone(name, sources)
        model = backbone.model().eval()
        digest = _digest(model)
        model = model.to(where)
        network = UntouchedNetwork(backbone, model.visual).to(where).eval()
        return cls(network, Preparation(backbone.input_size, backbone.fit), digest, model, backbone.tokenizer())

    @torch.inference_mode()
    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See :meth:`fullshot.core.interfaces.TextEmbedder.embed_text`."""
        where = self.network.mean.device
        vectors = [np.zeros((0, self.dimension), np.float32)]
        for start in range(0, len(texts), _TEXTS):
            tokens = self.tokens(list(texts[start : start + _TEXTS])).to(where)
            vectors.append(self.model.encode_text(tokens, normalize=True).float().cpu().numpy())
        return np.concatenate(vectors)


def _digest(model: nn.Module) -> str:
    """The sha256 of all weights, and their names, in hexadecimal."""
    state = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        state.update(name.encode())
        state.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return state.hexdigest()
