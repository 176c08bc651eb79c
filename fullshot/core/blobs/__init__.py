"""Bytes by name: where a workspace's pictures lie."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.core.blobs.local import LocalBlobs
from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from fullshot.core.interfaces import BlobStore

__all__ = ["BLOB_STORES", "LocalBlobs"]

BLOB_STORES: "Registry[Callable[[Path | str], BlobStore]]" = Registry(
    "blob store",
    "fullshot.blob_stores",
    {"local": "fullshot.core.blobs.local:LocalBlobs"},
    keeps("fullshot.core.interfaces:BlobStore"),
)
"""A blob store by its name; each is made with the place of its blobs, such as a folder."""
