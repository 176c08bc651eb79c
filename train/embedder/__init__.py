"""The embedder: crops of one product come to lie close together, whoever wears it and however it is photographed.

It has a backbone, which has a name in :data:`BACKBONES`, and a layer that turns the backbone's features into vectors.
"""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names
from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from fullshot.core.interfaces import Backbone, Embedder
    from fullshot.train.embedder.crops import crop_row, crop_store, keys_of, unreadable_paths, whole_pictures
    from fullshot.train.embedder.dataset import WANTED, worn_garments
    from fullshot.train.embedder.embeddings import kept_embeddings
    from fullshot.train.embedder.evaluation import compare, evaluate, find_contender
    from fullshot.train.embedder.fitting import fit
    from fullshot.train.embedder.in_use import digest_in_use, features_in_use
    from fullshot.train.embedder.loading import load
    from fullshot.train.embedder.preprocessing import (
        crop_to_foreground,
        has_plain_background,
        preferred_item_shots,
        resize,
    )

__all__ = [
    "BACKBONES",
    "WANTED",
    "Backbone",
    "Embedder",
    "compare",
    "crop_row",
    "crop_store",
    "crop_to_foreground",
    "digest_in_use",
    "evaluate",
    "features_in_use",
    "find_contender",
    "fit",
    "has_plain_background",
    "kept_embeddings",
    "keys_of",
    "load",
    "preferred_item_shots",
    "resize",
    "unreadable_paths",
    "whole_pictures",
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
        ".crops": ["crop_row", "crop_store", "keys_of", "unreadable_paths", "whole_pictures"],
        ".dataset": ["WANTED", "worn_garments"],
        ".embeddings": ["kept_embeddings"],
        ".evaluation": ["compare", "evaluate", "find_contender"],
        ".fitting": ["fit"],
        ".in_use": ["digest_in_use", "features_in_use"],
        ".loading": ["load"],
        ".preprocessing": ["crop_to_foreground", "has_plain_background", "preferred_item_shots", "resize"],
        "fullshot.core.interfaces": ["Backbone", "Embedder"],
    },
)
