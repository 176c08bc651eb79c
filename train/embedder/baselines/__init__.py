"""Embedders that nothing was learnt for: what is not better than these is not worth its training."""

from typing import TYPE_CHECKING

from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from fullshot.core.interfaces import Embedder

BASELINES: "Registry[type[Embedder]]" = Registry(
    "baseline",
    "fullshot.baselines",
    {
        "random": "fullshot.train.embedder.baselines.chance:RandomEmbedder",
        "hsv": "fullshot.train.embedder.baselines.colours:ColourHistogram",
        "hog": "fullshot.train.embedder.baselines.gradients:GradientHistograms",
    },
    keeps("fullshot.core.interfaces:Embedder"),
)
"""By name; each is made without arguments."""
