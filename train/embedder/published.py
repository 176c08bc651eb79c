"""Embedders that others trained: a network of ImageNet, untouched, and models of open_clip."""

import contextlib
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from fullshot.core.errors import UserError
from fullshot.core.interfaces import Embedder
from fullshot.core.settings import WeightsSettings
from fullshot.train import weights
from fullshot.train.embedder.backbones.opening import check_name
from fullshot.train.embedder.in_use import KIND
from fullshot.train.embedder.loading import opened
from fullshot.train.embedder.preprocessing import LETTERBOX, Preparation
from fullshot.train.timm_hub import published_by_timm
from fullshot.train.weights import IMAGENET

if TYPE_CHECKING:
    from fullshot.train.embedder.model import NetworkEmbedder

IMAGENET_BACKBONE = "tf_efficientnet_lite0"
"""Of the untouched network where none is named: its weights come as a package."""


def export_in_cache(key: str) -> Path:
    """Where an export lies whose weights are no run's."""
    # Beside weights that came along or from elsewhere may be no place to write.
    place = Path(platformdirs.user_cache_dir("fullshot")) / "embedders" / f"{key[:16]}.onnx"
    with contextlib.suppress(OSError):  # it is then said that the export cannot be written
        place.parent.mkdir(parents=True, exist_ok=True)
    return place


@dataclass(frozen=True)
class ImagenetSource:
    """A backbone of timm as ImageNet taught it, see :class:`fullshot.train.embedder.network.UntouchedNetwork`.

    Attributes:
        name: as it was named.
        backbone: of timm.
        sources: where its weights may be looked for.
        file: none.
        run: none.

    Raises:
        UserError: there are no weights of it; when anything is asked of it.
    """

    name: str
    backbone: str
    sources: WeightsSettings = field(default_factory=WeightsSettings)
    file: None = None
    run: None = None

    @cached_property
    def digest(self) -> str:
        """Of the weights and of what is done with them."""
        return hashlib.sha256(f"{IMAGENET} 1 {self.backbone} {self._start.digest}".encode()).hexdigest()

    @cached_property
    def _start(self) -> weights.Pretrained:
        found = weights.find(
            IMAGENET,
            backbone=self.backbone,
            published=published_by_timm(self.backbone, self.sources),
            download=self.sources.download == "auto",
            kind=KIND,
        )
        if found.path is None:
            raise UserError(f"weights {self.name!r}: no weights of ImageNet are to be had of {self.backbone}")
        return found

    def load(self, device: str = "") -> Embedder:
        """See :meth:`fullshot.train.embedder.sources.Source.load`."""
        key = self.digest  # says at once whether there are weights
        return opened(export_in_cache(key), key, device, self._by_torch)

    def _by_torch(self, device: str) -> "NetworkEmbedder":
        from fullshot.train.devices import device_of
        from fullshot.train.embedder.backbones.from_timm import TimmBackbone
        from fullshot.train.embedder.model import NetworkEmbedder
        from fullshot.train.embedder.network import UntouchedNetwork

        backbone = TimmBackbone(self.backbone)
        body = backbone.network()
        if self._start.path:
            body.give(weights.read(self._start.path, backbone.names, in_order=self._start.in_order))
        network = UntouchedNetwork(backbone, body).to(device_of(device, "embedder.device")).eval()
        return NetworkEmbedder(network, Preparation(backbone.input_size, LETTERBOX), self.digest)


@dataclass(frozen=True)
class ClipSource:
    """A model of open_clip as its makers trained it: it embeds words, too.

    Attributes:
        name: ``hf-hub:ORG/NAME`` or ``open_clip:ARCH[/TAG]``.
        sources: whether a hub may be asked.
        file: none.
        run: none.
    """

    name: str
    sources: WeightsSettings = field(default_factory=WeightsSettings)
    file: None = None
    run: None = None

    @property
    def backbone(self) -> str:
        """The same name."""
        return self.name

    @cached_property
    def digest(self) -> str:
        """Of all weights: they are loaded for it."""
        return self.load("cpu").digest

    def load(self, device: str = "") -> Embedder:
        """See :meth:`fullshot.train.embedder.sources.Source.load`."""
        check_name(self.name)
        from fullshot.train.embedder.clip import ClipEmbedder

        return ClipEmbedder.open(self.name, self.sources, device)
