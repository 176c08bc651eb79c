"""What the detector, or without one a plain descriptor, saw of every picture; kept, so that none is looked at twice.

It lies in the workspace's folder ``observations``, by what saw it: another detector sees everything anew.
"""

import io
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
from fullshot.core.pictures import NotAnImage, read_reduced
from fullshot.core.progress import bar
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train import latest_run
from fullshot.train.detector import DetectorWithFeatures, load

Floats = NDArray[np.float32]
Job = tuple[str, str]
"""A picture's image_id, and its path in the workspace."""

FOLDER = "observations"

BEST = 3
"""Scores kept of each garment."""

LEAST_SCORE = 0.02
"""Boxes below it say nothing; from it to the threshold of reported boxes they are what the detector nearly found."""

_SHARD = 256
_EMPTY = pyarrow.schema(
    [("image_id", pyarrow.string()), ("scores", pyarrow.binary()), ("features", pyarrow.binary())]
).empty_table()


@dataclass(frozen=True)
class Seen:
    """What was seen of N pictures.

    Attributes:
        rows: an image_id's row; pictures that cannot be read have none.
        scores: shape (N, 4, BEST), float32: the best scores of each of the garments; 0 where there are fewer boxes.
        features: shape (N, D), float32, not normalised.
        new: how many were looked at in this run.
    """

    rows: dict[str, int]
    scores: Floats
    features: Floats
    new: int

    def rows_of(self, identities: Iterable[str]) -> NDArray[np.int64]:
        """The rows of those pictures that could be read."""
        return np.array([self.rows[each] for each in identities if each in self.rows], np.int64)


class Observer(Protocol):
    """Whatever looks at pictures.

    Attributes:
        make: names it; what two observers of one make see is the same.
        side: see :meth:`observe`.
        quality: mAP@0.5 of its boxes on the validation split, in [0, 1]; 0 where it draws none.
    """

    make: str
    side: int
    quality: float

    def observe(self, pictures: Sequence[Picture]) -> tuple[Floats, Floats]:
        """Scores and features, see :class:`Seen`, of pictures whose longer side is about ``side``, uint8, RGB."""


class Descriptor:
    """Looks without a network: no scores, and the features of :mod:`fullshot.annotate.queue.descriptor`."""

    make = descriptor.MAKE
    side = descriptor.SIDE
    quality = 0.0

    def observe(self, pictures: Sequence[Picture]) -> tuple[Floats, Floats]:
        features = np.stack([descriptor.describe(picture) for picture in pictures])
        return np.zeros((len(pictures), len(GARMENTS), BEST), np.float32), features


class DetectorObserver:
    """A detector, whose boxes and features come from one pass.

    Args:
        detector: reports boxes from :data:`LEAST_SCORE` on.
        quality: see :class:`Observer`.
    """

    def __init__(self, detector: DetectorWithFeatures, quality: float) -> None:
        self._detector = detector
        self.quality = quality
        self.make = f"{detector.digest}-{detector.image_size}-1"
        self.side = detector.image_size

    def observe(self, pictures: Sequence[Picture]) -> tuple[Floats, Floats]:
        scores = np.zeros((len(pictures), len(GARMENTS), BEST), np.float32)
        column = {str(label): number for number, label in enumerate(GARMENTS)}
        found, features = self._detector.predict_with_features(pictures)
        for row, boxes in enumerate(found):
            filled = [0] * len(GARMENTS)
            for box in boxes:  # the best come first
                garment = column.get(box.label, -1)
                if garment >= 0 and filled[garment] < BEST:
                    scores[row, garment, filled[garment]] = box.score or 0.0
                    filled[garment] += 1
        return scores, features


def observer(workspace: Workspace, settings: Settings) -> Observer:
    """The detector in use; a plain descriptor where none was trained yet, or the detector has no features.

    Raises:
        UserError: the detector's file does not hold one, or this machine has no such device.
    """
    try:
        run = latest_run(workspace, "detector")
    except MissingInput:
        return Descriptor()
    detector = load(workspace, run.name, settings=settings, confidence=LEAST_SCORE)
    if not isinstance(detector, DetectorWithFeatures):
        return Descriptor()
    return DetectorObserver(detector, float(run.metrics.get("val", {}).get("map50", 0)))


def observe(workspace: Workspace, jobs: Sequence[Job], eye: Observer) -> Seen:
    """Look at every picture that this observer has not seen yet.

    Args:
        workspace: with the pictures' files.
        jobs: the pictures, each once.
        eye: looks at them.

    Returns:
        The pictures asked for, in their order, without those that cannot be read.
    """
    folder = workspace / FOLDER / eye.make
    known = _kept(folder)
    have = set(known["image_id"].to_pylist())
    todo = [job for job in jobs if job[0] not in have]
    parts = [known]
    if todo:
        parts += _looked_at(workspace.root, folder, todo, eye)
    for other in (workspace / FOLDER).glob("*"):
        if other != folder:  # what an older detector saw is of no use any more
            shutil.rmtree(other, ignore_errors=True)
    return _as_arrays(pyarrow.concat_tables(parts), jobs, len(todo))


def _looked_at(root: Path, folder: Path, todo: Sequence[Job], eye: Observer) -> list[pyarrow.Table]:
    tables, done, lost = [], 0, 0
    # Threads suffice to read: the decoder lets go of the interpreter.
    with bar("annotate queue", "pictures") as advance, ThreadPoolExecutor(cores()) as pool:
        advance(0, len(todo))
        for part in shards(todo, _SHARD):
            pictures = list(pool.map(lambda job: _read(root / job[1], eye.side), part))
            whole = [(job, picture) for job, picture in zip(part, pictures, strict=True) if picture is not None]
            if whole:
                scores, features = eye.observe([picture for _, picture in whole])
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
    try:
        return read_reduced(path, side).pixels
    except (NotAnImage, OSError):
        return None


def _kept(folder: Path) -> pyarrow.Table:
    """What earlier runs saw; a broken file counts for nothing, and its pictures are looked at again."""
    tables = [_EMPTY]
    for path in sorted(folder.glob("*.parquet")):
        try:
            table = pyarrow.parquet.read_table(path)
        except (OSError, pyarrow.ArrowException):
            continue
        if table.schema.equals(_EMPTY.schema):
            tables.append(table)
    return pyarrow.concat_tables(tables)


def _as_arrays(table: pyarrow.Table, jobs: Sequence[Job], new: int) -> Seen:
    where = {identity: row for row, identity in enumerate(table["image_id"].to_pylist())}
    found = [identity for identity, _ in jobs if identity in where]
    chosen = table.take(pyarrow.array([where[identity] for identity in found], pyarrow.int64()))
    scores = _stacked(chosen["scores"]).reshape(len(found), len(GARMENTS), BEST)
    rows = {identity: row for row, identity in enumerate(found)}
    return Seen(rows, scores, _stacked(chosen["features"]), new)


def _stacked(column: pyarrow.ChunkedArray) -> Floats:
    content = b"".join(column.to_pylist())
    return np.frombuffer(content, np.float32).reshape(len(column), -1) if content else np.zeros((0, 1), np.float32)
