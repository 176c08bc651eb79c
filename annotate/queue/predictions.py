"""Scores and features of every picture, from the detector or, without one, a plain descriptor.

They are kept by :mod:`fullshot.core.features`, so that no picture goes through a network twice; by the version of what
extracted them, since another detector predicts something else.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow
from numpy.typing import NDArray

from fullshot.annotate.queue import descriptor
from fullshot.core.boxes import Picture
from fullshot.core.engines import cores, open_engine
from fullshot.core.errors import MissingInput
from fullshot.core.features import FOLDER, FeatureStore, InUse, Job, Made, Unreadable, adopt, reading
from fullshot.core.pictures import read_reduced
from fullshot.core.progress import say
from fullshot.core.settings import DetectorSettings, Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train import runs_on_cpu, unknown_runs
from fullshot.train.detector import DETECTIONS, Detector, DetectorWithFeatures, detector_version, in_use, load

Floats = NDArray[np.float32]

KIND = "predictions"
"""Of the store."""

_FOLDERS_BEFORE = ("predictions", "observations")
"""Where earlier versions kept them, in the workspace itself."""

BEST = 3
"""Scores kept of each garment."""

_LEAST = 256
"""Pictures that this process looks at by itself: to start others, and to open a network in each, takes as long."""

LEAST_SCORE = 0.02
"""Boxes below it say nothing; from it to the threshold of reported boxes they are what the detector nearly found."""

_SCHEMA = pyarrow.schema([("scores", pyarrow.binary()), ("features", pyarrow.binary())])  # of 32-bit numbers


@dataclass(frozen=True)
class ModelOutputs:
    """What an extractor gives for N pictures, of which M can be read.

    Attributes:
        is_readable: shape (N,), bool: which can be read.
        scores: shape (M, 4, BEST), float32: the best scores of each of the garments; 0 where there are fewer boxes.
        features: shape (M, D), float32, not normalised; what is too much for the memory is mapped from a file.
        new: of how many it was not stored before.
    """

    is_readable: NDArray[np.bool_]
    scores: Floats
    features: Floats
    new: int


class FeatureExtractor(Protocol):
    """Turns pictures into scores and features.

    Attributes:
        version: two extractors of one version give the same for the same picture.
        side: see :meth:`extract`.
        quality: mAP@0.5 of its boxes on the validation split, in [0, 1]; 0 where it draws none.
        for_workers: whether worker processes can open it as well; else this process alone does the work.
    """

    version: str
    side: int
    quality: float
    for_workers: bool

    def extract(self, pictures: Sequence[Picture]) -> tuple[Floats, Floats]:
        """Scores and features, see :class:`ModelOutputs`, of pictures of about ``side`` pixels, uint8, RGB."""


class Descriptor:
    """Needs no network: no scores, and the features of :mod:`fullshot.annotate.queue.descriptor`."""

    version = descriptor.VERSION
    side = descriptor.SIDE
    quality = 0.0
    for_workers = True

    def extract(self, pictures: Sequence[Picture]) -> tuple[Floats, Floats]:
        features = np.stack([descriptor.describe(picture) for picture in pictures])
        return np.zeros((len(pictures), len(GARMENTS), BEST), np.float32), features


class DetectorExtractor:
    """The scores of a detector, and its features; those of the descriptor, where its family has none.

    Args:
        detector: reports boxes from :data:`LEAST_SCORE` on.
        quality: see :class:`FeatureExtractor`.
        again: the arguments of :func:`_opened_again`; None: a worker process cannot open it.
    """

    def __init__(self, detector: Detector, quality: float, again: tuple[Path, str, str] | None = None) -> None:
        self._detector = detector
        self._again = again
        self.quality = quality
        self.for_workers = again is not None
        features = "1" if isinstance(detector, DetectorWithFeatures) else descriptor.VERSION
        self.version = f"{detector_version(detector)}-{features}"
        self.side = detector.image_size

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker is not sent the network: it opens it, once.
        return _opened_again, self._again or ()

    def extract(self, pictures: Sequence[Picture]) -> tuple[Floats, Floats]:
        scores = np.zeros((len(pictures), len(GARMENTS), BEST), np.float32)
        column = {str(label): number for number, label in enumerate(GARMENTS)}
        if isinstance(self._detector, DetectorWithFeatures):
            predicted, features = self._detector.predict_with_features(pictures)
        else:
            predicted = self._detector.predict(pictures)
            features = np.stack([descriptor.describe(picture) for picture in pictures])
        for row, boxes in enumerate(predicted):
            filled = [0] * len(GARMENTS)
            for box in boxes:  # the best come first
                garment = column.get(box.label, -1)
                if garment >= 0 and filled[garment] < BEST:
                    scores[row, garment, filled[garment]] = box.score or 0.0
                    filled[garment] += 1
        return scores, features


def feature_extractor(workspace: Workspace, settings: Settings) -> FeatureExtractor:
    """The detector in use; a plain descriptor where none was trained yet.

    Raises:
        UserError: the detector's file does not hold one, or this machine has no such device.
    """
    try:
        used = in_use(workspace, settings)
    except MissingInput:
        return Descriptor()
    detector = load(workspace, used.name if used.run else None, settings=settings, confidence=LEAST_SCORE)
    # Workers would stand in line for the one graphics card.
    again = (workspace.root, used.name, settings.detector.model_dump_json())
    return DetectorExtractor(detector, used.map50, again if runs_on_cpu(settings.detector.device) else None)


@lru_cache(maxsize=1)
def _opened_again(root: Path, run: str, section: str) -> DetectorExtractor:
    """The extractor of another process, in this one.

    Args:
        root: of the workspace.
        run: the detector's.
        section: the settings of the detector, as JSON.
    """
    # As many workers as cores: each has one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workspace = Workspace(root)
    detector_section = DetectorSettings.model_validate_json(section)
    settings = workspace.settings().model_copy(update={"detector": detector_section})
    return DetectorExtractor(load(workspace, run, settings=settings, confidence=LEAST_SCORE), 0.0)


def features_in_use(workspace: Workspace) -> InUse:
    """What the queue and a push need; see :func:`fullshot.core.features.collect_garbage`."""
    _move_old_folders(workspace)
    if unknown_runs(workspace, "detector"):
        return {KIND: None, DETECTIONS: None}
    used = in_use(workspace, Settings())
    needed = [f"{used.digest}-*"] if used.digest else None
    # Whether the starter weights are used is a setting, which a command may be given.
    others = [descriptor.VERSION] if used.run is None else []
    return {KIND: needed and [*needed, *others], DETECTIONS: needed}


def extract(workspace: Workspace, keys: pyarrow.Table, extractor: FeatureExtractor, engine: str) -> ModelOutputs:
    """Scores and features of pictures: those stored, and new ones for the others.

    Args:
        workspace: with the pictures' files.
        keys: columns ``image_id`` and ``path`` of the pictures.
        extractor: what gives them.
        engine: the name of the engine whose workers look at many pictures.

    Returns:
        The pictures asked for, in their order; no scores and features of those that cannot be read.
    """
    _move_old_folders(workspace)
    store = FeatureStore(workspace.root, KIND, extractor.version, _SCHEMA, "annotate queue")
    with open_engine(engine, processes=0 if extractor.for_workers else 1) as workers:
        rows = store.fill(keys, partial(_extract, extractor=extractor), workers, "annotate queue", least=_LEAST)
    readable = rows.take(np.flatnonzero(rows.is_readable))
    scores = readable.array("scores").view(np.float32).reshape(len(readable), len(GARMENTS), BEST)
    return ModelOutputs(rows.is_readable, scores, readable.array("features").view(np.float32), rows.made)


def _extract(jobs: Sequence[Job], *, extractor: FeatureExtractor) -> list[Made]:
    # Threads suffice to read: the decoder lets go of the interpreter.
    with ThreadPoolExecutor(cores()) as pool:
        read = partial(read_reduced, longest=extractor.side)
        decoded = list(pool.map(lambda job: reading(job.path, read), jobs))
    whole = [picture.pixels for picture in decoded if not isinstance(picture, Unreadable)]
    outputs = zip(*extractor.extract(whole), strict=True) if whole else iter(())
    made: list[Made] = []
    for picture in decoded:
        if isinstance(picture, Unreadable):
            made.append(picture)
        else:
            scores, features = next(outputs)
            values = {"scores": scores, "features": features}
            made.append({name: value.astype(np.float32).tobytes() for name, value in values.items()})
    return made


def _move_old_folders(workspace: Workspace) -> None:
    """Move what earlier versions stored to where it lies now."""
    for name in _FOLDERS_BEFORE:
        before = workspace / name
        versions = {shard.parent for shard in before.glob("*/*.parquet")}
        if not versions:
            continue  # there is none, or it is the user's own
        for old in versions:
            adopt(old, workspace / FOLDER / KIND / old.name)
        if not any(before.iterdir()):
            before.rmdir()
        say(f"{before} is {FOLDER}/{KIND} now: moved")
