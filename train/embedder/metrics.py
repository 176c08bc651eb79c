"""How well a query finds its product in a gallery."""

import numpy as np
from numpy.typing import NDArray

QUERIES = 1024
"""Queries that are compared at once, with …"""

PICTURES = 8192
"""… so many pictures of the gallery, or those of one product: distances and squared lengths take 64 MiB each."""

_ROUNDING = 1e-14
"""Squared distances closer than this share of the squared lengths are equal: which is smaller depends on the order in
which float64 numbers were added."""


def product_ranks(
    queries: NDArray[np.float32],
    query_products: NDArray[np.int64],
    gallery: NDArray[np.float32],
    gallery_products: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The rank of each query's own product, when products are ordered by their nearest picture.

    Args:
        queries: shape (Q, d), float32.
        query_products: shape (Q,), int64.
        gallery: shape (G, d), float32.
        gallery_products: shape (G,), int64; where they are in ascending order, the gallery is not copied.

    Returns:
        Shape (Q,), int64, from 0; a product that is not in the gallery comes after all that are. A tie counts
        against the query, so that equal embeddings do not look like perfect ones.
    """
    if not len(gallery):
        return np.zeros(len(queries), np.int64)
    if (np.diff(gallery_products) < 0).any():
        order = np.argsort(gallery_products, kind="stable")
        gallery, gallery_products = gallery[order], gallery_products[order]
    products, starts = np.unique(gallery_products, return_index=True)
    own = np.searchsorted(products, query_products).clip(max=len(products) - 1)
    ranks = np.full(len(queries), len(products), np.int64)
    known = np.flatnonzero(products[own] == query_products)
    for start in range(0, len(known), QUERIES):
        rows = known[start : start + QUERIES]
        ranks[rows] = _not_behind(queries[rows].astype(np.float64), own[rows], gallery, starts) - 1
    return ranks


def _not_behind(
    queries: NDArray[np.float64], own: NDArray[np.int64], gallery: NDArray[np.float32], starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How many products are as near to each query as its own, which is one of them.

    Args:
        queries: shape (Q, d).
        own: shape (Q,): the number of its product.
        gallery: shape (G, d), the pictures of one product behind those of the one before.
        starts: shape (P,): the first picture of each product.
    """
    ends = np.append(starts[1:], len(gallery))
    nearest_own = np.array(
        [
            np.square(gallery[starts[product] : ends[product]] - query).sum(axis=1).min()
            for query, product in zip(queries, own, strict=True)
        ]
    )
    counts = np.zeros(len(queries), np.int64)
    lengths, doubled = np.einsum("qd,qd->q", queries, queries)[:, None], 2 * queries
    most = max(min(PICTURES, len(gallery)), int((ends - starts).max()))
    # Filled again for each block: the system takes as long to give new memory as the numbers take to be made.
    memory = np.empty((2, len(queries) * most))
    first = 0
    while first < len(starts):
        after = max(first + 1, int(np.searchsorted(ends, starts[first] + PICTURES, side="right")))
        pictures = gallery[starts[first] : ends[after - 1]].astype(np.float64)
        shape = len(queries), len(pictures)
        both, distances = (part[: shape[0] * shape[1]].reshape(shape) for part in memory)
        np.add(lengths, np.einsum("gd,gd->g", pictures, pictures), out=both)
        np.matmul(doubled, pictures.T, out=distances)
        np.subtract(both, distances, out=distances)
        nearest = np.minimum.reduceat(distances, starts[first:after] - starts[first], axis=1)
        slack = _ROUNDING * both.max(axis=1, keepdims=True)
        counts += (nearest <= nearest_own[:, None] + slack).sum(axis=1)
        first = after
    return counts


def recall_at(ranks: NDArray[np.int64], k: int) -> float:
    """Instance recall@k: share of the queries whose product is among the first ``k`` products; NaN without queries."""
    return float((ranks < k).mean()) if len(ranks) else float("nan")
