"""What the index keeps of pictures, and which versions of it are needed."""

from typing import TYPE_CHECKING

from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.index.catalog import read_manifest
from fullshot.train import unknown_runs
from fullshot.train.detector import in_use

if TYPE_CHECKING:
    from fullshot.core.features import InUse

GARMENTS = "garments"
"""What people wear in outfit images: a kind of features, see :mod:`fullshot.index.outfits`."""

RULES = "1"
"""The version of :mod:`fullshot.index.garments`; what other rules chose is not used."""

MIRRORED = "mirrored"
"""Thumbnails of mirrored pictures: a kind of features, see :mod:`fullshot.index.neighbours`."""

MIRRORED_VERSION = "1"
"""To be raised with that of curation's fingerprints."""

TILES = "tiles"
"""Small pictures of items: a kind of features, see :mod:`fullshot.index.map.tiles`."""

TILES_VERSION = "1"
"""To be raised by whoever changes what a tile looks like."""


def garments_version(detector: str | None, others: str) -> str:
    """The version of garments.

    Args:
        detector: the digest of its weights; None: there is none.
        others: a digest of what else they depend on, or ``*``.
    """
    return f"{RULES}-{detector or 'pose'}-{others}"


def features_in_use(workspace: Workspace) -> "InUse":
    """The versions that are needed, and the catalog's embeddings.

    See :func:`fullshot.core.features.collect_garbage`.
    """
    manifest = read_manifest(workspace)
    # Whether the starter weights are used is a setting, which a command may be given.
    used = in_use(workspace, Settings())
    is_known = bool(used.digest) and not unknown_runs(workspace, "detector")
    others = [garments_version(None, "*")] if used.run is None else []
    garments = [garments_version(used.digest, "*"), *others] if is_known else None
    return {
        "embeddings": [manifest["embedder"][:16]] if manifest else [],
        GARMENTS: garments,
        MIRRORED: [MIRRORED_VERSION],
        TILES: [TILES_VERSION],
    }
