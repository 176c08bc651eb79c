"""How well a query finds its product in a gallery."""

from collections.abc import Iterator

import torch
from torch import Tensor

QUERIES, PICTURES = 256, 8192
"""Queries, and pictures of the gallery, whose distances are in memory at once."""


def product_ranks(queries: Tensor, query_products: Tensor, gallery: Tensor, gallery_products: Tensor) -> Tensor:
    """The rank of each query's own product, when products are ordered by their nearest picture.

    What it needs besides its arguments does not grow with them: distances are worked out block by block.

    Args:
        queries: shape (Q, d), float.
        query_products: shape (Q,), int64.
        gallery: shape (G, d), float.
        gallery_products: shape (G,), int64.

    Returns:
        Shape (Q,), int64, from 0; a product that is not in the gallery comes after all that are. A tie counts
        against the query, so that equal embeddings do not look like perfect ones.
    """
    order = torch.argsort(gallery_products, stable=True)
    products, counts = torch.unique_consecutive(gallery_products[order], return_counts=True)
    ends = counts.cumsum(0)
    places = torch.searchsorted(products, query_products)
    ranks = torch.zeros(len(queries), dtype=torch.int64)
    for row in range(0, len(queries), QUERIES):
        rows = torch.arange(row, min(row + QUERIES, len(queries)))
        own = torch.where(torch.isin(query_products[rows], products), places[rows], -1)
        limits = _own_distances(queries[rows], own, gallery, order, ends)
        for first, last in _blocks(ends):
            start = int(ends[first - 1]) if first else 0
            near = _as_near(queries[rows], gallery[order[start : int(ends[last - 1])]], limits)
            # A product counts once, however many of its pictures are so near: as soon as the count rises over it.
            so_far = near.cumsum(1, dtype=torch.int32)[:, ends[first:last] - start - 1]
            is_near = so_far.diff(dim=1, prepend=so_far.new_zeros(len(rows), 1)) > 0
            here = torch.nonzero((own >= first) & (own < last))[:, 0]
            is_near[here, own[here] - first] = False
            ranks[rows] += is_near.sum(dim=1)
    return ranks


def _blocks(ends: Tensor) -> Iterator[tuple[int, int]]:
    """Ranges of products that have about :data:`PICTURES` pictures together; ``ends`` says where each one's end."""
    first, start = 0, 0
    while first < len(ends):
        last = max(first + 1, int(torch.searchsorted(ends, start + PICTURES, right=True)))
        yield first, last
        first, start = last, int(ends[last - 1])


def _own_distances(queries: Tensor, own: Tensor, gallery: Tensor, order: Tensor, ends: Tensor) -> Tensor:
    """How far each query is from the nearest picture of its own product, squared; infinite where there is none (-1)."""
    nearest = torch.full((len(queries),), float("inf"), dtype=torch.float64)
    known = torch.nonzero(own >= 0)[:, 0]
    number = 0
    while len(known):  # the first picture of each product, then the second of those that have one, …
        place = torch.where(own[known] > 0, ends[own[known] - 1], 0) + number
        distances = _squared_distances(queries[known], gallery[order[place]])
        nearest[known] = torch.minimum(nearest[known], distances)
        known = known[place + 1 < ends[own[known]]]
        number += 1
    return nearest


def _as_near(queries: Tensor, pictures: Tensor, limits: Tensor) -> Tensor:
    """Which pictures are no farther from a query than its limit, squared: shape (Q, G), bool.

    A product of matrices gives all distances at once, but not to the last digit; pairs that it leaves open are looked
    at one by one, so that equal pictures are equally far and the answer does not depend on the blocks.
    """
    ours, theirs = queries.norm(dim=1)[:, None], pictures.norm(dim=1)[None, :]
    beyond = ours**2 + theirs**2 - 2 * (queries @ pictures.T) - limits[:, None].to(queries.dtype)
    # A sum of d products is off by at most about d units in the last place of the largest of them.
    unsure = 2 * queries.shape[1] * torch.finfo(queries.dtype).eps * (ours + theirs) ** 2
    near = beyond < 0
    rows, columns = torch.nonzero(beyond.abs() <= unsure, as_tuple=True)
    for start in range(0, len(rows), PICTURES):
        some, others = rows[start : start + PICTURES], columns[start : start + PICTURES]
        near[some, others] = _squared_distances(queries[some], pictures[others]) <= limits[some]
    is_near: Tensor = near
    return is_near


def _squared_distances(ours: Tensor, theirs: Tensor) -> Tensor:
    """Of each row to its like, in double precision."""
    squares: Tensor = (ours.double() - theirs.double()).square().sum(dim=1)
    return squares


def recall_at(ranks: Tensor, k: int) -> float:
    """Instance recall@k: share of the queries whose product is among the first ``k`` products; NaN without queries."""
    return float((ranks < k).float().mean())
