"""Which pictures come first: unsure, like many that nothing labelled or chosen before is like, and of what is rare."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.annotate.queue.turns import Turns

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

CHOSEN_ONE_BY_ONE = 2000
"""So many are chosen greedily, weeks of a person's work; at 100,000 candidates that takes 12 seconds."""

REST = 20
"""After a picture of a product, none of that product among so many, as long as there are others."""

_AS_GOOD = 0.8
"""Where a picture of an earlier order has at least this share of the best score, the earlier order decides. Else each
label would lead the choice another way, though nothing is gained by it."""

_RADIUS = 0.5
"""Within it two pictures are similar; a share of the typical distance of two."""

SAMPLE = 1000
"""So many pictures stand for all that are to be covered."""

_NOTHING = 1e-6
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
        unclear: shape (N,), bool: whether nobody knows yet that it is a full shot.
        before: shape (N,), float32: the priority in an earlier order, the greatest first; 0 where there was none.
    """

    uncertainty: Floats
    features: Floats
    kinds: Rows
    garments: Floats
    products: Rows
    unclear: NDArray[np.bool_]
    before: Floats


@dataclass(frozen=True)
class Labelled:
    """What is labelled already.

    Attributes:
        features: shape (M, D), float32.
        kinds: shape (K,), float32: labelled pictures of each product type.
        garments: shape (4,), float32: labelled pictures of each garment.
        recent: products, as in :class:`Pool`, of the pictures annotated last, the latest first; -1: of no candidate.
    """

    features: Floats
    kinds: Floats
    garments: Floats
    recent: Sequence[int] = ()


@dataclass(frozen=True)
class Population:
    """What a picture may stand for.

    Where one of the candidates is labelled, as good as nothing of it changes. So the order and the numbers of the
    others stay, but for those that the label bears on.

    Attributes:
        sample: shape (S, D), float32: features of candidates that stand for all candidates.
        radius: the distance within which two pictures are similar.
        greatest: how much of the sample the picture that is like most of it stands for, in (0, S].
    """

    sample: Floats
    radius: float
    greatest: float


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


def typical_distance(features: Floats) -> float:
    """The median distance of two pictures drawn by lot, of which diversity is a share."""
    if len(features) < 2:
        return 1.0
    first, second = np.random.default_rng(0).integers(0, len(features), (2, _PAIRS))
    apart = np.linalg.norm(features[first] - features[second], axis=1)[first != second]
    median = float(np.median(apart)) if len(apart) else 0.0
    return median if median > 0 else 1.0


def in_sample(digests: Sequence[str], most: int = SAMPLE) -> NDArray[np.bool_]:
    """Which of N pictures stand for all of them: between half of ``most`` and ``most``; all, where there are no more.

    Whether one does depends on its own digest; as pictures go, the others stay. Only where half of the pictures are
    gone, twice as many stand for the rest.

    Args:
        digests: of the pictures' bytes, in hexadecimal.
        most: about how many are taken.

    Returns:
        Shape (N,).
    """
    share = 1 << max(0, math.ceil(math.log2(max(len(digests), 1) / most)))
    return np.array([int(digest[:8], 16) % share == 0 for digest in digests], np.bool_)


def population_of(sample: Floats, everything: Floats) -> Population:
    """What is to be covered.

    Args:
        sample: shape (S, D), float32: of the candidates that stand for all, see :func:`in_sample`.
        everything: shape (N, D), float32: of every picture, a candidate or labelled, in an order that does not change
            when one is labelled.
    """
    radius = _RADIUS * typical_distance(everything)
    covered = [_similarity(sample, everything[block], radius).sum(axis=0) for block in _blocks(len(everything))]
    return Population(sample, radius, max([_NOTHING, *(float(sums.max(initial=0)) for sums in covered)]))


def choose(
    pool: Pool,
    labelled: Labelled,
    population: Population,
    weights: Weights,
    turns: Turns,
    limit: int = CHOSEN_ONE_BY_ONE,
) -> Order:
    """Order candidates: the first ones one by one, the others by what speaks for them then.

    Diversity is how much better a picture stands for all others than what is labelled or chosen before (see
    :class:`_Coverage`). It is summed with the other reasons, so that neither an outlier nor twenty shots of one scene
    lead.

    Args:
        pool: the candidates.
        labelled: what is there.
        population: what the candidates may stand for.
        weights: of the reasons.
        turns: says when an unclear picture comes.
        limit: how many to choose one by one; each takes a pass over all candidates.
    """
    count = len(pool.products)
    coverage, rarity = _Coverage(pool.features, labelled.features, population), _Rarity(pool, labelled)
    chosen_at = np.full(int(pool.products.max(initial=0)) + 1, -REST - 1, np.int64)
    for age, product in reversed(list(enumerate(labelled.recent[:REST], 1))):
        if product >= 0:
            chosen_at[product] = -age
    left = np.ones(count, np.bool_)
    diversity_then, rarity_then = np.zeros(count, np.float32), np.zeros(count, np.float32)
    rows: list[int] = []
    for step in range(min(limit, count)):
        diverse, rare = coverage.of_all(), rarity.of_all()
        score = weights.uncertainty * pool.uncertainty + weights.diversity * diverse + weights.rarity * rare
        open_now = left & (pool.unclear == turns.is_unclear_next())
        rested = open_now & (step - chosen_at[pool.products] > REST)
        row = _best(np.where(rested if rested.any() else open_now, score, -np.inf), pool.before)
        diversity_then[row], rarity_then[row] = coverage.of_greatest()[row], rare[row]
        rows.append(row)
        left[row] = False
        chosen_at[pool.products[row]] = step
        rarity.take(row)
        coverage.take(row)
        turns.take(row)
    rest = np.flatnonzero(left)
    diverse, rare = coverage.of_all(), rarity.of_all()
    diversity_then[rest], rarity_then[rest] = coverage.of_greatest()[rest], rare[rest]
    score = weights.uncertainty * pool.uncertainty + weights.diversity * diverse + weights.rarity * rare
    level = np.floor(np.log(np.maximum(score[rest], _NOTHING)) / -np.log(_AS_GOOD))
    tail = rest[np.lexsort((-score[rest], -pool.before[rest], -level))]
    rows += _merged(tail, pool, turns)
    return Order(np.array(rows, np.int64), diversity_then, rarity_then)


def _merged(tail: Rows, pool: Pool, turns: Turns) -> list[int]:
    """Rows in order of score, each kind of them when it is its turn, and its products in turns.

    The kinds are ordered apart: else the place of a picture among those of its product would depend on when the other
    kind comes, and be another one when the same pictures are ordered again.
    """
    unclear = pool.unclear[tail]
    of_kind = {kind: iter(_in_turns(tail[unclear == kind], pool.products).tolist()) for kind in (True, False)}
    merged = []
    for _ in tail:
        merged.append(next(of_kind[turns.is_unclear_next()]))
        turns.take(merged[-1])
    return merged


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


class _Coverage:
    """What labelled pictures stand for, by facility location.

    So Wei, Iyer and Bilmes choose, "Submodularity in data subset selection and active learning" (2015). Each picture of
    a sample is covered as far as the nearest of those that are labelled or chosen is similar to it (see
    :func:`_similarity`). A candidate's gain is by how much it would cover them better. An outlier is like
    nothing and gains little; so does what is like many that are covered already.
    """

    def __init__(self, features: Floats, labelled: Floats, population: Population) -> None:
        sample = population.sample
        self._similarity = np.empty((len(sample), len(features)), np.float32)
        for block in _blocks(len(features)):
            self._similarity[:, block] = _similarity(sample, features[block], population.radius)
        self._covered = np.zeros(len(sample), np.float32)
        for block in _blocks(len(labelled)):
            similarity = _similarity(sample, labelled[block], population.radius)
            self._covered = np.maximum(self._covered, similarity.max(axis=1))
        self._gains = np.zeros(len(features), np.float64)
        for one, covered in zip(self._similarity, self._covered, strict=True):
            self._gains += np.maximum(one - covered, 0)
        self._greatest = population.greatest

    def of_all(self) -> Floats:
        """Each candidate's gain as a share of the greatest one now: shape (N,), float32 in [0, 1]."""
        most = self._gains.max(initial=0)
        return np.asarray(np.clip(self._gains / max(most, _NOTHING), 0, 1), np.float32)

    def of_greatest(self) -> Floats:
        """Each candidate's gain as a share of :attr:`Population.greatest`: shape (N,), float32 in [0, 1]."""
        return np.asarray(np.clip(self._gains / self._greatest, 0, 1), np.float32)

    def take(self, row: int) -> None:
        """Count a picture that was chosen as if it were labelled."""
        now = self._similarity[:, row]
        for one in np.flatnonzero(now > self._covered):
            similarity = self._similarity[one]
            self._gains -= np.maximum(similarity - self._covered[one], 0) - np.maximum(similarity - now[one], 0)
            self._covered[one] = now[one]


def _similarity(ours: Floats, theirs: Floats, radius: float) -> Floats:
    """``exp(−(distance / radius)²)`` of every pair: shape (N, M), float32, in [0, 1]."""
    squares = np.square(ours).sum(axis=1)[:, None] + np.square(theirs).sum(axis=1) - 2 * (ours @ theirs.T)
    return np.asarray(np.exp(-np.maximum(squares, 0) / radius**2), np.float32)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(first, first + _BLOCK) for first in range(0, count, _BLOCK))


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
