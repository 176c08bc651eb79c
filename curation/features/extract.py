"""What a worker process does: extract the features of pictures, a shard at a time, and write them down.

It loads little: what only the tables need is not imported here.
"""

import functools
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow
import pyarrow.parquet

from fullshot.core import pictures
from fullshot.core.engines import shards
from fullshot.core.files import write_bytes
from fullshot.core.pictures import Reduced
from fullshot.curation.duplicates.fingerprint import THUMBNAIL_BYTES, fingerprint
from fullshot.curation.features.versions import shards_folder
from fullshot.curation.pose import PoseEstimator
from fullshot.curation.pose.people import People
from fullshot.curation.quality import checks

LONGEST = 512
"""The longer side, in pixels, below which no picture is decoded. The landmark model sees 256 × 256 pixels of a person,
the quality measures and hashes less."""

_TOGETHER = 16

Job = tuple[str, str]
"""A picture: its image_id, and its path relative to the workspace."""


@dataclass(frozen=True)
class Unreadable:
    """A picture without features: ``kind`` is ``missing``, ``too-large`` or ``not-an-image``."""

    image_id: str
    kind: str
    message: str


@functools.cache
def schema() -> pyarrow.Schema:
    """The columns of a shard; those of measures follow from the quality checks that there are."""
    return pyarrow.schema(
        [
            ("image_id", pyarrow.string()),
            ("version", pyarrow.string()),
            ("width", pyarrow.int32()),  # of the whole picture, upright
            ("height", pyarrow.int32()),
            # (people, joints, 4) one after the other: x, y (shares of width and height), visibility, presence
            ("keypoints", pyarrow.list_(pyarrow.float32())),
            *((name, pyarrow.float32()) for name in checks.measure_names()),
            ("phash", pyarrow.uint64()),
            ("thumbnail", pyarrow.binary(THUMBNAIL_BYTES)),
        ]
    )


def extract_shard(jobs: Sequence[Job], *, root: Path, estimator: PoseEstimator, version: str) -> list[Unreadable]:
    """Extract the features of some pictures and write them as one shard.

    Args:
        jobs: the pictures.
        root: of the workspace.
        estimator: finds the people.
        version: of the features.

    Returns:
        The pictures that cannot be read.
    """
    cv2.setNumThreads(1)  # there is a process a core
    estimator = resident(estimator)
    rows: list[dict[str, Any]] = []
    unreadable: list[Unreadable] = []
    # Each step of some pictures after the other: what a step needs stays in the processor's caches.
    for batch in shards(jobs, _TOGETHER):
        decoded = {identity: _decoded(identity, root / path) for identity, path in batch}
        unreadable += [picture for picture in decoded.values() if isinstance(picture, Unreadable)]
        readable = {identity: picture for identity, picture in decoded.items() if isinstance(picture, Reduced)}
        people = [estimator.predict(picture.pixels) for picture in readable.values()]
        for (identity, picture), somebody in zip(readable.items(), people, strict=True):
            rows.append({"image_id": identity, "version": version, **_row(picture, somebody)})
    if rows:
        memory = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema()), memory)
        # The name follows from what is inside: the same pictures are never kept twice.
        name = hashlib.sha256("".join(row["image_id"] for row in rows).encode()).hexdigest()[:16]
        write_bytes(shards_folder(root, version) / f"{name}.parquet", memory.getvalue())
    return unreadable


_resident: dict[str, PoseEstimator] = {}


def resident(estimator: PoseEstimator) -> PoseEstimator:
    """The estimator of this version that this process keeps: to load one takes as long as six pictures."""
    if estimator.version not in _resident:
        for other in _resident.values():
            other.close()
        _resident.clear()
        _resident[estimator.version] = estimator
    return _resident[estimator.version]


def read_for_features(path: Path) -> Reduced:
    """A picture as its features are extracted from it: upright, not much larger than they need.

    Raises:
        NotAnImage: it does not decode.
        OSError: the file cannot be read.
    """
    return pictures.read_reduced(path, LONGEST)


def _decoded(identity: str, path: Path) -> Reduced | Unreadable:
    try:
        return read_for_features(path)
    except pictures.TooLarge as error:
        return Unreadable(identity, "too-large", str(error))
    except MemoryError:
        return Unreadable(identity, "too-large", "more than there is memory for")
    except pictures.NotAnImage as error:
        return Unreadable(identity, "not-an-image", str(error))
    except OSError as error:
        return Unreadable(identity, "missing", error.strerror or type(error).__name__)


def _row(picture: Reduced, people: People) -> Mapping[str, Any]:
    """What one picture's row holds, without its name and version."""
    fingerprint_ = fingerprint(picture.pixels)
    return {
        "width": picture.width,
        "height": picture.height,
        "keypoints": people.keypoints.astype(np.float32).ravel(),
        **checks.measure(picture.pixels),
        "phash": fingerprint_.phash,
        "thumbnail": fingerprint_.thumbnail.tobytes(),
    }
