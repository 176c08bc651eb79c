"""What is made from pixels, kept once: see :class:`fullshot.core.features.store.FeatureStore`."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names

if TYPE_CHECKING:
    from fullshot.core.features.geometry import geometry_row, geometry_rows, geometry_store, keys_of_paths
    from fullshot.core.features.jobs import Job, Made, Unreadable, reading
    from fullshot.core.features.rows import Rows
    from fullshot.core.features.shards import adopt
    from fullshot.core.features.store import FOLDER, FeatureStore
    from fullshot.core.features.waste import InUse, collect_garbage

__all__ = [
    "FOLDER",
    "FeatureStore",
    "InUse",
    "Job",
    "Made",
    "Rows",
    "Unreadable",
    "adopt",
    "collect_garbage",
    "geometry_row",
    "geometry_rows",
    "geometry_store",
    "keys_of_paths",
    "reading",
]

__getattr__ = lazy_names(  # pyarrow is loaded when a store is used
    __name__,
    {
        ".geometry": ["geometry_row", "geometry_rows", "geometry_store", "keys_of_paths"],
        ".jobs": ["Job", "Made", "Unreadable", "reading"],
        ".rows": ["Rows"],
        ".shards": ["adopt"],
        ".store": ["FOLDER", "FeatureStore"],
        ".waste": ["InUse", "collect_garbage"],
    },
)
