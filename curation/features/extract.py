"""What a worker process does: look at pictures, a shard at a time, and write down what was found.

It loads little: what only the tables need is not imported here.
"""

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

from fullshot.core import pictures as storage
from fullshot.core.engines import shards
from fullshot.core.files import write_bytes
from fullshot.core.pictures import Reduced
from fullshot.curation.duplicates.fingerprint import THUMBNAIL_BYTES, fingerprint
from fullshot.curation.features.versions import shards_folder
from fullshot.curation.pose import PoseEstimator
from fullshot.curation.pose.people import People
from fullshot.curation.quality import measures

LONGEST = 512
"""The longer side, in pixels, below which no picture is decoded. The landmark model sees 256 × 256 pixels of a person,
the quality measures and hashes less."""

SCHEMA = pyarrow.schema(
    [
        ("image_id", pyarrow.string()),
        ("version", pyarrow.string()),
        ("width", pyarrow.int32()),  # of the whole picture, upright
        ("height", pyarrow.int32()),
        # (people, joints, 4) one after the other: x, y (shares of width and height), visibility, presence
        ("keypoints", pyarrow.list_(pyarrow.float32())),
        *((name, pyarrow.float32()) for name in measures.MEASURES),
        ("phash", pyarrow.uint64()),
        ("thumbnail", pyarrow.binary(THUMBNAIL_BYTES)),
    ]
)

_TOGETHER = 16

Job = tuple[str, str]
"""A picture: its image_id, and its path relative to the workspace."""


@dataclass(frozen=True)
class Unreadable:
    """A picture that could not be judged: ``kind`` is ``missing``, ``too-large`` or ``not-an-image``."""

    image_id: str
    kind: str
    message: str


def extract_shard(jobs: Sequence[Job], *, root: Path, estimator: PoseEstimator, version: str) -> list[Unreadable]:
    """Extract the features of some pictures and write them as one shard; run by a worker process."""
    cv2.setNumThreads(1)  # there is a process a core
    pose = resident(estimator)
    rows: list[dict[str, Any]] = []
    unreadable: list[Unreadable] = []
    # Each step of some pictures after the other: what a step needs stays in the processor's caches.
    for batch in shards(jobs, _TOGETHER):
        pictures = {identity: _decoded(identity, root / path) for identity, path in batch}
        unreadable += [picture for picture in pictures.values() if isinstance(picture, Unreadable)]
        readable = {identity: picture for identity, picture in pictures.items() if isinstance(picture, Reduced)}
        people = [pose.predict(picture.pixels) for picture in readable.values()]
        for (identity, picture), found in zip(readable.items(), people, strict=True):
            rows.append({"image_id": identity, "version": version, **_row(picture, found)})
    if rows:
        memory = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=SCHEMA), memory)
        # The name follows from what is inside: the same pictures are never kept twice.
        name = hashlib.sha256("".join(row["image_id"] for row in rows).encode()).hexdigest()[:16]
        write_bytes(shards_folder(root, version) / f"{name}.parquet", memory.getvalue())
    return unreadable


_resident: dict[str, PoseEstimator] = {}


def resident(estimator: PoseEstimator) -> PoseEstimator:
    """The estimator of this version that this process keeps, for to load one takes as long as six pictures."""
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
    return storage.read_reduced(path, LONGEST)


def _decoded(identity: str, path: Path) -> Reduced | Unreadable:
    try:
        return read_for_features(path)
    except storage.TooLarge as error:
        return Unreadable(identity, "too-large", str(error))
    except MemoryError:
        return Unreadable(identity, "too-large", "more than there is memory for")
    except storage.NotAnImage as error:
        return Unreadable(identity, "not-an-image", str(error))
    except OSError as error:
        return Unreadable(identity, "missing", error.strerror or type(error).__name__)


def _row(picture: Reduced, people: People) -> Mapping[str, Any]:
    """What one picture's row holds, without its name."""
    print_ = fingerprint(picture.pixels)
    return {
        "width": picture.width,
        "height": picture.height,
        "keypoints": people.keypoints.astype(np.float32).ravel(),
        **measures.measure(picture.pixels),
        "phash": print_.phash,
        "thumbnail": print_.thumbnail.tobytes(),
    }
