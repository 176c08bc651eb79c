"""The tables that stages hand on: a schema each, atomic write, and errors that name the cell."""

from fullshot.core.tables.frames import columns, frame, read, write
from fullshot.core.tables.schemas import ANNOTATIONS, MADE_BY, SCHEMAS, SHOTS, SOURCES, SPLITS

__all__ = ["ANNOTATIONS", "MADE_BY", "SCHEMAS", "SHOTS", "SOURCES", "SPLITS", "columns", "frame", "read", "write"]
