"""The embeddings of pictures and boxes: made once of each embedder, from crops that are kept, and kept themselves."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow

from fullshot.core.features import FeatureStore, Job, Made, Rows, Unreadable, shards
from fullshot.core.features.keys import joined_keys
from fullshot.core.interfaces import Embedder
from fullshot.core.progress import bar
from fullshot.core.settings import Settings
from fullshot.train.embedder.crops import crop_store, cut, keep_crops
from fullshot.train.embedder.preprocessing import embed_prepared, preparation_of

_AT_ONCE = 4096
"""Embeddings that are written together: what a kill costs."""


def embedding_store(root: Path, embedder: Embedder) -> FeatureStore:
    """Where a workspace keeps what an embedder made: each ``vector``, and whether the picture ``is_packshot``."""
    vector = pyarrow.list_(pyarrow.float32(), embedder.dimension)
    schema = pyarrow.schema([("vector", vector), ("is_packshot", pyarrow.bool_())])
    return FeatureStore(root, "embeddings", embedder.digest[:16], schema, "index build", boxed=True)


def kept_embeddings(root: Path, keys: pyarrow.Table, embedder: Embedder, settings: Settings, stage: str) -> Rows:
    """The embeddings of pictures and boxes: those kept, and new ones.

    Whole pictures are embedded without their plain background. Crops are cut by the engine's workers; this process
    embeds them, since it has the device and a network uses all cores.

    Args:
        root: of the workspace.
        keys: ``image_id``, ``path`` and the box, see :class:`fullshot.core.features.FeatureStore`.
        embedder: whose embeddings.
        settings: name the engine.
        stage: what it is done for, such as ``index build``; for the progress.

    Returns:
        The columns ``vector`` (float32, d) and ``is_packshot`` (bool: of a whole picture, whether it shows a product
        alone on plain ground); pictures that cannot be read have neither.
    """
    store = embedding_store(root, embedder)

    def write(missing: pyarrow.Table) -> list[Path]:
        # A picture of two products has two keys, and one embedding.
        numbers = joined_keys(missing, boxed=True).combine_chunks().dictionary_encode().indices
        once = missing.take(pyarrow.array(np.unique(numbers, return_index=True)[1]))
        return _embed(store, keep_crops(root, once, preparation_of(embedder), settings, stage), embedder, stage)

    return store.fill(keys, partial(_embed_anew, embedder=embedder), write=write)


def _embed(store: FeatureStore, crops: Rows, embedder: Embedder, stage: str) -> list[Path]:
    """Embed crops, and write them as they come: shard by shard, so that the memory holds few of them."""
    names = [*crop_store(store.root, preparation_of(embedder)).schema.names]
    written: list[Path] = []
    parts: list[pyarrow.Table] = []
    with bar(stage, "crops") as advance:
        done = 0
        for _, table in crops.scan(names):
            parts.append(_embedded(table, store.schema, embedder))
            done += len(table)
            if sum(map(len, parts)) >= _AT_ONCE or done == len(crops):
                written.append(shards.write(store.folder, pyarrow.concat_tables(parts)))
                parts = []
            advance(done, len(crops))
    return written


def _embedded(table: pyarrow.Table, schema: pyarrow.Schema, embedder: Embedder) -> pyarrow.Table:
    """Rows of crops as rows of embeddings; a picture that cannot be read stays one."""
    side = embedder.image_size
    pixels = [np.frombuffer(each, np.uint8).reshape(side, side, 3) for each in table["pixels"].drop_null().to_pylist()]
    vectors = embed_prepared(embedder, pixels)
    places = np.cumsum(table["pixels"].is_valid().to_numpy()) - 1
    chosen = pyarrow.array(places, mask=table["pixels"].is_null().to_numpy())
    made = pyarrow.FixedSizeListArray.from_arrays(vectors.reshape(-1), embedder.dimension).take(chosen)
    columns = {name: made if name == "vector" else table[name] for name in schema.names}
    return pyarrow.table(columns).cast(schema)


def _embed_anew(jobs: Sequence[Job], *, embedder: Embedder) -> list[Made]:
    """Embeddings whose rows were lost since :func:`kept_embeddings` made them, or whose file was changed meanwhile."""
    made, shape = cut(jobs, preparation=preparation_of(embedder)), (embedder.image_size, embedder.image_size, 3)
    pixels = [np.frombuffer(row["pixels"], np.uint8).reshape(shape) for row in _readable(made)]
    vectors = iter(embed_prepared(embedder, pixels))
    return [
        row if isinstance(row, Unreadable) else {"vector": next(vectors), "is_packshot": row["is_packshot"]}
        for row in made
    ]


def _readable(made: Sequence[Made]) -> list[Mapping[str, Any]]:
    return [row for row in made if not isinstance(row, Unreadable)]
