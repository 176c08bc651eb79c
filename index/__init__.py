"""The index: the searchable catalog, what is asked of it, and where its pictures come from."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullshot.index.answer import Garment, LookAlike, Recommendation
    from fullshot.index.building import build_catalog
    from fullshot.index.catalog import Catalog, Hit
    from fullshot.index.evaluation import evaluate_recommend
    from fullshot.index.neighbours import check_splits
    from fullshot.index.recommender import Recommender, recommend
    from fullshot.index.stores import VECTOR_STORES
    from fullshot.index.tracing import trace

__all__ = [
    "VECTOR_STORES",
    "Catalog",
    "Garment",
    "Hit",
    "LookAlike",
    "Recommendation",
    "Recommender",
    "build_catalog",
    "check_splits",
    "evaluate_recommend",
    "recommend",
    "trace",
]

_PLACES = {
    "VECTOR_STORES": "stores",
    "Catalog": "catalog",
    "Garment": "answer",
    "Hit": "catalog",
    "LookAlike": "answer",
    "Recommendation": "answer",
    "Recommender": "recommender",
    "build_catalog": "building",
    "check_splits": "neighbours",
    "evaluate_recommend": "evaluation",
    "recommend": "recommender",
    "trace": "tracing",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: `fullshot --help` needs none of these, nor the libraries that they load.
    if name in _PLACES:
        return getattr(import_module(f"fullshot.index.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
