"""What can be exchanged: the protocols that an implementation keeps, in the house or in another package.

Each has a registry (:mod:`fullshot.core.registry`) in the room that it belongs to, and a suite of tests in
``tests/conformance/`` that runs over every implementation that is there. Where a value belongs to a stage (a page's
item, a person's joints), the protocol is generic over it, since the stages lie above this module.

An implementation that needs settings is a class with a class method ``from_settings``.
"""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.core.interfaces.annotation import BoxFormat
    from fullshot.core.interfaces.crawling import Frontier, Renderer, ShopPage
    from fullshot.core.interfaces.curation import PoseEstimator, QualityCheck
    from fullshot.core.interfaces.engines import Engine
    from fullshot.core.interfaces.models import (
        Backbone,
        ContinuingTrainer,
        Detector,
        DetectorInPrecision,
        DetectorTrainer,
        DetectorWithFeatures,
        Embedder,
        ExportingTrainer,
        GivesMaps,
        KnowsDefaults,
        StartsFromWeights,
        TextEmbedder,
    )
    from fullshot.core.interfaces.storage import BlobStore, GivesVectors, VectorStore

__all__ = [
    "Backbone",
    "BlobStore",
    "BoxFormat",
    "ContinuingTrainer",
    "Detector",
    "DetectorInPrecision",
    "DetectorTrainer",
    "DetectorWithFeatures",
    "Embedder",
    "Engine",
    "ExportingTrainer",
    "Frontier",
    "GivesMaps",
    "GivesVectors",
    "KnowsDefaults",
    "PoseEstimator",
    "QualityCheck",
    "Renderer",
    "ShopPage",
    "StartsFromWeights",
    "TextEmbedder",
    "VectorStore",
]

__getattr__ = lazy_names(
    __name__,
    {
        ".annotation": ["BoxFormat"],
        ".crawling": ["Frontier", "Renderer", "ShopPage"],
        ".curation": ["PoseEstimator", "QualityCheck"],
        ".engines": ["Engine"],
        ".models": [
            "Backbone",
            "ContinuingTrainer",
            "Detector",
            "DetectorTrainer",
            "DetectorInPrecision",
            "DetectorWithFeatures",
            "Embedder",
            "ExportingTrainer",
            "GivesMaps",
            "KnowsDefaults",
            "StartsFromWeights",
            "TextEmbedder",
        ],
        ".storage": ["BlobStore", "GivesVectors", "VectorStore"],
    },
)
