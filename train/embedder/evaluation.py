"""How well garments that people wear find their products."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from fullshot.core.dataset import Dataset
from fullshot.core.errors import MissingInput, StageFailed
from fullshot.core.features import arrays
from fullshot.core.features.rows import MEMORY_BYTES
from fullshot.core.interfaces import Embedder
from fullshot.core.parts import parts
from fullshot.core.progress import say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.embedder.crops import keys_of, unreadable_paths, usable
from fullshot.train.embedder.dataset import MEASURED_GARMENTS, MEASURED_SHOTS, WANTED, as_frame, create_measured
from fullshot.train.embedder.embeddings import kept_embeddings
from fullshot.train.embedder.in_use import KIND, digest_in_use
from fullshot.train.embedder.loading import load
from fullshot.train.embedder.metrics import product_ranks, recall_at
from fullshot.train.embedder.preprocessing import VERSION
from fullshot.train.figures import inputs_of, keep_figures, kept_figures

STAGE = "evaluate embedder"

AT_ONCE = 500_000
"""Examples whose keys are in memory at once; each time, the keys of all embeddings are gone through."""

NEIGHBOURS = (1, 5)
"""The k of the recalls that are reported."""


def score(
    queries: pd.DataFrame,
    vectors: NDArray[np.float32],
    gallery: pd.DataFrame,
    gallery_vectors: NDArray[np.float32],
) -> dict[str, Any]:
    """Instance recall@k: how often a query's own product is among the k nearest products of the same wear.

    Args:
        queries: rows with ``product_id`` and ``wear``.
        vectors: their embeddings, shape (Q, d).
        gallery: rows with ``product_id`` and ``wear``.
        gallery_vectors: their embeddings, shape (G, d); they may be mapped from a file.

    Returns:
        ``queries`` (how many), ``recall@1`` and ``recall@5`` over all of them, and under ``wears`` the same for
        each wear, with ``products``, the number that the gallery holds. Without queries, recalls are None.
    """
    # In order of appearance: those of a gallery whose pictures of one product follow each other are ascending.
    numbers = pd.factorize(pd.concat([gallery["product_id"], queries["product_id"]]))[0].astype(np.int64)
    query_products, gallery_products = numbers[len(gallery) :], numbers[: len(gallery)]
    wears: dict[str, Any] = {}
    ranks = []
    for wear in GARMENTS:
        asked = (queries["wear"] == wear).to_numpy(bool)
        held = (gallery["wear"] == wear).to_numpy(bool)
        if not asked.any() or not held.any():
            continue
        ranks.append(
            product_ranks(
                vectors[asked],
                query_products[asked],
                arrays.take(gallery_vectors, np.flatnonzero(held)),
                gallery_products[held],
            )
        )
        wears[str(wear)] = {**_recalls(ranks[-1]), "products": len(np.unique(gallery_products[held]))}
    return {**_recalls(np.concatenate(ranks) if ranks else np.zeros(0, np.int64)), "wears": wears}


def _recalls(ranks: NDArray[np.int64]) -> dict[str, Any]:
    recalls = {f"recall@{k}": round(recall_at(ranks, k), 4) if len(ranks) else None for k in NEIGHBOURS}
    return {"queries": len(ranks), **recalls}


def evaluate(workspace: Workspace, settings: Settings, run: str | None = None, split: str = "test") -> dict[str, Any]:
    """Measure an embedder: garments in the outfit images of a split are sought among the item shots of all products.

    Returns:
        See :func:`score`; also the run's ``embedder`` digest, the ``split``, and ``unreadable``, pictures left out.
        The same is written to the run's ``evaluation-<split>.json``, and read from there while nothing has changed.

    Raises:
        MissingInput: there is no embedder, no table, or no box of a known product on the split's full shots.
        StageFailed: none of these, or no item shot, can be read.
    """
    chosen = runs.latest_run(workspace, KIND, run)
    path = chosen.folder / f"evaluation-{split}.json"
    weights = digest_in_use(workspace, chosen.name)
    inputs = inputs_of(workspace, tuple(WANTED), {}, embedder=weights, preprocessing=VERSION)
    if (kept := kept_figures(path, inputs, STAGE)) is not None:
        return kept
    figures = _measured(workspace, settings, chosen.name, split)
    keep_figures(path, inputs, figures)
    return figures


def _measured(workspace: Workspace, settings: Settings, run: str, split: str) -> dict[str, Any]:
    embedder = load(workspace, run, device=settings.embedder.device)
    with workspace.open(WANTED) as data:
        create_measured(data, split)
        ((count,),) = data.rows(f"SELECT count(*) FROM {MEASURED_GARMENTS}")
        if not count:
            raise MissingInput(
                f"expected boxes with a product_id on full shots of the split {split} in {workspace.root}, got none: "
                f"run `fullshot boxes import {workspace.root}` or `fullshot annotate pull {workspace.root}` first"
            )
        queries = _embedded(data, MEASURED_GARMENTS, embedder, settings)
        gallery = _embedded(data, MEASURED_SHOTS, embedder, settings)
    unreadable = sorted(queries.unreadable | gallery.unreadable)
    say_unreadable(STAGE, unreadable)
    if not len(queries.examples) or not len(gallery.examples):
        raise StageFailed(f"no picture of the split {split} in {workspace.root} can be read, or no item shot")
    return {
        "split": split,
        "embedder": embedder.digest,
        "unreadable": len(unreadable),
        **score(queries.examples, queries.vectors, gallery.examples, gallery.vectors),
    }


@dataclass(frozen=True)
class _Embedded:
    """Examples that are to be used.

    Attributes:
        examples: N rows with ``product_id`` and ``wear``.
        vectors: shape (N, d), float32; may be mapped from a file.
        unreadable: the paths of the pictures that cannot be read, and are left out.
    """

    examples: pd.DataFrame
    vectors: NDArray[np.float32]
    unreadable: set[str]


def _embedded(data: Dataset, table: str, embedder: Embedder, settings: Settings) -> _Embedded:
    """The examples of a table that :func:`create_measured` made, part by part."""
    root = data.workspace.root
    ((count,),) = data.rows(f"SELECT count(*) FROM {table}")
    vectors = arrays.zeros((count, embedder.dimension), np.dtype(np.float32), MEMORY_BYTES)
    used = [data.arrow(f"SELECT product_id, wear FROM {table} LIMIT 0")]
    unreadable: set[str] = set()
    start = 0
    for part in parts(data, table, "example", "product_id", AT_ONCE):
        examples = as_frame(part)
        rows = kept_embeddings(root, keys_of(examples), embedder, settings, STAGE)
        unreadable.update(unreadable_paths(rows))
        use = np.flatnonzero(usable(examples, rows.is_readable, np.asarray(rows.array("is_packshot"), np.bool_)))
        vectors[start : start + len(use)] = rows.take(use).array("vector")
        arrays.let_go(vectors)
        start += len(use)
        # Taken, not cut out: what is cut out holds all columns of its part.
        used.append(part.select(["product_id", "wear"]).take(pyarrow.array(use)))
    return _Embedded(as_frame(pyarrow.concat_tables(used)), vectors[:start], unreadable)
