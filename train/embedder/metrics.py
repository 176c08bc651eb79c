"""How well a query finds its product in a gallery."""

import torch
from torch import Tensor


def product_ranks(queries: Tensor, query_products: Tensor, gallery: Tensor, gallery_products: Tensor) -> Tensor:
    """The rank of each query's own product, when products are ordered by their nearest picture.

    Args:
        queries: shape (Q, d), float.
        query_products: shape (Q,), int64.
        gallery: shape (G, d), float.
        gallery_products: shape (G,), int64.

    Returns:
        Shape (Q,), int64, from 0; a product that is not in the gallery comes after all that are. A tie counts
        against the query, so that equal embeddings do not look like perfect ones.
    """
    products, columns = torch.unique(gallery_products, return_inverse=True)
    distances = torch.cdist(queries, gallery)
    nearest = torch.full((len(queries), len(products)), float("inf"), dtype=distances.dtype, device=distances.device)
    nearest.scatter_reduce_(1, columns.expand(len(queries), -1), distances, "amin")
    own = query_products[:, None] == products[None, :]
    own_distance = torch.where(own, nearest, float("inf")).amin(dim=1, keepdim=True)
    not_behind = (nearest <= own_distance) & ~own
    ranks: Tensor = not_behind.sum(dim=1)
    return ranks


def recall_at(ranks: Tensor, k: int) -> float:
    """Instance recall@k: share of the queries whose product is among the first ``k`` products; NaN without queries."""
    return float((ranks < k).float().mean())
