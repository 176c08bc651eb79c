"""Scores and features of every picture, from the detector or, without one, a plain descriptor.

They are stored in the workspace's folder ``predictions``, so that no picture goes through a network twice; by the
version of what extracted them, since another detector predicts something else.
"""

import io
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from fullshot.annotate.queue import descriptor
from fullshot.core.boxes import Picture
from fullshot.core.engines import cores, shards
from fullshot.core.errors import MissingInput
from fullshot.core.files import write_bytes
from fullshot.core.pictures import read_or_none, read_reduced
from fullshot.core.progress import bar, say
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train import latest_run
from fullshot.train.detector import Detector, DetectorWithFeatures, load

Floats = NDArray[np.float32]
Job = tuple[str, str]
"""A picture's image_id, and its path in the workspace."""

FOLDER = "predictions"
"""Of the workspace."""

_FOLDER_BEFORE = "observations"
"""As version 0.1 called it."""

BEST = 3
"""Scores kept of each garment."""

LEAST_SCORE = 0.02
"""Boxes below it say nothing; from it to the threshold of reported boxes they are what the detector nearly found."""

_SHARD = 256
_EMPTY = pyarrow.schema(
    [("image_id", pyarrow.string()), ("scores", pyarrow.binary()), ("features", pyarrow.binary())]
).empty_table()


@dataclass(frozen=True)
class ModelOutputs:
    """What an extractor gives for N pictures.

    Attributes:
        rows: an image_id's row; pictures that cannot be read have none.
        scores: shape (N, 4, BEST), float32: the best scores of each of the garments; 0 where there are fewer boxes.
        features: shape (N, D), float32, not normalised.
        new: of how many it was not stored before.
    """

    rows: dict[str, int]
    scores: Floats
    features: Floats
    new: int

    def rows_of(self, identities: Iterable[str]) -> NDArray[np.int64]:
        """The rows of those pictures that could be read."""
        return np.array([self.rows[each] for each in identities if each in self.rows], np.int64)


class FeatureExtractor(Protocol):
    """Turns pictures into scores and features.

    Attributes:
        version: two extractors of one version give the same for the same picture.
        side: see :meth:`extract`.
        quality: mAP@0.5 of its boxes on the validation split, in [0, 1]; 0 where it draws none.
    """

    version: str
    side: int
    quality: float

    def extract(self, pictures: Sequence[Picture]) -> tuple[Floats, Floats]:
        """Scores and features, see :class:`ModelOutputs`, of pictures of about ``side`` pixels, uint8, RGB."""


class Descriptor:
    """Needs no network: no scores, and the features of :mod:`fullshot.annotate.queue.descriptor`."""

    version = descriptor.VERSION
    side = descriptor.SIDE
    quality = 0.0

    def extract(self, pictures: Sequence[Picture]) -> tuple[Floats, Floats]:
        features = np.stack([descriptor.describe(picture) for picture in pictures])
        return np.zeros((len(pictures), len(GARMENTS), BEST), np.float32), features


class DetectorExtractor:
    """The scores of a detector, and its features; those of the descriptor, where its family has none.

    Args:
        detector: reports boxes from :data:`LEAST_SCORE` on.
        quality: see :class:`FeatureExtractor`.
    """

    def __init__(self, detector: Detector, quality: float) -> None:
        self._detector = detector
        self.quality = quality
        features = "1" if isinstance(detector, DetectorWithFeatures) else descriptor.VERSION
        self.version = f"{detector.digest}-{detector.image_size}-{features}"
        self.side = detector.image_size

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
        run = latest_run(workspace, "detector")
    except MissingInput:
        return Descriptor()
    detector = load(workspace, run.name, settings=settings, confidence=LEAST_SCORE)
    return DetectorExtractor(detector, float(run.metrics.get("val", {}).get("map50", 0)))


