"""What a worker process does: extract the features of pictures, each decoded once.

It loads little: what only the tables need is not imported here.
"""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow

from fullshot.core import pictures
from fullshot.core.engines import shards
from fullshot.core.features import FeatureStore, Job, Made, Unreadable, geometry_row, reading
from fullshot.core.pictures import Reduced
from fullshot.curation.duplicates.fingerprint import THUMBNAIL_BYTES, fingerprint
from fullshot.curation.features.decoding import decode_jpeg
from fullshot.curation.pose import PoseEstimator
from fullshot.curation.pose.people import People
from fullshot.curation.quality import checks

LONGEST = 512
"""The longer side, in pixels, below which no picture is decoded. The landmark model sees 256 × 256 pixels of a person,
the quality measures and hashes less."""

_TOGETHER = 16


@functools.cache
def schema() -> pyarrow.Schema:
    """The columns that are kept of a picture; those of measures follow from the quality checks that there are."""
    return pyarrow.schema(
        [
            ("width", pyarrow.int32()),  # of the whole picture, upright
            ("height", pyarrow.int32()),
            # (people, joints, 4) one after the other: x, y (shares of width and height), visibility, presence
            ("keypoints", pyarrow.list_(pyarrow.float32())),
            *((name, pyarrow.float32()) for name in checks.measure_names()),
            ("phash", pyarrow.uint64()),
            ("thumbnail", pyarrow.binary(THUMBNAIL_BYTES)),
        ]
    )


def extract(jobs: Sequence[Job], *, estimator: PoseEstimator, geometries: FeatureStore) -> list[Made]:
    """The features of some pictures.

    Args:
        jobs: the pictures.
        estimator: finds the people.
        geometries: is told by the way how large each picture is, and how it lies.

    Returns:
        What :func:`schema` says of each, or why it cannot be read.
    """
    cv2.setNumThreads(1)  # there is a process a core
    estimator = resident(estimator)
    made: list[Made] = []
    seen: list[Made] = []
    # Each step of some pictures after the other: what a step needs stays in the processor's caches.
    for batch in shards(jobs, _TOGETHER):
        decoded = [reading(job.path, read_for_features) for job in batch]
        people = iter([estimator.predict(one.pixels) for one in decoded if not isinstance(one, Unreadable)])
        for picture in decoded:
            if isinstance(picture, Unreadable):
                made.append(picture)
                seen.append(picture)
            else:
                made.append(_row(picture, next(people)))
                seen.append(geometry_row(picture.geometry))
    geometries.keep(jobs, seen)
    return made


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
    return pictures.read_reduced(path, LONGEST, decode_jpeg)


def _row(picture: Reduced, people: People) -> Mapping[str, Any]:
    fingerprint_ = fingerprint(picture.pixels)
    return {
        "width": picture.width,
        "height": picture.height,
        "keypoints": people.keypoints.astype(np.float32).ravel(),
        **checks.measure(picture.pixels),
        "phash": fingerprint_.phash,
        "thumbnail": fingerprint_.thumbnail.tobytes(),
    }
