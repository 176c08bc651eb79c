"""The boxes that a detector finds in pictures: each picture goes through its network once, and they are kept."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pyarrow

from fullshot.core.boxes import Box
from fullshot.core.engines import cores, shards
from fullshot.core.features import FeatureStore, Job, Made, Unreadable, keys_of_paths, reading
from fullshot.core.interfaces import Detector, DetectorInPrecision
from fullshot.core.pictures import read_rgb
from fullshot.train.runtimes import FLOAT32

DETECTIONS = "detections"
"""Of the store."""

_SCHEMA = pyarrow.schema([("boxes", pyarrow.string())])  # as JSON

_AT_ONCE = 2048
"""Pictures that are looked at before the first boxes come, where some have not been looked at yet. To find what is kept
is to read the names of all that is: of a million pictures that takes as long as to look at some dozen."""

_DECODED = 16
"""Pictures that are held in memory at once: a camera's has 36 MB."""


def detector_version(detector: Detector) -> str:
    """What a detector's answers depend on, besides the picture and the least score of a box."""
    parts = [detector.digest, str(detector.image_size)]
    if isinstance(detector, DetectorInPrecision) and detector.precision != FLOAT32:
        parts.append(detector.precision)
    return "-".join(parts)


def detection_store(root: Path, detector: Detector, confidence: float) -> FeatureStore:
    """Where a workspace keeps the boxes that a detector found: see :func:`detection_row`.

    Args:
        root: of the workspace.
        detector: that finds them.
        confidence: the least score of a box that it reports.
    """
    version = f"{detector_version(detector)}-{confidence}"
    return FeatureStore(root, DETECTIONS, version, _SCHEMA, "annotate push")


def detection_row(boxes: Sequence[Box]) -> Made:
    """The columns of one picture, for whoever has looked for its boxes on the way; see :meth:`FeatureStore.keep`.

    Args:
        boxes: in pixels of the upright picture.
    """
    return {"boxes": json.dumps([asdict(box) for box in boxes])}


def kept_detections(
    root: Path, paths: Sequence[str], detector: Detector, confidence: float
) -> Iterator[list[Box] | None]:
    """The boxes of pictures, in their order, in pixels of the upright picture; None of one that cannot be read.

    Args:
        root: of the workspace.
        paths: relative to it.
        detector: looks for those that are not kept; in this process, which has the device.
        confidence: the least score of a box that it reports.
    """
    store = detection_store(root, detector, confidence)
    keys = keys_of_paths(paths)
    size = len(paths) if store.look_up(keys).is_present.all() else _AT_ONCE
    for start in range(0, len(paths), size):
        rows = store.fill(keys.slice(start, size), partial(_detect, detector=detector))
        for boxes in rows.read(["boxes"])["boxes"].to_pylist():
            yield None if boxes is None else [Box(**box) for box in json.loads(boxes)]


def _detect(jobs: Sequence[Job], *, detector: Detector) -> list[Made]:
    made: list[Made] = []
    with ThreadPoolExecutor(cores()) as pool:  # the decoder lets go of the interpreter
        for some in shards(jobs, _DECODED):
            decoded = list(pool.map(lambda job: reading(job.path, partial(read_rgb, upright=True)), some))
            boxes = iter(detector.predict([picture for picture in decoded if not isinstance(picture, Unreadable)]))
            made += [picture if isinstance(picture, Unreadable) else detection_row(next(boxes)) for picture in decoded]
    return made