def extract(workspace: Workspace, jobs: Sequence[Job], extractor: FeatureExtractor) -> ModelOutputs:
    """Scores and features of pictures: those stored, and new ones for the others.

    Args:
        workspace: with the pictures' files.
        jobs: the pictures, each once.
        extractor: what gives them.

    Returns:
        The pictures asked for, in their order, without those that cannot be read.
    """
    _rename_folder(workspace)
    folder = workspace / FOLDER / extractor.version
    known = _stored(folder)
    have = set(known["image_id"].to_pylist())
    todo = [job for job in jobs if job[0] not in have]
    parts = [known]
    if todo:
        parts += _predicted(workspace.root, folder, todo, extractor)
    for other in (workspace / FOLDER).glob("*"):
        if other != folder:  # what an older detector predicted is of no use any more
            shutil.rmtree(other, ignore_errors=True)
    return _as_arrays(pyarrow.concat_tables(parts), jobs, len(todo))


def _rename_folder(workspace: Workspace) -> None:
    """Move what version 0.1 stored to where it lies now."""
    before = workspace / _FOLDER_BEFORE
    if before.is_dir() and not (workspace / FOLDER).exists():
        before.rename(workspace / FOLDER)
        say(f"{before} is called {FOLDER} now: moved")


def _predicted(root: Path, folder: Path, todo: Sequence[Job], extractor: FeatureExtractor) -> list[pyarrow.Table]:
    tables, done, lost = [], 0, 0
    # Threads suffice to read: the decoder lets go of the interpreter.
    with bar("annotate queue", "pictures") as advance, ThreadPoolExecutor(cores()) as pool:
        advance(0, len(todo))
        for part in shards(todo, _SHARD):
            pictures = list(pool.map(lambda job: _read(root / job[1], extractor.side), part))
            whole = [(job, picture) for job, picture in zip(part, pictures, strict=True) if picture is not None]
            if whole:
                scores, features = extractor.extract([picture for _, picture in whole])
                columns = [
                    [job[0] for job, _ in whole],
                    [row.tobytes() for row in scores.astype(np.float32)],
                    [row.tobytes() for row in features.astype(np.float32)],
                ]
                tables.append(pyarrow.table(dict(zip(_EMPTY.schema.names, columns, strict=True)), _EMPTY.schema))
                content = io.BytesIO()
                pyarrow.parquet.write_table(tables[-1], content)
                write_bytes(folder / f"{columns[0][0]}.parquet", content.getvalue())
            done, lost = done + len(part), lost + len(part) - len(whole)
            advance(done, len(todo), f"{lost} unreadable" if lost else "")
    return tables


def _read(path: Path, side: int) -> Picture | None:
    reduced = read_or_none(path, partial(read_reduced, longest=side))
    return None if reduced is None else reduced.pixels


def _stored(folder: Path) -> pyarrow.Table:
    """What earlier runs stored; a broken file counts for nothing, and its pictures are predicted again."""
    tables = [_EMPTY]
    for path in sorted(folder.glob("*.parquet")):
        try:
            table = pyarrow.parquet.read_table(path)
        except (OSError, pyarrow.ArrowException):
            continue
        if table.schema.equals(_EMPTY.schema):
            tables.append(table)
    return pyarrow.concat_tables(tables)


def _as_arrays(table: pyarrow.Table, jobs: Sequence[Job], new: int) -> ModelOutputs:
    where = {identity: row for row, identity in enumerate(table["image_id"].to_pylist())}
    found = [identity for identity, _ in jobs if identity in where]
    chosen = table.take(pyarrow.array([where[identity] for identity in found], pyarrow.int64()))
    scores = _stacked(chosen["scores"]).reshape(len(found), len(GARMENTS), BEST)
    rows = {identity: row for row, identity in enumerate(found)}
    return ModelOutputs(rows, scores, _stacked(chosen["features"]), new)


def _stacked(column: pyarrow.ChunkedArray) -> Floats:
    content = b"".join(column.to_pylist())
    return np.frombuffer(content, np.float32).reshape(len(column), -1) if content else np.zeros((0, 1), np.float32)
