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

from curation import measures
from curation.estimators import Estimator
from curation.fingerprint import THUMBNAIL_BYTES, fingerprint
from curation.pose import PoseEstimator, gathered
from fullshot import storage
from fullshot.files import write_bytes

FOLDER = "looks"

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

Job = tuple[str, str]
"""A picture: its image_id, and its path relative to the workspace."""


@dataclass(frozen=True)
class Unreadable:
    """A picture that could not be judged: ``kind`` is ``missing``, ``too-large`` or ``not-an-image``."""

    image_id: str
    kind: str
    message: str


def look_at_shard(jobs: Sequence[Job], *, root: Path, estimator: Estimator, make: str) -> list[Unreadable]:
    """Look at some pictures and write what was found as one shard; run by a process of :func:`curation.looks.look`."""
    cv2.setNumThreads(1)  # there is a process a core
    pose = _opened(estimator)
    rows: list[dict[str, Any]] = []
    unreadable: list[Unreadable] = []
    for identity, path in jobs:
        try:
            found = measured(root / path, pose)
        except storage.TooLarge as error:
            unreadable.append(Unreadable(identity, "too-large", str(error)))
        except MemoryError:
            unreadable.append(Unreadable(identity, "too-large", "more than there is memory for"))
        except storage.NotAnImage as error:
            unreadable.append(Unreadable(identity, "not-an-image", str(error)))
        except OSError as error:
            unreadable.append(Unreadable(identity, "missing", error.strerror or type(error).__name__))
        else:
            rows.append({"image_id": identity, "make": make, **found})
    if rows:
        memory = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=SCHEMA), memory)
        # The name follows from what is inside: the same pictures are never kept twice.
        name = hashlib.sha256("".join(row["image_id"] for row in rows).encode()).hexdigest()[:16]
        write_bytes(folder_of(root, make) / f"{name}.parquet", memory.getvalue())
    return unreadable


def folder_of(root: Path, make: str) -> Path:
    """Where a workspace keeps the looks of one make; those of another estimator lie beside them."""
    return root / FOLDER / hashlib.sha256(make.encode()).hexdigest()[:12]


@lru_cache(maxsize=1)
def _opened(estimator: Estimator) -> PoseEstimator:
    """An estimator that this process keeps: to open one takes as long as six pictures take to be looked at."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(estimator.opened())


def measured(path: Path, pose: PoseEstimator) -> Mapping[str, Any]:
    """What one picture's row holds, without its name.

    Raises:
        NotAnImage: it does not decode.
        OSError: it cannot be read.
    """
    picture = storage.read_reduced(path, LONGEST)
    people = gathered(pose.people(picture.pixels), pose.layout)
    print_ = fingerprint(picture.pixels)
    return {
        "width": picture.width,
        "height": picture.height,
        "keypoints": people.keypoints.astype(np.float32).ravel(),
        **measures.measure(picture.pixels),
        "phash": print_.phash,
        "thumbnail": print_.thumbnail.tobytes(),
    }
