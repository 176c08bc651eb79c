"""How well garments that people wear find their products."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core.errors import MissingInput, StageFailed
from fullshot.core.features import arrays
from fullshot.core.progress import say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.embedder.crops import keys_of, unreadable_paths, usable
from fullshot.train.embedder.dataset import WANTED, item_shots, worn_garments
from fullshot.train.embedder.embeddings import kept_embeddings
from fullshot.train.embedder.in_use import KIND, digest_in_use
from fullshot.train.embedder.loading import load
from fullshot.train.embedder.metrics import product_ranks, recall_at
from fullshot.train.embedder.preprocessing import VERSION
from fullshot.train.figures import inputs_of, keep_figures, kept_figures

STAGE = "evaluate embedder"

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
    ids = pd.concat([queries["product_id"], gallery["product_id"]])
    numbers = pd.factorize(ids, sort=True)[0].astype(np.int64)
    query_products, gallery_products = numbers[: len(queries)], numbers[len(queries) :]
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
        queries, gallery = worn_garments(data, [split]), item_shots(data)
    if not len(queries):
        raise MissingInput(
            f"expected boxes with a product_id on full shots of the split {split} in {workspace.root}, got none: "
            f"run `fullshot boxes import {workspace.root}` or `fullshot annotate pull {workspace.root}` first"
        )
    examples = pd.concat([queries, gallery], ignore_index=True)
    rows = kept_embeddings(workspace.root, keys_of(examples), embedder, settings, STAGE)
    unreadable = unreadable_paths(rows)
    say_unreadable(STAGE, unreadable)
    use = usable(examples, rows.is_readable, np.asarray(rows.array("is_packshot"), np.bool_))
    asked = int(use[: len(queries)].sum())
    if not asked or not use[len(queries) :].any():
        raise StageFailed(f"no picture of the split {split} in {workspace.root} can be read, or no item shot")
    chosen = np.flatnonzero(use)
    vectors = rows.take(chosen).array("vector")
    examples = examples[["product_id", "wear"]].iloc[chosen]
    del rows, queries, gallery  # keys and paths are most of the memory, and no longer needed
    return {
        "split": split,
        "embedder": embedder.digest,
        "unreadable": len(unreadable),
        **score(examples[:asked], vectors[:asked], examples[asked:], vectors[asked:]),
    }
