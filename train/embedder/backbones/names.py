"""How backbones are called, and what they say of themselves; no library is needed for it."""

from fullshot.core.interfaces import Backbone, GivesMaps

HF_HUB, OPEN_CLIP = "hf-hub:", "open_clip:"
"""How the names of open_clip's models begin: those that a hub has, and those that it builds itself."""


def is_of_open_clip(name: str) -> bool:
    """Whether a name is one of open_clip's models."""
    return name.startswith((HF_HUB, OPEN_CLIP))


def gives_maps(backbone: Backbone) -> bool:
    """Whether a backbone gives maps, which are to be pooled."""
    return isinstance(backbone, GivesMaps) and backbone.gives_maps
