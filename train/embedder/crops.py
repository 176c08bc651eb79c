"""The crops that embedders look at: cut out of the pictures once, by the engine's workers, and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from fullshot.core.boxes import Picture
from fullshot.core.engines import open_engine
from fullshot.core.features import FeatureStore, Job, Made, Rows, Unreadable, reading
from fullshot.core.pictures import read_crops
from fullshot.core.settings import Settings
from fullshot.train.embedder.preprocessing import (
    Preparation,
    crop_to_foreground,
    has_plain_background,
    preferred_item_shots,
)

FEW = 64
"""Pictures below which this process cuts the crops itself: to start others takes longer."""

CORNERS = ["x_min", "y_min", "x_max", "y_max"]


@dataclass(frozen=True)
class Crops:
    """The crops of N examples.

    Attributes:
        pixels: shape (N, side, side, 3), uint8, RGB; black where the picture cannot be read. What is too much for
            the memory is mapped from a nameless temporary file.
        use: shape (N,): whether to use the crop: those of boxes, and the item shots that are preferred
            (:func:`fullshot.train.embedder.preprocessing.preferred_item_shots`), as far as they can be read.
        unreadable: the paths of the pictures that cannot be read, each once.
    """

    pixels: NDArray[np.uint8]
    use: NDArray[np.bool_]
    unreadable: list[str]


def cut_crops(root: Path, examples: pd.DataFrame, preparation: Preparation, settings: Settings, stage: str) -> Crops:
    """The crop of every example; upright, as the picture's EXIF orientation says.

    Args:
        root: the workspace; the examples' ``path`` is relative to it.
        examples: rows with ``product_id``, ``image_id``, ``path`` and ``x_min, y_min, x_max, y_max`` in pixels of the
            picture as it is stored; without a box, the picture is an item shot, and its plain background is cut away.
        preparation: of the crops.
        settings: name the engine that cuts what is not kept yet.
        stage: what it is done for, such as ``train embedder``; for the progress.
    """
    rows, side = keep_crops(root, keys_of(examples), preparation, settings, stage), preparation.side
    pixels = rows.array("pixels").reshape(-1, side, side, 3)
    use = usable(examples, rows.is_readable, rows.array("is_packshot").astype(np.bool_))
    return Crops(np.asarray(pixels, np.uint8), use, unreadable_paths(rows))


def usable(examples: pd.DataFrame, is_readable: NDArray[np.bool_], is_packshot: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of N examples to use, see :class:`Crops`.

    Args:
        examples: rows with ``product_id``, and ``x_min``, empty where it is a whole picture.
        is_readable: shape (N,).
        is_packshot: shape (N,); of a box it says nothing.
    """
    use = is_readable.copy()
    shots = examples["x_min"].isna().to_numpy(bool) & is_readable
    use[shots] = preferred_item_shots(examples.loc[shots, "product_id"], is_packshot[shots])
    return use


def unreadable_paths(rows: Rows) -> list[str]:
    """The paths of the pictures that cannot be read, each once, sorted."""
    return sorted(set(rows.unreadable()["path"].to_pylist()))


def keys_of(examples: pd.DataFrame) -> pyarrow.Table:
    """Examples as keys of a store of crops or embeddings, see :class:`fullshot.core.features.FeatureStore`."""
    corners = [pyarrow.array(examples[name].to_numpy(float, na_value=np.nan)) for name in CORNERS]
    names = pyarrow.Table.from_pandas(examples[["image_id", "path"]], preserve_index=False)
    texts = [column.cast(pyarrow.string()) for column in names.columns]
    return pyarrow.table([*texts, *corners], ["image_id", "path", *CORNERS])


def whole_pictures(pictures: pyarrow.Table) -> pyarrow.Table:
    """Pictures, by ``image_id`` and ``path``, as keys of a store of crops or embeddings."""
    nothing = pyarrow.nulls(len(pictures), pyarrow.float64())
    columns = [pictures[name].cast(pyarrow.string()) for name in ("image_id", "path")]
    return pyarrow.table([*columns, *([nothing] * len(CORNERS))], ["image_id", "path", *CORNERS])


def crop_store(root: Path, preparation: Preparation) -> FeatureStore:
    """Where a workspace keeps crops of this preparation: their ``pixels``, and whether it ``is_packshot``."""
    size = preparation.side * preparation.side * 3
    schema = pyarrow.schema([("pixels", pyarrow.binary(size)), ("is_packshot", pyarrow.bool_())])
    return FeatureStore(root, "crops", preparation.version, schema, "index build", boxed=True)


def keep_crops(root: Path, keys: pyarrow.Table, preparation: Preparation, settings: Settings, stage: str) -> Rows:
    """The crops of pictures and boxes: those kept, and new ones, cut by the engine's workers.

    Of a picture that is opened for a box the whole is kept too: whoever asks for that, such as `curate --check`, need
    not open it again.

    Args:
        root: of the workspace.
        keys: see :func:`keys_of`.
        preparation: of the crops.
        settings: name the engine.
        stage: what it is done for; for the progress.
    """
    store = crop_store(root, preparation)
    missing = store.missing(keys)
    wanted = pyarrow.concat_tables([keys, whole_pictures(_each_once(missing))]) if len(missing) else keys
    with open_engine(settings.engine.name) as workers:
        rows = store.fill(wanted, partial(cut, preparation=preparation), workers, stage, least=FEW)
    return rows if wanted is keys else rows.take(np.arange(len(keys)))


def _each_once(keys: pyarrow.Table) -> pyarrow.Table:
    """Each picture of some keys once."""
    numbers = keys["image_id"].combine_chunks().dictionary_encode().indices
    return keys.take(pyarrow.array(np.unique(numbers, return_index=True)[1]))


def cut(jobs: Sequence[Job], *, preparation: Preparation) -> list[Made]:
    """Cut crops, each picture decoded once: what a worker of :func:`keep_crops` does."""
    made: list[Made] = []
    for path, group in groupby(jobs, lambda job: job.path):
        boxes = [job.box for job in group]
        pieces = reading(path, partial(read_crops, boxes=boxes))
        if isinstance(pieces, Unreadable):
            made += [pieces] * len(boxes)
            continue
        made += [crop_row(piece, preparation, is_whole=box is None) for box, piece in zip(boxes, pieces, strict=True)]
    return made


def crop_row(piece: Picture, preparation: Preparation, *, is_whole: bool) -> Made:
    """The columns of one crop, see :func:`crop_store`.

    Args:
        piece: shape (height, width, 3), uint8, RGB, upright.
        preparation: of the crop.
        is_whole: it is a whole picture: its plain background is cut away.
    """
    tight = crop_to_foreground(piece) if is_whole else piece
    return {"pixels": preparation(tight).tobytes(), "is_packshot": is_whole and has_plain_background(piece)}
