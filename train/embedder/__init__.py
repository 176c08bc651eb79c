"""The embedder: crops of one product come to lie close together, whoever wears it and however it is photographed.

It has a backbone, which has a name (:func:`fullshot.train.embedder.backbones.opening.open_backbone`), and a layer that
turns the backbone's features into vectors.
"""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names
from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from fullshot.core.interfaces import Backbone, Embedder
    from fullshot.train.embedder.backbones.opening import check_name
    from fullshot.train.embedder.crops import crop_row, crop_store, keys_of, unreadable_paths, whole_pictures
    from fullshot.train.embedder.dataset import WANTED, worn_garments
    from fullshot.train.embedder.embeddings import kept_embeddings
    from fullshot.train.embedder.evaluation import compare, evaluate, find_contender
    from fullshot.train.embedder.fitting import fit
    from fullshot.train.embedder.in_use import STARTER, EmbedderInUse, digest_in_use, embedder_in_use, features_in_use
    from fullshot.train.embedder.preprocessing import (
        Preparation,
        crop_to_foreground,
        has_plain_background,
        preferred_item_shots,
        preparation_of,
        resize,
    )
    from fullshot.train.embedder.sources import (
        Source,
        find_source,
        is_workspace,
        load,
        open_embedder,
        open_source,
        source_in_use,
    )
    from fullshot.train.embedder.starting import check_weights
    from fullshot.train.embedder.vectors import Wanted, embed_photos, embed_workspace

__all__ = [
    "BACKBONES",
    "STARTER",
    "WANTED",
    "Backbone",
    "Embedder",
    "EmbedderInUse",
    "Preparation",
    "Source",
    "Wanted",
    "check_name",
    "check_weights",
    "compare",
    "crop_row",
    "crop_store",
    "crop_to_foreground",
    "digest_in_use",
    "embed_photos",
    "embed_workspace",
    "embedder_in_use",
    "evaluate",
    "features_in_use",
    "find_contender",
    "find_source",
    "fit",
    "has_plain_background",
    "is_workspace",
    "kept_embeddings",
    "keys_of",
    "load",
    "open_embedder",
    "open_source",
    "preferred_item_shots",
    "preparation_of",
    "resize",
    "source_in_use",
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
        ".backbones.opening": ["check_name"],
        ".in_use": ["STARTER", "EmbedderInUse", "digest_in_use", "embedder_in_use", "features_in_use"],
        ".preprocessing": [
            "Preparation",
            "crop_to_foreground",
            "has_plain_background",
            "preferred_item_shots",
            "preparation_of",
            "resize",
        ],
        ".sources": [
            "Source",
            "find_source",
            "is_workspace",
            "load",
            "open_embedder",
            "open_source",
            "source_in_use",
        ],
        ".starting": ["check_weights"],
        ".vectors": ["Wanted", "embed_photos", "embed_workspace"],
        "fullshot.core.interfaces": ["Backbone", "Embedder"],
    },
)
