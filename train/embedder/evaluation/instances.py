"""How well garments that people wear find their own products."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core.features import arrays
from fullshot.core.taxonomy import GARMENTS
from fullshot.train.embedder.metrics import product_ranks, recall_at

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
