"""The garments in the workspace's own outfit images: each is looked at once, and what is found is kept.

A picture is decoded for the detector, and its crops are cut out of the same pixels, also those that others ask for: of
its known boxes, and of the whole. What the detector found is kept too, for `annotate push`. The pose is the one that
curation keeps.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import pyarrow

from fullshot.core.boxes import Box, Corners, Picture, crop
from fullshot.core.engines import cores
from fullshot.core.features import FeatureStore, Job, Made, Rows, Unreadable, reading
from fullshot.core.features.keys import BOX_COLUMNS
from fullshot.core.geometry import ImageGeometry
from fullshot.core.pictures import read_crops
from fullshot.curation import People
from fullshot.index.in_use import GARMENTS, garments_version
from fullshot.index.recommender import PersonGarments, Recommender
from fullshot.train import geometries
from fullshot.train.detector import detection_row, detection_store, detector_version
from fullshot.train.embedder import crop_row, crop_store, preparation_of, whole_pictures

AT_ONCE = 32
"""Outfit images that are in memory at once."""


def version_of(recommender: Recommender) -> str:
    """What the garments that are found depend on, besides the picture."""
    detector = recommender.detector
    by = [detector_version(detector), recommender.confidence] if detector else []
    others = hashlib.sha256(json.dumps([recommender.pose.version, *by]).encode()).hexdigest()[:12]
    return garments_version(detector.digest if detector else None, others)


def find_worn(
    root: Path,
    keys: pyarrow.Table,
    recommender: Recommender,
    poses: Mapping[str, People],
    known: pyarrow.Table,
    stage: str,
) -> Rows:
    """What the primary person of each picture wears.

    Args:
        root: of the workspace.
        keys: ``image_id`` and ``path`` of the pictures.
        recommender: finds it.
        poses: the people in each picture, by image_id; where that is not known, they are looked for.
        known: keys of boxes in these pictures whose crops are kept as well, for who asks for them next.
        stage: what it is done for; for the progress.

    Returns:
        The column ``garments``, see :func:`worn_boxes`.
    """
    schema = pyarrow.schema([("garments", pyarrow.string())])
    store = FeatureStore(root, GARMENTS, version_of(recommender), schema, "evaluate recommend")
    lie = geometries(root, keys["path"].to_pylist())
    find = partial(_find, root=root, recommender=recommender, poses=poses, also=_also(root, keys, known, recommender))
    # Here: this process has the device, and all cores help.
    return store.fill(keys, partial(find, lie=lie), stage=stage, most=AT_ONCE)


@dataclass(frozen=True)
class _Also:
    """What is made of pictures by the way, because it is not kept yet.

    Attributes:
        crops: by image_id, boxes in pixels of the picture as it is stored; None: the whole picture.
        detections: the image_id of pictures.
    """

    crops: Mapping[str, Sequence[Corners | None]]
    detections: Set[str]


def _also(root: Path, keys: pyarrow.Table, known: pyarrow.Table, recommender: Recommender) -> _Also:
    wanted = pyarrow.concat_tables([whole_pictures(keys), known])
    missing = crop_store(root, preparation_of(recommender.embedder)).missing(wanted)
    crops: dict[str, list[Corners | None]] = {}
    for identity, *corners in zip(*(missing[name].to_pylist() for name in ("image_id", *BOX_COLUMNS)), strict=True):
        crops.setdefault(identity, []).append(None if corners[0] is None else cast(Corners, tuple(corners)))
    if recommender.detector is None:
        return _Also(crops, set())
    detections = detection_store(root, recommender.detector, recommender.confidence).missing(keys)
    return _Also(crops, set(detections["image_id"].to_pylist()))


def worn_boxes(garments: str) -> list[Box]:
    """The garments of one picture: boxes in pixels of the picture as it is stored; none where nobody was found."""
    return [Box(**box) for box in json.loads(garments)]


def _find(
    jobs: Sequence[Job],
    *,
    root: Path,
    recommender: Recommender,
    poses: Mapping[str, People],
    also: _Also,
    lie: Mapping[str, ImageGeometry | None],
) -> list[Made]:
    geometry = {job: lie.get(job.path.relative_to(root).as_posix()) for job in jobs}
    boxes = {job: [box for box in also.crops.get(job.image_id, ()) if _is_inside(box, geometry[job])] for job in jobs}
    with ThreadPoolExecutor(cores()) as pool:  # the decoder lets go of the interpreter
        read = pool.map(lambda job: reading(job.path, partial(read_crops, boxes=[None, *boxes[job]])), jobs)
        decoded = dict(zip(jobs, read, strict=True))
    pieces = {job: found for job, found in decoded.items() if not isinstance(found, Unreadable)}
    people = dict(zip(pieces, _people(root, pieces, recommender, poses, also.detections), strict=True))
    preparation = preparation_of(recommender.embedder)
    made: list[Made] = []
    crops: list[tuple[Job, Made]] = []
    for job, found in decoded.items():
        if isinstance(found, Unreadable):
            made.append(found)
            crops += [(replace(job, box=box), found) for box in also.crops.get(job.image_id, ())]
            continue
        whole, *others = found
        garments = people[job].boxes
        stored = [_as_stored(box, geometry[job]) for box in garments]
        made.append({"garments": json.dumps([asdict(box) for box in stored])})
        cut = [*others, *(crop(whole, box.corners) for box in garments)]
        corners = [*boxes[job], *(box.corners for box in stored)]
        crops += [
            (replace(job, box=box), crop_row(piece, preparation, is_whole=box is None))
            for box, piece in zip(corners, cut, strict=True)
        ]
    if crops:
        crop_store(root, preparation).keep(*zip(*crops, strict=True))
    return made


def _people(
    root: Path,
    pieces: Mapping[Job, Sequence[Picture]],
    recommender: Recommender,
    poses: Mapping[str, People],
    not_kept: Set[str],
) -> list[PersonGarments]:
    """What is worn in pictures that can be read; what the detector found in them is kept where it is not yet."""
    pictures = [whole for whole, *_ in pieces.values()]
    detected = recommender.detect(pictures)
    fresh = [
        (job, detection_row(boxes)) for job, boxes in zip(pieces, detected, strict=True) if job.image_id in not_kept
    ]
    if recommender.detector and fresh:
        detection_store(root, recommender.detector, recommender.confidence).keep(*zip(*fresh, strict=True))
    return recommender.find_garments(pictures, [poses.get(job.image_id) for job in pieces], detected)


def _is_inside(box: Corners | None, geometry: ImageGeometry | None) -> bool:
    """Whether something of a box lies inside its picture; of one that cannot be read, none does."""
    if geometry is None or box is None:
        return box is None
    return box[0] < geometry.width and box[1] < geometry.height and min(box[2:]) > 0


def _as_stored(box: Box, geometry: ImageGeometry | None) -> Box:
    """A box in the upright picture, in pixels of the picture as it is stored."""
    if geometry is None:
        return box
    x_min, y_min, x_max, y_max = geometry.to_stored(box.corners)
    return replace(box, x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)
