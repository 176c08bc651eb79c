"""The embedder: crops of one product come to lie close together, whoever wears it and however it is photographed.

It has a backbone, which has a name in :data:`BACKBONES`, and a layer that turns the backbone's features into vectors.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fullshot.core.registry import Registry

if TYPE_CHECKING:
    from fullshot.core.interfaces import Backbone, Embedder
    from fullshot.train.embedder.dataset import product_wears, worn_garments
    from fullshot.train.embedder.evaluation import evaluate
    from fullshot.train.embedder.fitting import fit
    from fullshot.train.embedder.model import load
    from fullshot.train.embedder.preprocessing import (
        crop_to_foreground,
        has_plain_background,
        preferred_item_shots,
        resize,
    )

__all__ = [
    "BACKBONES",
    "Backbone",
    "Embedder",
    "crop_to_foreground",
    "evaluate",
    "fit",
    "has_plain_background",
    "load",
    "preferred_item_shots",
    "product_wears",
    "resize",
    "worn_garments",
]

BACKBONES: "Registry[type[Backbone]]" = Registry(
    "backbone", "fullshot.backbones", {"small": "fullshot.train.embedder.backbones.small:SmallBackbone"}
)
"""The networks that turn crops into features, by ``embedder.backbone``."""

_MODULES = {
    "Backbone": "fullshot.core.interfaces",
    "Embedder": "fullshot.core.interfaces",
    "crop_to_foreground": "fullshot.train.embedder.preprocessing",
    "evaluate": "fullshot.train.embedder.evaluation",
    "fit": "fullshot.train.embedder.fitting",
    "has_plain_background": "fullshot.train.embedder.preprocessing",
    "load": "fullshot.train.embedder.model",
    "preferred_item_shots": "fullshot.train.embedder.preprocessing",
    "product_wears": "fullshot.train.embedder.dataset",
    "resize": "fullshot.train.embedder.preprocessing",
    "worn_garments": "fullshot.train.embedder.dataset",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the registry alone needs neither pandas nor torch.
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
