"""Which pictures come first: unsure, unlike those that are labelled or chosen before, and of what is rare."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

CHOSEN_ONE_BY_ONE = 2000
"""So many are chosen greedily, weeks of a person's work; at 100,000 candidates that takes half a minute."""

REST = 20
"""After a picture of a product, none of that product among so many, as long as there are others."""

_BLOCK = 2048
_PAIRS = 4096


@dataclass(frozen=True)
class Weights:
    """How much each reason counts; each reason is in [0, 1]."""

    uncertainty: float
    diversity: float
    rarity: float


@dataclass(frozen=True)
class Pool:
    """N candidates.

    Attributes:
        uncertainty: shape (N,), float32 in [0, 1].
        features: shape (N, D), float32; similar pictures are near by Euclidean distance.
        kinds: shape (N,), int64: the product type's number, -1 where it is not known.
        garments: shape (N, 4), float32 in [0, 1]: how sure it is that each garment is to be seen.
        products: shape (N,), int64: the product's number.
    """

    uncertainty: Floats
    features: Floats
    kinds: Rows
    garments: Floats
    products: Rows


@dataclass(frozen=True)
class Labelled:
    """What is labelled already.

    Attributes:
        features: shape (M, D), float32.
        kinds: shape (K,), float32: labelled pictures of each product type.
        garments: shape (4,), float32: labelled pictures of each garment.
    """

    features: Floats
    kinds: Floats
    garments: Floats


@dataclass(frozen=True)
class Order:
    """The order of N candidates, with what spoke for each at the moment it was chosen.

    Attributes:
        rows: shape (N,), int64: rows of the pool, first to label first.
        diversity: shape (N,), float32 in [0, 1], by row of the pool.
        rarity: shape (N,), float32 in [0, 1], by row of the pool.
    """

    rows: Rows
    diversity: Floats
    rarity: Floats


def nearest(features: Floats, others: Floats) -> Floats:
    """Distance of each picture to the nearest of others; infinite where there are none.

    Args:
        features: shape (N, D), float32.
        others: shape (M, D), float32.

    Returns:
        Shape (N,), float32, Euclidean.
    """
    found = np.full(len(features), np.inf, np.float32)
    squares = np.square(others).sum(axis=1)
    for start in range(0, len(features), _BLOCK):
        part = features[start : start + _BLOCK]
        own = np.square(part).sum(axis=1)
        for first in range(0, len(others), _BLOCK):
            block = slice(first, first + _BLOCK)
            distances = own[:, None] + squares[block] - 2 * (part @ others[block].T)
            found[start : start + _BLOCK] = np.minimum(found[start : start + _BLOCK], distances.min(axis=1))
    return np.sqrt(np.maximum(found, 0))


def typical_distance(features: Floats) -> float:
    """The median distance of two pictures drawn by lot, of which diversity is a share."""
    if len(features) < 2:
        return 1.0
    first, second = np.random.default_rng(0).integers(0, len(features), (2, _PAIRS))
    apart = np.linalg.norm(features[first] - features[second], axis=1)[first != second]
    median = float(np.median(apart)) if len(apart) else 0.0
    return median if median > 0 else 1.0


def choose(pool: Pool, labelled: Labelled, weights: Weights, limit: int = CHOSEN_ONE_BY_ONE) -> Order:
    """Order candidates: the first ones one by one, the others by what speaks for them then.

    Diversity is the farthest-first traversal by which Sener and Savarese ("Active learning for convolutional neural
    networks: a core-set approach", 2018) cover a data set: the distance to the nearest picture that is labelled or
    chosen before. It is summed with the other reasons, so that neither an outlier nor twenty shots of one scene lead.

    Args:
        pool: the candidates.
        labelled: what is there.
        weights: of the reasons.
        limit: how many to choose one by one; each takes a pass over all candidates.
    """
    count = len(pool.products)
    scale = typical_distance(np.concatenate([pool.features, labelled.features]))
    distance = nearest(pool.features, labelled.features)
    squares = np.square(pool.features).sum(axis=1)
    rarity = _Rarity(pool, labelled)
    resting = np.full(int(pool.products.max(initial=0)) + 1, -REST - 1, np.int64)
    left = np.ones(count, np.bool_)
    diversity_then, rarity_then = np.zeros(count, np.float32), np.zeros(count, np.float32)
    rows: list[int] = []
    for step in range(min(limit, count)):
        diverse, rare = np.minimum(distance / scale, 1), rarity.of_all()
        score = weights.uncertainty * pool.uncertainty + weights.diversity * diverse + weights.rarity * rare
        open_now = left & (step - resting[pool.products] > REST)
        row = int(np.argmax(np.where(open_now if open_now.any() else left, score, -np.inf)))
        diversity_then[row], rarity_then[row] = diverse[row], rare[row]
        rows.append(row)
        left[row] = False
        resting[pool.products[row]] = step
        rarity.take(row)
        towards = squares + squares[row] - 2 * (pool.features @ pool.features[row])
        distance = np.minimum(distance, np.sqrt(np.maximum(towards, 0)))
    rest = np.flatnonzero(left)
    diverse, rare = np.minimum(distance / scale, 1), rarity.of_all()
    diversity_then[rest], rarity_then[rest] = diverse[rest], rare[rest]
    score = weights.uncertainty * pool.uncertainty + weights.diversity * diverse + weights.rarity * rare
    tail = _in_turns(rest[np.argsort(-score[rest], kind="stable")], pool.products)
    return Order(np.concatenate([np.array(rows, np.int64), tail]), diversity_then, rarity_then)


def _in_turns(rows: Rows, products: Rows) -> Rows:
    """Rows in order of score, brought to one picture of every product, then a second of every product, and so on."""
    by_product = np.argsort(products[rows], kind="stable")
    sorted_products = products[rows][by_product]
    first = np.searchsorted(sorted_products, sorted_products)
    turn = np.empty(len(rows), np.int64)
    turn[by_product] = np.arange(len(rows)) - first
    return rows[np.argsort(turn, kind="stable")]


class _Rarity:
    """Inverse frequency of product types and garments, those that were chosen counted with those that are labelled.

    A type's is ``(least + 1) / (count + 1)``: 1 for the rarest that is still to be had, one half for what is there
    twice as often. A picture's is that of its type, or of the rarest garment on it, whichever is greater.
    """

    def __init__(self, pool: Pool, labelled: Labelled) -> None:
        self._pool = pool
        self._left = np.bincount(pool.kinds[pool.kinds >= 0], minlength=len(labelled.kinds))
        self._kinds = labelled.kinds.astype(np.float64)
        self._garments = labelled.garments.astype(np.float64)

    def of_all(self) -> Floats:
        """Shape (N,), float32 in [0, 1]."""
        garments = (self._garments.min() + 1) / (self._garments + 1)
        found = (self._pool.garments * garments.astype(np.float32)).max(axis=1)
        there = self._left > 0
        if there.any():
            kinds = np.minimum((self._kinds[there].min() + 1) / (self._kinds + 1), 1).astype(np.float32)
            of_kind = np.where(self._pool.kinds >= 0, kinds[self._pool.kinds], np.float32(0))
            found = np.maximum(found, of_kind)
        return np.asarray(found, np.float32)

    def take(self, row: int) -> None:
        """Count a picture that was chosen as if it were labelled."""
        kind = self._pool.kinds[row]
        if kind >= 0:
            self._kinds[kind] += 1
            self._left[kind] -= 1
        self._garments += self._pool.garments[row]
