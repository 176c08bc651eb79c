"""With which weights the training of an embedder begins, and how its network takes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fullshot.core.errors import UserError
from fullshot.core.interfaces import Backbone
from fullshot.core.settings import EmbedderSettings, WeightsSettings
from fullshot.train import weights
from fullshot.train.embedder import BACKBONES, checkpoints
from fullshot.train.embedder.backbones.names import gives_maps, is_of_open_clip
from fullshot.train.embedder.in_use import FIRST, STARTER_FILE
from fullshot.train.embedder.preprocessing import KEEP, STRETCH
from fullshot.train.timm_hub import published_by_timm
from fullshot.train.weights import EMBEDDER, IMAGENET, NONE, STARTER, Pretrained

if TYPE_CHECKING:
    from fullshot.train.embedder.network import EmbeddingNetwork


def find_start(section: EmbedderSettings, sources: WeightsSettings) -> Pretrained:
    """The weights that a training begins with.

    Args:
        section: ``weights`` is a file, ``starter``, ``imagenet``, ``none``, or empty: the best there are for the
            backbone, which is the embedder that comes along where it has the same one.
        sources: where they may be looked for.

    Raises:
        UserError: there is no such file, no embedder comes along, or it has another backbone.
    """
    wanted, backbone = section.weights, section.backbone
    is_there = STARTER_FILE.is_file()
    if not wanted and section.starter and is_there and checkpoints.read_about(STARTER_FILE).backbone == backbone:
        wanted = STARTER
    if wanted == STARTER and not is_there:
        raise UserError(f"setting embedder.weights: no starter weights come along ({STARTER_FILE} is not there)")
    is_of_timm = not is_of_open_clip(backbone) and backbone not in BACKBONES.names()
    if not is_of_timm and wanted in ("", IMAGENET):
        if wanted:
            raise UserError(f"setting embedder.weights: the backbone {backbone} has no weights of ImageNet")
        own = "with the weights of its makers" if is_of_open_clip(backbone) else "from scratch"
        return Pretrained(own)
    return weights.find(
        wanted,
        backbone=backbone,
        published=published_by_timm(backbone, sources) if is_of_timm else None,
        download=sources.download == "auto",
        kind=EMBEDDER,
        starter=STARTER_FILE,
    )


def check_weights(wanted: str) -> None:
    """Check the setting ``embedder.weights``, as far as that needs no library and nobody on the network.

    Raises:
        UserError: it names no file, and nothing else that there is.
    """
    if wanted not in ("", IMAGENET, NONE, STARTER):
        weights.find(wanted, backbone="", kind=EMBEDDER)


@dataclass(frozen=True)
class Network:
    """The network that a training makes.

    Attributes:
        settings: of the embedder; their ``image_size`` is not 0.
        backbone: its own.
        start: the weights that it begins with.
    """

    settings: EmbedderSettings
    backbone: Backbone
    start: Pretrained

    def made_with(self) -> Mapping[str, Mapping[str, str]]:
        """What weights depend on besides the examples and the settings of version 0.1, which knew nothing of it."""
        found: dict[str, Mapping[str, str]] = {}
        settings = self.settings
        if settings.backbone != FIRST:
            found["backbone"] = {"name": settings.backbone}
        if gives_maps(self.backbone):
            found["pooling"] = {"name": settings.pooling}
        if (settings.fit, settings.background) != (STRETCH, KEEP):
            found["input"] = {"fit": settings.fit, "background": settings.background}
        if self.start.path:
            found["weights"] = {"sha256": self.start.digest}
        elif settings.weights == NONE and is_of_open_clip(settings.backbone):
            found["weights"] = {"sha256": NONE}
        return found

    def build(self) -> "EmbeddingNetwork":
        """The network as the training begins with it; the same each time.

        Raises:
            UserError: see :func:`give`.
        """
        import torch

        from fullshot.train.embedder.network import EmbeddingNetwork

        settings = self.settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            network = EmbeddingNetwork(self.backbone, settings.dimension, settings.pooling)
        give(network, self.backbone, settings.backbone, self.start)
        return network


def give(network: "EmbeddingNetwork", backbone: Backbone, name: str, start: Pretrained) -> None:
    """Let a network begin with weights.

    Args:
        network: with random ones.
        backbone: that it was made with.
        name: of the backbone.
        start: see :func:`find_start`; where it has no file, nothing is done.

    Raises:
        UserError: the file holds no weights, or those of a detector or of another backbone.
    """
    if start.path is None:
        return
    if start.is_detector:
        raise UserError(f"setting embedder.weights: {start.path} holds a detector, expected an embedder or a backbone")
    if start.holds == EMBEDDER or _is_of_0_1(start):
        about, found = checkpoints.read(start.path)
        if about.backbone != name:
            raise UserError(f"{start.path} holds an embedder on {about.backbone}, the one to be trained is on {name}")
        own = network.state_dict()
        # Another length of embeddings has another last layer.
        network.load_state_dict({**own, **{key: found[key] for key in own if _fits(found.get(key), own[key])}})
        return
    body: Any = network.backbone
    names = getattr(backbone, "names", None) or body.state_dict()
    found = weights.read(start.path, names, in_order=start.in_order)
    if hasattr(body, "give"):
        body.give(found)
        return
    try:
        body.load_state_dict(found)
    except RuntimeError:  # names every tensor
        raise UserError(f"{start.path}: the weights are of another backbone than {name}") from None


def _fits(found: object, own: object) -> bool:
    return found is not None and getattr(found, "shape", None) == getattr(own, "shape", None)


def _is_of_0_1(start: Pretrained) -> bool:
    if start.path is None or start.path.suffix != ".pt":
        return False
    try:
        checkpoints.read(start.path)
    except checkpoints.NotAnEmbedder:
        return False
    return True
