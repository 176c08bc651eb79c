"""The index: the searchable catalog, what is asked of it, and where its pictures come from."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.index.answer import Garment, LookAlike, Recommendation
    from fullshot.index.building import build_catalog
    from fullshot.index.catalog import Catalog, Hit
    from fullshot.index.evaluation import evaluate_recommend
    from fullshot.index.in_use import features_in_use
    from fullshot.index.map.making import draw_map
    from fullshot.index.map.request import must_be_drawable
    from fullshot.index.neighbours import check_splits
    from fullshot.index.recommendation import must_be_answerable, recommend
    from fullshot.index.recommender import Recommender
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
    "draw_map",
    "evaluate_recommend",
    "features_in_use",
    "must_be_answerable",
    "must_be_drawable",
    "recommend",
    "trace",
]

__getattr__ = lazy_names(
    __name__,
    {
        ".answer": ["Garment", "LookAlike", "Recommendation"],
        ".building": ["build_catalog"],
        ".catalog": ["Catalog", "Hit"],
        ".evaluation": ["evaluate_recommend"],
        ".in_use": ["features_in_use"],
        ".map.making": ["draw_map"],
        ".map.request": ["must_be_drawable"],
        ".neighbours": ["check_splits"],
        ".recommendation": ["must_be_answerable", "recommend"],
        ".recommender": ["Recommender"],
        ".stores": ["VECTOR_STORES"],
        ".tracing": ["trace"],
    },
)
