"""How well looks find the products worn in them."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fullshot.core.errors import MissingInput
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train.embedder.crops import gathered
from fullshot.train.embedder.dataset import item_shots, worn_garments
from fullshot.train.embedder.metrics import ranks, recall_at
from fullshot.train.embedder.model import embedded, load

NEIGHBOURS = (1, 5)
"""The k of the recalls that are reported."""


def scored(queries: pd.DataFrame, vectors: Tensor, gallery: pd.DataFrame, gallery_vectors: Tensor) -> dict[str, Any]:
    """Recall of the very product among the first distinct products of the same wear.

    Args:
        queries: rows with ``product_id`` and ``wear``.
        vectors: their embeddings, shape (Q, d).
        gallery: rows with ``product_id`` and ``wear``.
        gallery_vectors: their embeddings, shape (G, d).

    Returns:
        ``queries`` (how many), ``recall@1`` and ``recall@5`` over all of them, and under ``wears`` the same for
        each wear, with ``products``, the number that the gallery holds. Without queries, recalls are None.
    """
    ids = pd.concat([queries["product_id"], gallery["product_id"]])
    numbers = torch.from_numpy(pd.factorize(ids)[0].astype(np.int64))
    query_products, gallery_products = numbers[: len(queries)], numbers[len(queries) :]
    wears: dict[str, Any] = {}
    places = []
    for wear in GARMENTS:
        asked = torch.from_numpy((queries["wear"] == wear).to_numpy(bool))
        held = torch.from_numpy((gallery["wear"] == wear).to_numpy(bool))
        if not asked.any() or not held.any():
            continue
        places.append(ranks(vectors[asked], query_products[asked], gallery_vectors[held], gallery_products[held]))
        wears[str(wear)] = {**_recalls(places[-1]), "products": len(set(gallery_products[held].tolist()))}
    return {**_recalls(torch.cat(places) if places else torch.zeros(0)), "wears": wears}


def _recalls(places: Tensor) -> dict[str, Any]:
    recalls = {f"recall@{k}": round(recall_at(places, k), 4) if len(places) else None for k in NEIGHBOURS}
    return {"queries": len(places), **recalls}


def evaluate(workspace: Workspace, settings: Settings, run: str | None = None, split: str = "test") -> dict[str, Any]:
    """Measure an embedder: garments worn in the looks of a split are sought among the item shots of all products.

    Returns:
        See :func:`scored`; also the run's ``embedder`` digest and the ``split``.

    Raises:
        MissingInput: there is no embedder, no table, or no box of a known product on the split's full shots.
    """
    embedder = load(workspace, run, device=settings.embedder.device)
    queries, gallery = worn_garments(workspace, [split]), item_shots(workspace)
    if not len(queries):
        raise MissingInput(
            f"expected boxes with a product_id on full shots of the split {split} in {workspace.root}, got none: "
            f"run `fullshot boxes import {workspace.root}` or `fullshot annotate pull {workspace.root}` first"
        )
    crops, _ = gathered(workspace.root, queries, embedder.image_size)
    gallery_crops, use = gathered(workspace.root, gallery, embedder.image_size)
    vectors, gallery_vectors = (
        embedded(embedder.network, crops),
        embedded(embedder.network, gallery_crops, np.flatnonzero(use)),
    )
    return {"split": split, "embedder": embedder.digest, **scored(queries, vectors, gallery[use], gallery_vectors)}
