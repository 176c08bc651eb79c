"""Which products lie nearest to a query, exactly, in memory that does not grow with queries times gallery.

A product is as near as its nearest picture, as in a catalog's answer, which has each product once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

KS = (1, 5, 10)
"""The k of precision@k and recall@k."""

SHOWN = 5
"""Nearest products that are told of each query."""

MEMORY_BYTES = 128 * 2**20
"""Of the distances that are in memory at once: those of some queries to all products."""

QUERIES = 1024
"""Queries that are compared at once, at most, with …"""

PICTURES = 8192
"""… so many pictures of the gallery, or those of one product."""

_ROUNDING = 1e-14
"""Squared distances closer than this share of the squared lengths are equal: which is smaller depends on the order in
which float64 numbers were added."""

UNKNOWN = -1
"""A product, cluster or class that is not known: it is the same as no other."""


@dataclass(frozen=True)
class Pictures:
    """Embedded pictures.

    Attributes:
        vectors: shape (N, d), float32; may be mapped from a file.
        products: shape (N,), int64: the product that each shows, or :data:`UNKNOWN`. Of a gallery each is known, and
            they are in ascending order.
        clusters: shape (N,), int64: its cluster of near duplicates, or :data:`UNKNOWN`.
    """

    vectors: NDArray[np.float32]
    products: NDArray[np.int64]
    clusters: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.products)


@dataclass(frozen=True)
class Answers:
    """How well Q queries were answered, by one notion of what is right.

    Attributes:
        right: shape (Q,), int64: R, how many products of the gallery are right. Where it is 0, no answer can be, and
            the other figures say nothing.
        hits: shape (Q, 3), int64: how many of the first k are right, for each k of :data:`KS`.
        average_precision: shape (Q,), float64: 1/R · Σ over i ≤ R of precision@i where the i-th product is right, whose
            mean over the queries is mAP@R (Musgrave, Belongie and Lim, "A Metric Learning Reality Check", 2020).
        nearest: shape (Q, 5), int64: the numbers of the nearest products in the gallery's :func:`products_of`, nearest
            first; :data:`UNKNOWN` where there are fewer.
        is_right: shape (Q, 5): which of them are.
    """

    right: NDArray[np.int64]
    hits: NDArray[np.int64]
    average_precision: NDArray[np.float64]
    nearest: NDArray[np.int64]
    is_right: NDArray[np.bool_]

    @classmethod
    def none(cls, count: int) -> Self:
        """Those of queries that nothing was answered to yet, to be filled in."""
        return cls(
            right=np.zeros(count, np.int64),
            hits=np.zeros((count, len(KS)), np.int64),
            average_precision=np.zeros(count),
            nearest=np.full((count, SHOWN), UNKNOWN, np.int64),
            is_right=np.zeros((count, SHOWN), np.bool_),
        )


def products_of(gallery: Pictures) -> NDArray[np.int64]:
    """The products of a gallery, ascending: shape (P,), int64."""
    return np.unique(gallery.products)


def answers(
    queries: Pictures, gallery: Pictures, classes: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> dict[str, Answers]:
    """Look for the products that are like each query.

    A query's own product is no answer, and no picture of the query's own cluster of near duplicates is. Of products
    that are equally far the wrong ones come first, so that equal embeddings do not look like perfect ones.

    Args:
        queries: Q pictures.
        gallery: their products are in ascending order.
        classes: by the name of what makes an answer right: the class of each query, shape (Q,), and that of each of
            :func:`products_of` the gallery, shape (P,). Right is what has the query's class; :data:`UNKNOWN` is never
            right.

    Raises:
        ValueError: the gallery's products are not in ascending order.
    """
    if (np.diff(gallery.products) < 0).any():
        raise ValueError("expected the pictures of a gallery in the order of their products")
    found = {name: Answers.none(len(queries)) for name in classes}
    for rows, distances, slack in _blocks(queries, gallery):
        for place, row in enumerate(rows.tolist()):
            for name, (of_queries, of_products) in classes.items():
                is_right = (of_products == of_queries[row]) & (of_products != UNKNOWN)
                _answer(found[name], row, distances[place], is_right, slack[place])
    return found


def _answer(
    found: Answers, row: int, distances: NDArray[np.float64], is_right: NDArray[np.bool_], slack: float
) -> None:
    """Fill in one query's row.

    Args:
        found: to be filled in.
        row: of the query.
        distances: shape (P,): to each product; infinite where it is no answer.
        is_right: shape (P,).
        slack: distances that differ by no more are equal.
    """
    # A right product stands behind all wrong ones that are not further away than it.
    keys = np.where(is_right, distances + slack, distances)
    can_be = np.isfinite(keys)
    right = np.sort(keys[is_right & can_be])
    found.right[row] = len(right)
    wrong = np.sort(keys[~is_right & can_be])
    ranks = np.searchsorted(wrong, right, side="right") + np.arange(1, len(right) + 1)
    found.hits[row] = [np.count_nonzero(ranks <= k) for k in KS]
    counted = ranks <= len(right)
    if len(right):
        precisions = np.arange(1, len(right) + 1)[counted] / ranks[counted]
        found.average_precision[row] = precisions.sum() / len(right)
    most = min(SHOWN, len(right) + len(wrong))
    if most:
        furthest = np.partition(keys, most - 1)[most - 1]
        near = np.flatnonzero(keys <= furthest)
        first = near[np.lexsort((near, is_right[near], keys[near]))][:most]
        found.nearest[row, :most], found.is_right[row, :most] = first, is_right[first]


def _blocks(
    queries: Pictures, gallery: Pictures
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
    """Some queries at a time: their rows, their distances to all products, and below which difference these are equal.

    Yields:
        Shapes (q,), (q, P) and (q,). The distances are filled in anew for the next block.
    """
    if not len(gallery):
        return
    products, starts = np.unique(gallery.products, return_index=True)
    own = np.searchsorted(products, queries.products).clip(max=len(products) - 1)
    has_own = products[own] == queries.products
    copies = _Copies(gallery.clusters)
    most = max(1, min(QUERIES, MEMORY_BYTES // (8 * len(products))))
    memory = np.empty((most, len(products)))
    for start in range(0, len(queries), most):
        rows = np.arange(start, min(start + most, len(queries)))
        distances, slack = memory[: len(rows)], np.zeros(len(rows))
        asked = np.asarray(queries.vectors[rows], np.float64)
        excluded = copies.of(queries.clusters[rows])
        for chosen, nearest, length in _nearest(asked, gallery, starts, excluded):
            distances[:, chosen] = nearest
            np.maximum(slack, _ROUNDING * length, out=slack)
        its = np.flatnonzero(has_own[rows])
        distances[its, own[rows][its]] = np.inf
        yield rows, distances, slack


def _nearest(
    asked: NDArray[np.float64],
    gallery: Pictures,
    starts: NDArray[np.int64],
    excluded: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[np.float64]]]:
    """Some products at a time: how far the nearest picture of each is.

    Args:
        asked: q queries, shape (q, d).
        gallery: their pictures.
        starts: shape (P,): the first picture of each product.
        excluded: queries and the pictures that are no answer to them, shape (n,) both.

    Yields:
        Which products; their squared distances, shape (q, p), infinite where no picture is left; and for each query the
        largest sum of squared lengths, shape (q,), which rounding is a share of.
    """
    ends = np.append(starts[1:], len(gallery))
    lengths = np.einsum("qd,qd->q", asked, asked)[:, None]
    first = 0
    while first < len(starts):
        after = max(first + 1, int(np.searchsorted(ends, starts[first] + PICTURES, side="right")))
        begin, end = int(starts[first]), int(ends[after - 1])
        pictures = np.asarray(gallery.vectors[begin:end], np.float64)
        both = lengths + np.einsum("gd,gd->g", pictures, pictures)
        distances = both - 2 * (asked @ pictures.T)
        here = (excluded[1] >= begin) & (excluded[1] < end)
        distances[excluded[0][here], excluded[1][here] - begin] = np.inf
        yield (
            slice(first, after),
            np.minimum.reduceat(distances, starts[first:after] - begin, axis=1),
            both.max(axis=1),
        )
        first = after


class _Copies:
    """Which pictures of a gallery are of a cluster.

    Args:
        clusters: shape (G,), int64.
    """

    def __init__(self, clusters: NDArray[np.int64]) -> None:
        known = np.flatnonzero(clusters != UNKNOWN)
        self._pictures = known[np.argsort(clusters[known], kind="stable")]
        self._clusters = clusters[self._pictures]

    def of(self, clusters: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pictures of each of some clusters: numbers of these and of the pictures, each of shape (n,)."""
        first, last = (np.searchsorted(self._clusters, clusters, side=side) for side in ("left", "right"))
        counts = np.where(clusters == UNKNOWN, 0, last - first)
        pieces: Sequence[NDArray[np.int64]] = [
            self._pictures[start : start + count] for start, count in zip(first, counts, strict=True) if count
        ]
        pictures = np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
        return np.repeat(np.arange(len(clusters)), counts), pictures
