"""The tables that stages hand on: a schema each, a CSV beside a Parquet, and errors that name the cell."""

from typing import TYPE_CHECKING

from fullshot.core.lazy import lazy_names
from fullshot.core.tables.schemas import ANNOTATIONS, MADE_BY, SCHEMAS, SHOTS, SOURCES, SPLITS, columns

if TYPE_CHECKING:
    from fullshot.core.tables.frames import frame

__all__ = ["ANNOTATIONS", "MADE_BY", "SCHEMAS", "SHOTS", "SOURCES", "SPLITS", "columns", "frame"]

__getattr__ = lazy_names(__name__, {".frames": ["frame"]})
