"""How well a query finds its product in a gallery."""

import torch
from torch import Tensor


def ranks(queries: Tensor, query_products: Tensor, gallery: Tensor, gallery_products: Tensor) -> Tensor:
    """At which place each query's own product comes, when products are ordered by their nearest picture.

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
    places: Tensor = not_behind.sum(dim=1)
    return places


def recall_at(places: Tensor, k: int) -> float:
    """Share of the queries whose product is among the first ``k`` products; NaN without queries."""
    return float((places < k).float().mean())
