"""Vector stores: where a catalog's vectors lie, and what searches them."""

from fullshot.core.interfaces import VectorStore
from fullshot.core.registry import Registry, keeps

__all__ = ["VECTOR_STORES"]

VECTOR_STORES: Registry[type[VectorStore]] = Registry(
    "vector store",
    "fullshot.vector_stores",
    {"faiss": "fullshot.index.stores.faiss:FaissStore"},
    keeps("fullshot.core.interfaces:VectorStore"),
)
"""A vector store's class by its name, that of the setting ``index.store``."""
