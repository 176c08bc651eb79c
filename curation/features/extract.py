"""What a worker process does: look at pictures, a shard at a time, and write down what was found.

It loads little: what only the tables need is not imported here.
"""

import atexit
import hashlib
import io
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
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
from fullshot.curation.features.versions import folder_of
from fullshot.curation.pose.estimators import Estimator
from fullshot.curation.pose.mediapipe import People, PoseEstimator, gathered
from fullshot.curation.quality import measures

LONGEST = 512
"""The longer side, in pixels, below which no picture is decoded. The landmark model sees 256 × 256 pixels of a person,
the quality measures and hashes less."""

SCHEMA = pyarrow.schema(
    [
        ("image_id", pyarrow.string()),
        ("make", pyarrow.string()),
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


def look_at_shard(jobs: Sequence[Job], *, root: Path, estimator: Estimator, make: str) -> list[Unreadable]:
    """Look at some pictures and write what was found as one shard; run by a process of :func:`store.look`."""
    cv2.setNumThreads(1)  # there is a process a core
    pose = opened(estimator)
    rows: list[dict[str, Any]] = []
    unreadable: list[Unreadable] = []
    # Each step of some pictures after the other: what a step needs stays in the processor's caches.
    for batch in shards(jobs, _TOGETHER):
        pictures = {identity: _decoded(identity, root / path) for identity, path in batch}
        unreadable += [picture for picture in pictures.values() if isinstance(picture, Unreadable)]
        readable = {identity: picture for identity, picture in pictures.items() if isinstance(picture, Reduced)}
        people = [gathered(pose.people(picture.pixels), pose.layout) for picture in readable.values()]
        for (identity, picture), found in zip(readable.items(), people, strict=True):
            rows.append({"image_id": identity, "make": make, **_row(picture, found)})
    if rows:
        memory = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=SCHEMA), memory)
        # The name follows from what is inside: the same pictures are never kept twice.
        name = hashlib.sha256("".join(row["image_id"] for row in rows).encode()).hexdigest()[:16]
        write_bytes(folder_of(root, make) / f"{name}.parquet", memory.getvalue())
    return unreadable


@lru_cache(maxsize=1)
def opened(estimator: Estimator) -> PoseEstimator:
    """An estimator that this process keeps: to open one takes as long as six pictures take to be looked at."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(estimator.opened())


def _decoded(identity: str, path: Path) -> Reduced | Unreadable:
    try:
        return storage.read_reduced(path, LONGEST)
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
