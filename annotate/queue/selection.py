"""Which pictures come first: unsure, like many that nothing labelled or chosen before is like, and of what is rare."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.annotate.queue import shortlist
from fullshot.annotate.queue.coverage import Coverage, Features, Floats, Population, Rows, blocks
from fullshot.annotate.queue.shortlist import Standing
from fullshot.annotate.queue.turns import Turns

CHOSEN_ONE_BY_ONE = 2000
"""So many are chosen greedily, weeks of a person's work."""

REST = 20
"""After a picture of a product, none of that product among so many, as long as there are others."""

_AS_GOOD = 0.8
"""Where a picture of an earlier order has at least this share of the best score, the earlier order decides. Else each
label would lead the choice another way, though nothing is gained by it."""

_NOTHING = 1e-6


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
        features: of them; similar pictures are near by Euclidean distance.
        kinds: shape (N,), int64: the product type's number, -1 where it is not known.
        garments: shape (N, 4), float32 in [0, 1]: how sure it is that each garment is to be seen.
        products: shape (N,), int64: the product's number.
        unclear: shape (N,), bool: whether nobody knows yet that it is a full shot.
        before: shape (N,), float32: the priority in an earlier order, the greatest first; 0 where there was none.
    """

    uncertainty: Floats
    features: Features
    kinds: Rows
    garments: Floats
    products: Rows
    unclear: NDArray[np.bool_]
    before: Floats

    def take(self, rows: Rows) -> "Pool":
        """Some of them, in that order."""
        return Pool(
            self.uncertainty[rows],
            self.features[rows],
            self.kinds[rows],
            self.garments[rows],
            self.products[rows],
            self.unclear[rows],
            self.before[rows],
        )


@dataclass(frozen=True)
class Labelled:
    """What is labelled already.

    Attributes:
        features: of M pictures.
        kinds: shape (K,), float32: labelled pictures of each product type.
        garments: shape (4,), float32: labelled pictures of each garment.
        recent: products, as in :class:`Pool`, of the pictures annotated last, the latest first; -1: of no candidate.
    """

    features: Features
    kinds: Floats
    garments: Floats
    recent: Sequence[int] = ()


@dataclass(frozen=True)
class Order:
    """The order of N candidates, with what spoke for each at the moment it was chosen.

    Attributes:
        rows: shape (N,), int64: rows of the pool, first to label first.
        diversity: shape (N,), float32 in [0, 1], by row of the pool: of what the picture that is like most others
            stands for, as much as this one stands for and nothing labelled or chosen before it does.
        rarity: shape (N,), float32 in [0, 1], by row of the pool.
    """

    rows: Rows
    diversity: Floats
    rarity: Floats


def choose(
    pool: Pool,
    labelled: Labelled,
    population: Population,
    weights: Weights,
    turns: Turns,
    is_sample: NDArray[np.bool_],
    limit: int = CHOSEN_ONE_BY_ONE,
) -> Order:
    """Order candidates: the first ones one by one, the others by what speaks for them then.

    Diversity is how much better a picture stands for all others than what is labelled or chosen before (see
    :class:`fullshot.annotate.queue.coverage.Coverage`). It is summed with the other reasons, so that neither an outlier
    nor twenty shots of one scene lead. Of very many candidates those of a list are chosen among, see
    :mod:`fullshot.annotate.queue.shortlist`.

    Args:
        pool: the candidates.
        labelled: what is there.
        population: what the candidates may stand for.
        weights: of the reasons.
        turns: says when an unclear picture comes.
        is_sample: shape (N,): which of the candidates are the population's sample.
        limit: how many to choose one by one; each takes a pass over those that are chosen among.
    """
    count = len(pool.products)
    coverage, rarity = Coverage(population, labelled.features), _Rarity(labelled, pool)
    listed = np.arange(count)
    if count > shortlist.MOST:
        listed = _listed(pool, coverage, rarity, weights, is_sample, limit)
    among = pool.take(listed)
    coverage.follow(among.features)
    last_product = max(int(pool.products.max(initial=0)), *labelled.recent[:REST], 0)
    chosen_at = np.full(last_product + 1, -REST - 1, np.int64)
    for age, product in reversed(list(enumerate(labelled.recent[:REST], 1))):
        if product >= 0:
            chosen_at[product] = -age
    left = np.ones(len(listed), np.bool_)
    diversity_then, rarity_then = np.zeros(count, np.float32), np.zeros(count, np.float32)
    rows: list[int] = []
    for step in range(min(limit, len(listed))):
        rare = rarity.of_all(among)
        score = _scores(among, coverage.shares(coverage.gains), rare, weights)
        open_now = left & (among.unclear == turns.is_unclear_next())
        rested = open_now & (step - chosen_at[among.products] > REST)
        place = _best(np.where(rested if rested.any() else open_now, score, -np.inf), among.before)
        row = int(listed[place])
        diversity_then[row] = coverage.shares_of_greatest(coverage.gains[place])
        rarity_then[row] = rare[place]
        rows.append(row)
        left[place] = False
        chosen_at[among.products[place]] = step
        rarity.take(among, place)
        coverage.take(place)
        turns.take(row)
    gains = _gains_now(pool, coverage, listed)
    rest = np.delete(np.arange(count), rows)
    rare = rarity.of_all(pool)
    diversity_then[rest], rarity_then[rest] = coverage.shares_of_greatest(gains)[rest], rare[rest]
    score = _scores(pool, coverage.shares(gains), rare, weights)[rest]
    level = np.floor(np.log(np.maximum(score, _NOTHING)) / -np.log(_AS_GOOD))
    tail = rest[np.lexsort((-score, -pool.before[rest], -level))]
    return Order(np.concatenate([np.array(rows, np.int64), _merged(tail, pool, turns)]), diversity_then, rarity_then)


def _scores(pool: Pool, diverse: Floats, rare: Floats, weights: Weights) -> Floats:
    score = weights.uncertainty * pool.uncertainty + weights.diversity * diverse + weights.rarity * rare
    return np.asarray(score, np.float32)


def _listed(
    pool: Pool, coverage: Coverage, rarity: "_Rarity", weights: Weights, is_sample: NDArray[np.bool_], limit: int
) -> Rows:
    """The rows of very many candidates that are chosen among."""
    count = len(pool.products)
    nearest, similarity = np.empty(count, np.int64), np.empty(count, np.float32)
    for block in blocks(count):
        nearest[block], similarity[block] = coverage.nearest(pool.features[block])
    standing = weights.uncertainty * pool.uncertainty + weights.rarity * rarity.of_all(pool)
    known = Standing(standing, nearest, similarity, pool.before, pool.unclear, is_sample)
    return shortlist.shortlist(known, weights.diversity, limit)


def _gains_now(pool: Pool, coverage: Coverage, listed: Rows) -> NDArray[np.float64]:
    """The gains of all candidates."""
    if len(listed) == len(pool.products):
        return coverage.gains
    gains = np.empty(len(pool.products), np.float64)
    for block in blocks(len(gains)):
        gains[block] = coverage.gains_of(pool.features[block])
    return gains


def _merged(tail: Rows, pool: Pool, turns: Turns) -> Rows:
    """Rows in order of score, each kind of them when it is its turn, and its products in turns.

    The kinds are ordered apart: else the place of a picture among those of its product would depend on when the other
    kind comes, and be another one when the same pictures are ordered again.
    """
    unclear = pool.unclear[tail]
    full_shots, unclear_ones = (_in_turns(tail[unclear == kind], pool.products) for kind in (False, True))
    merged: list[int] = []
    used = 0  # of the unclear ones
    while used < len(unclear_ones) and len(merged) - used < len(full_shots):
        is_unclear = turns.is_unclear_next()
        merged.append(int(unclear_ones[used] if is_unclear else full_shots[len(merged) - used]))
        used += is_unclear
        turns.take(merged[-1])
    rest = full_shots[len(merged) - used :], unclear_ones[used:]
    return np.concatenate([np.array(merged, np.int64), *rest])


def _best(score: NDArray[np.floating[Any]], before: Floats) -> int:
    """The row with the best score; or, of those that are as good, the first of an earlier order."""
    as_good = np.where(score >= _AS_GOOD * score.max(), before, 0)
    row = int(as_good.argmax())
    return row if as_good[row] > 0 else int(score.argmax())


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

    Args:
        labelled: what is there.
        pool: the candidates.
    """

    def __init__(self, labelled: Labelled, pool: Pool) -> None:
        self._left = np.bincount(pool.kinds[pool.kinds >= 0], minlength=len(labelled.kinds))
        self._kinds = labelled.kinds.astype(np.float64)
        self._garments = labelled.garments.astype(np.float64)

    def of_all(self, pool: Pool) -> Floats:
        """Of these candidates: shape (N,), float32 in [0, 1]."""
        garments = ((self._garments.min() + 1) / (self._garments + 1)).astype(np.float32)
        # A column at a time: NumPy takes fifty times as long over the maximum of four neighbours.
        found = reduce(np.maximum, (column * weight for column, weight in zip(pool.garments.T, garments, strict=True)))
        there = self._left > 0
        if there.any():
            kinds = np.minimum((self._kinds[there].min() + 1) / (self._kinds + 1), 1).astype(np.float32)
            found = np.maximum(found, np.where(pool.kinds >= 0, kinds[pool.kinds], np.float32(0)))
        return np.asarray(found, np.float32)

    def take(self, pool: Pool, row: int) -> None:
        """Count one of these candidates, that was chosen, as if it were labelled."""
        kind = pool.kinds[row]
        if kind >= 0:
            self._kinds[kind] += 1
            self._left[kind] -= 1
        self._garments += pool.garments[row]
