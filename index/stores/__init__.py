"""Vector stores: where a catalog's vectors lie, and what searches them."""

from typing import TYPE_CHECKING

from fullshot.core.registry import Registry, keeps

if TYPE_CHECKING:
    from fullshot.core.interfaces import VectorStore

__all__ = ["VECTOR_STORES"]

VECTOR_STORES: "Registry[type[VectorStore]]" = Registry(
    "vector store",
    "fullshot.vector_stores",
    {"faiss": "fullshot.index.stores.faiss:FaissStore"},
    keeps("fullshot.core.interfaces:VectorStore"),
)
"""A vector store's class by its name, that of the setting ``index.store``."""
