"""What a workspace keeps of its pictures, made without them, so that commands over rows ask for no picture."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow
from numpy.typing import NDArray

from benchmarks import _rows
from benchmarks.rejudge import shaken
from fullshot.annotate.queue import predictions
from fullshot.core.features import FeatureStore, shards
from fullshot.core.features.geometry import geometry_store
from fullshot.core.settings import load
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.curation.duplicates.fingerprint import THUMBNAIL_BYTES
from fullshot.curation.features import store as curation
from fullshot.curation.pose import open_pose_estimator
from fullshot.curation.quality.checks import measure_names
from fullshot.train.embedder import load as load_embedder
from fullshot.train.embedder.embeddings import embedding_store

WIDTH, HEIGHT = 540, 720
_SHARD = 65_536
_PERSONS = 1000
_PIECES = 64
"""Of each quarter of a thumbnail, so many are drawn by lot: together as different as noise, and packed well."""
_MEASURES = {"sharpness": 0.7, "detail": 0.9}
_CORNERS = ("x_min", "y_min", "x_max", "y_max")

Columns = Callable[[NDArray[np.int64]], dict[str, Any]]
"""The columns of some pictures, by their numbers."""


def keep_geometry(root: Path, rows: int) -> None:
    """Size and orientation of every picture, all of them readable."""

    def columns(numbers: NDArray[np.int64]) -> dict[str, Any]:
        return {**_sizes(len(numbers)), "orientation": np.ones(len(numbers), np.int8)}

    _keep(geometry_store(root), rows, columns)


def keep_features(root: Path, rows: int) -> None:
    """What curation keeps: every fourth picture shows a person, and copies have hashes of one bit's difference."""
    dice = np.random.default_rng(1)
    hashes = dice.integers(0, 2**64, rows, np.uint64)
    copies = np.arange(2, rows, 20)
    hashes[copies] = hashes[copies - 1] ^ np.uint64(1)
    pieces = dice.integers(0, 256, (4, _PIECES, THUMBNAIL_BYTES // 4), np.uint8)
    persons = shaken(_PERSONS).reshape(_PERSONS, -1)
    nobody = np.zeros(0, np.float32)

    def columns(numbers: NDArray[np.int64]) -> dict[str, Any]:
        originals = numbers - (numbers % 20 == 2)
        quarters = [pieces[place, originals // _PIECES**place % _PIECES] for place in range(4)]
        thumbnails = np.concatenate(quarters, axis=1)
        return {
            **_sizes(len(numbers)),
            **{name: np.full(len(numbers), _MEASURES.get(name, 0.0), np.float32) for name in measure_names()},
            "keypoints": [persons[number // 4 % _PERSONS] if number % 4 == 0 else nobody for number in numbers],
            "phash": hashes[numbers],
            "thumbnail": [row.tobytes() for row in thumbnails],
        }

    _keep(curation._store(root, open_pose_estimator(load())), rows, columns)


def keep_predictions(root: Path, rows: int) -> None:
    """Scores and features of every full shot and unclear picture, by the detector in use."""
    extractor = predictions.feature_extractor(Workspace(root), load())
    shape = np.zeros((1, 1, 3), np.uint8)
    length = extractor.extract([np.broadcast_to(shape, (extractor.side, extractor.side, 3))])[1].shape[1]
    dice = np.random.default_rng(2)

    def columns(numbers: NDArray[np.int64]) -> dict[str, Any]:
        scores = dice.random((len(numbers), len(GARMENTS) * predictions.BEST), np.float32)
        features = dice.random((len(numbers), length), np.float32)
        return {"scores": [row.tobytes() for row in scores], "features": [row.tobytes() for row in features]}

    store = FeatureStore(root, predictions.KIND, extractor.version, predictions._SCHEMA, "annotate queue")
    _keep(store, rows, columns, lambda numbers: (numbers % 4 == 0) | (numbers % 160 == 3))


def keep_embeddings(root: Path, rows: int) -> None:
    """A vector of every picture and of every box, by the embedder in use."""
    embedder = load_embedder(Workspace(root), device="cpu")
    store = embedding_store(root, embedder)
    dice = np.random.default_rng(3)

    def vectors(count: int) -> dict[str, Any]:
        values = dice.standard_normal((count, embedder.dimension), np.float32)
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        made = pyarrow.FixedSizeListArray.from_arrays(values.ravel(), embedder.dimension)
        return {"vector": made, "is_packshot": np.ones(count, np.bool_)}

    def of_pictures(numbers: NDArray[np.int64]) -> dict[str, Any]:
        whole = {name: np.full(len(numbers), np.nan) for name in _CORNERS}
        return {**whole, **vectors(len(numbers))}

    _keep(store, rows, of_pictures)
    with duckdb.connect(config={"memory_limit": "1GB"}) as tables:
        boxes = (
            f"SELECT DISTINCT image_id, {', '.join(_CORNERS)} FROM read_csv('{root / 'boxes.csv'}') ORDER BY image_id"
        )
        for batch in tables.sql(boxes).to_arrow_reader(_SHARD):
            keys = {name: batch[name] for name in ("image_id", *_CORNERS)}
            _write(store, {**keys, **vectors(batch.num_rows)}, batch.num_rows)


def _sizes(count: int) -> dict[str, Any]:
    return {"width": np.full(count, WIDTH, np.int32), "height": np.full(count, HEIGHT, np.int32)}


def _keep(store: FeatureStore, rows: int, columns: Columns, which: Callable[..., Any] | None = None) -> None:
    """Write a store's rows of pictures.

    Args:
        store: which.
        rows: of ``images``; see :func:`benchmarks._rows.write_picture_files`.
        columns: makes those that the store's kind has.
        which: of pictures' numbers, whether to keep a row of each; None: of all.
    """
    names = _rows.picture_names(rows)
    for numbers in _parts(rows - rows // 25):
        those = list(itertools.islice(names, len(numbers)))
        if which is not None:
            chosen = np.flatnonzero(which(numbers))
            numbers, those = numbers[chosen], [those[at] for at in chosen]
        if len(numbers):
            _write(store, {"image_id": those, **columns(numbers)}, len(numbers))


def _write(store: FeatureStore, made: dict[str, Any], count: int) -> None:
    """Write a shard, of pictures whose files are the empty ones."""
    key = {
        "file_bytes": np.zeros(count, np.int64),
        "file_modified": np.full(count, _rows.CHANGED, np.int64),
        "unreadable": pyarrow.nulls(count, pyarrow.string()),
        "message": pyarrow.nulls(count, pyarrow.string()),
    }
    columns = {name: (key | made)[name] for name in store.schema.names}
    shards.write(store.folder, pyarrow.table(columns, schema=store.schema).sort_by("image_id"))


def _parts(count: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, count, _SHARD):
        yield np.arange(start, min(start + _SHARD, count))
