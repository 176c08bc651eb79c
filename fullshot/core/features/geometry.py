"""Size and orientation of every picture, and whether it decodes whole: seen once, by whichever stage comes first."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow
import pyarrow.compute

from fullshot.core.engines import open_engine
from fullshot.core.features.jobs import Job, Made, Unreadable, reading
from fullshot.core.features.rows import Rows
from fullshot.core.features.store import FeatureStore
from fullshot.core.geometry import ImageGeometry
from fullshot.core.pictures import read_reduced

KIND, VERSION = "geometry", "1"

Paths: TypeAlias = "Iterable[str] | pyarrow.ChunkedArray"

_SCHEMA = pyarrow.schema(
    [("width", pyarrow.int32()), ("height", pyarrow.int32()), ("orientation", pyarrow.int8())]  # as it is stored
)

_NAME = r"(?:^|/)(?P<name>[0-9a-f]{64})(?:\.[^/.]+)?$"

_SIDE = 64
"""Longer side in pixels that a picture is decoded to: its bytes are all read, its pixels are not all made."""

_LEAST = 256
"""Pictures that are decoded by this process, before workers are started: to start one takes as long as so many."""


def geometry_store(root: Path) -> FeatureStore:
    """A workspace's geometries: columns ``width`` and ``height`` in pixels as stored, and ``orientation``, 1 to 8."""
    return FeatureStore(root, KIND, VERSION, _SCHEMA, "curate")


def geometry_row(geometry: ImageGeometry) -> Mapping[str, Any]:
    """The columns of one picture, for whoever has decoded it for another purpose; see :meth:`FeatureStore.keep`."""
    return {"width": geometry.width, "height": geometry.height, "orientation": geometry.orientation}


def geometry_rows(root: Path, paths: Paths, engine: str = "processes", stage: str | None = None) -> Rows:
    """The geometries of pictures; those that no command has looked at yet are decoded, small.

    Args:
        root: of the workspace.
        paths: relative to it.
        engine: whose workers decode, if there are many.
        stage: for the bar of progress; None: none is shown.

    Returns:
        A row for each of the paths, in their order; ``is_readable`` says which decode to their end.
    """
    with open_engine(engine) as workers:
        return geometry_store(root).fill(keys_of_paths(paths), _measure, workers, stage, least=_LEAST)


def keys_of_paths(paths: Paths) -> pyarrow.Table:
    """Keys of pictures of which only the path is at hand.

    Args:
        paths: relative to the workspace.
    """
    if not isinstance(paths, pyarrow.ChunkedArray):
        paths = pyarrow.chunked_array([pyarrow.array(list(paths), pyarrow.string())])
    paths = paths.cast(pyarrow.string())
    # A stored picture is named by its image_id; whatever else a table points to is known by its path.
    names = pyarrow.compute.struct_field(pyarrow.compute.extract_regex(paths, _NAME), 0)
    return pyarrow.table({"image_id": pyarrow.compute.coalesce(names, paths), "path": paths})


def _measure(jobs: Sequence[Job]) -> list[Made]:
    made: list[Made] = []
    for job in jobs:
        picture = reading(job.path, functools.partial(read_reduced, longest=_SIDE))
        made.append(picture if isinstance(picture, Unreadable) else geometry_row(picture.geometry))
    return made
