"""The garments in the workspace's own outfit images: each is looked at once, and what is found is kept.

A picture is decoded for the detector, and its crops are cut out of the same pixels. The pose is the one that curation
keeps.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pyarrow

from fullshot.core.boxes import Box, Picture, crop
from fullshot.core.engines import cores
from fullshot.core.features import FeatureStore, Job, Made, Rows, Unreadable, reading
from fullshot.core.geometry import ImageGeometry
from fullshot.core.pictures import read_rgb
from fullshot.curation import People
from fullshot.index.in_use import GARMENTS, garments_version
from fullshot.index.recommender import PersonGarments, Recommender
from fullshot.train import geometries
from fullshot.train.embedder import crop_store, resize

AT_ONCE = 32
"""Outfit images that are in memory at once."""


def version_of(recommender: Recommender) -> str:
    """What the garments that are found depend on, besides the picture."""
    detector = recommender.detector
    by = [detector.image_size, recommender.confidence] if detector else []
    others = hashlib.sha256(json.dumps([recommender.pose.version, *by]).encode()).hexdigest()[:12]
    return garments_version(detector.digest if detector else None, others)


def find_worn(
    root: Path, keys: pyarrow.Table, recommender: Recommender, poses: Mapping[str, People], stage: str
) -> Rows:
    """What the primary person of each picture wears.

    Args:
        root: of the workspace.
        keys: ``image_id`` and ``path`` of the pictures.
        recommender: finds it.
        poses: the people in each picture, by image_id; where that is not known, they are looked for.
        stage: what it is done for; for the progress.

    Returns:
        The column ``garments``, see :func:`worn_boxes`.
    """
    schema = pyarrow.schema([("garments", pyarrow.string())])
    store = FeatureStore(root, GARMENTS, version_of(recommender), schema, "evaluate recommend")
    lie = geometries(root, keys["path"].to_pylist())
    find = partial(_find, root=root, recommender=recommender, poses=poses, lie=lie)
    return store.fill(keys, find, stage=stage, most=AT_ONCE)  # here: this process has the device, and all cores help


def worn_boxes(garments: str) -> list[Box]:
    """The garments of one picture: boxes in pixels of the picture as it is stored; none where nobody was found."""
    return [Box(**box) for box in json.loads(garments)]


def _find(
    jobs: Sequence[Job],
    *,
    root: Path,
    recommender: Recommender,
    poses: Mapping[str, People],
    lie: Mapping[str, ImageGeometry | None],
) -> list[Made]:
    with ThreadPoolExecutor(cores()) as pool:  # the decoder lets go of the interpreter
        decoded = list(pool.map(lambda job: reading(job.path, partial(read_rgb, upright=True)), jobs))
    there = [(job, picture) for job, picture in zip(jobs, decoded, strict=True) if not isinstance(picture, Unreadable)]
    people = recommender.find_garments([picture for _, picture in there], [poses.get(job.image_id) for job, _ in there])
    found = iter(_kept(root, there, people, recommender.embedder.image_size, lie))
    return [picture if isinstance(picture, Unreadable) else {"garments": next(found)} for picture in decoded]


def _kept(
    root: Path,
    pictures: Sequence[tuple[Job, Picture]],
    people: Sequence[PersonGarments],
    side: int,
    lie: Mapping[str, ImageGeometry | None],
) -> list[str]:
    """What is kept of each picture's garments, the crops apart."""
    kept: list[str] = []
    jobs: list[Job] = []
    crops: list[Made] = []
    for (job, picture), person in zip(pictures, people, strict=True):
        height, width = picture.shape[:2]
        geometry = lie.get(job.path.relative_to(root).as_posix()) or ImageGeometry(width, height)
        boxes = []
        for box in person.boxes:
            x_min, y_min, x_max, y_max = geometry.to_stored(box.corners)
            boxes.append(replace(box, x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max))
            jobs.append(replace(job, box=boxes[-1].corners))
            pixels = resize(crop(picture, box.corners), side)
            crops.append({"pixels": pixels.tobytes(), "is_packshot": False})
        kept.append(json.dumps([asdict(box) for box in boxes]))
    if jobs:
        crop_store(root, side).keep(jobs, crops)
    return kept
