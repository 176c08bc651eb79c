"""The embedder: crops of one product come to lie close together, whoever wears it and however it is photographed.

It has a backbone, which has a name in :data:`BACKBONES`, and a layer that turns the backbone's features into vectors.
"""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names
from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from fullshot.core.interfaces import Backbone, Embedder
    from fullshot.train.embedder.crops import crop_store, keys_of, unreadable_paths
    from fullshot.train.embedder.dataset import product_wears, worn_garments
    from fullshot.train.embedder.embeddings import kept_embeddings
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
    "crop_store",
    "crop_to_foreground",
    "evaluate",
    "fit",
    "has_plain_background",
    "kept_embeddings",
    "keys_of",
    "load",
    "preferred_item_shots",
    "product_wears",
    "resize",
    "unreadable_paths",
    "worn_garments",
]

BACKBONES: "Registry[type[Backbone]]" = Registry(
    "backbone",
    "fullshot.backbones",
    {"small": "fullshot.train.embedder.backbones.small:SmallBackbone"},
    keeps("fullshot.core.interfaces:Backbone"),
)
"""The networks that turn crops into features, by ``embedder.backbone``."""

__getattr__ = lazy_names(
    __name__,
    {
        ".crops": ["crop_store", "keys_of", "unreadable_paths"],
        ".dataset": ["product_wears", "worn_garments"],
        ".embeddings": ["kept_embeddings"],
        ".evaluation": ["evaluate"],
        ".fitting": ["fit"],
        ".model": ["load"],
        ".preprocessing": ["crop_to_foreground", "has_plain_background", "preferred_item_shots", "resize"],
        "fullshot.core.interfaces": ["Backbone", "Embedder"],
    },
)
