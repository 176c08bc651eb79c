"""How well labelled pictures stand for all others: what diversity in the queue is measured by."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

SAMPLE = 1000
"""So many pictures stand for all that are to be covered."""

_RADIUS = 0.5
"""Within it two pictures are similar; a share of the typical distance of two."""

_LITTLE = 1e-3
"""What a picture of the sample may lack, and count as covered, where all candidates are asked about."""

_NOTHING = 1e-6
_BLOCK = 2048
_PAIRS = 4096


class Features(Protocol):
    """Features of N pictures, similar ones near by Euclidean distance; an array of shape (N, D), float32, is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: slice | Rows, /) -> Floats: ...


@dataclass(frozen=True)
class Taken:
    """Some rows of an array, in an order; none is copied before it is asked for.

    Attributes:
        values: shape (M, D), float32.
        at: shape (N,), int64: the rows.
    """

    values: Floats
    at: Rows

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, index: slice | Rows, /) -> Floats:
        return np.asarray(self.values[self.at[index]])


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


def typical_distance(features: Features) -> float:
    """The median distance of two pictures drawn by lot, of which diversity is a share."""
    if len(features) < 2:
        return 1.0
    first, second = np.random.default_rng(0).integers(0, len(features), (2, _PAIRS))
    apart = np.linalg.norm(features[first] - features[second], axis=1)[first != second]
    median = float(np.median(apart)) if len(apart) else 0.0
    return median if median > 0 else 1.0


def in_sample(lots: NDArray[np.uint32], most: int = SAMPLE) -> NDArray[np.bool_]:
    """Which of N pictures stand for all of them: between half of ``most`` and ``most``; all, where there are no more.

    Whether one does depends on its own digest; as pictures go, the others stay. Only where half of the pictures are
    gone, twice as many stand for the rest.

    Args:
        lots: shape (N,): the first 32 bits of the digest of each picture's bytes.
        most: about how many are taken.

    Returns:
        Shape (N,).
    """
    share = 1 << max(0, math.ceil(math.log2(max(len(lots), 1) / most)))
    return np.asarray(lots % np.uint32(share) == 0)


def population_of(sample: Floats, everything: Features, lots: NDArray[np.uint32] | None = None) -> Population:
    """What is to be covered.

    Args:
        sample: shape (S, D), float32: of the candidates that stand for all, see :func:`in_sample`.
        everything: N pictures, each a candidate or labelled, in an order that does not change when one is labelled.
        lots: see :func:`in_sample`, of these. Of more than :data:`_COMPARED` pictures a sample is asked for the one
            that is like most others; None: all are.
    """
    radius = _RADIUS * typical_distance(everything)
    greatest = _NOTHING
    asked = everything if lots is None else _thinned(everything, lots)
    for block in blocks(len(asked)):
        sums = similarity(sample, asked[block], radius).sum(axis=0)
        greatest = max(greatest, float(sums.max(initial=0)))
    return Population(sample, radius, greatest)


_COMPARED = 1 << 16


def _thinned(features: Features, lots: NDArray[np.uint32]) -> Features:
    if len(features) <= _COMPARED:
        return features
    return features[np.flatnonzero(in_sample(lots, _COMPARED))]


class Coverage:
    """What labelled pictures stand for, by facility location.

    So Wei, Iyer and Bilmes choose, "Submodularity in data subset selection and active learning" (2015). Each picture of
    a sample is covered as far as the nearest of those that are labelled or chosen is similar to it (see
    :func:`similarity`). A candidate's gain is by how much it would cover them better. An outlier is like
    nothing and gains little; so does what is like many that are covered already.

    Args:
        population: what is to be covered.
        labelled: features of what is labelled.

    Attributes:
        covered: shape (S,), float32 in [0, 1]: how far each of the sample is.
        gains: shape (N,), float64: of the pictures that :meth:`follow` was told of.
    """

    def __init__(self, population: Population, labelled: Features) -> None:
        self._population = population
        self.covered = np.zeros(len(population.sample), np.float32)
        for block in blocks(len(labelled)):
            self.covered = np.maximum(self.covered, self._to_sample(labelled[block]).max(axis=1))

    def follow(self, features: Features) -> None:
        """Keep the gains of these candidates up to date from now on; takes 4 S N bytes."""
        self._similarity = np.empty((len(self._population.sample), len(features)), np.float32)
        for block in blocks(len(features)):
            self._similarity[:, block] = self._to_sample(features[block])
        self.gains = np.zeros(len(features), np.float64)
        for one, covered in zip(self._similarity, self.covered, strict=True):
            self.gains += np.maximum(one - covered, 0)

    def take(self, row: int) -> None:
        """Count one of those that are followed as if it were labelled."""
        now = self._similarity[:, row]
        for one in np.flatnonzero(now > self.covered):
            of_one = self._similarity[one]
            self.gains -= np.maximum(of_one - self.covered[one], 0) - np.maximum(of_one - now[one], 0)
            self.covered[one] = now[one]

    def gains_of(self, features: Floats) -> Floats:
        """What some pictures would gain now, but for what is lacking nowhere by more than :data:`_LITTLE`.

        Args:
            features: shape (n, D), float32.

        Returns:
            Shape (n,), float32.
        """
        lacking = self.covered < 1 - _LITTLE
        sample, covered = self._population.sample[lacking], self.covered[lacking]
        gains = similarity(features, sample, self._population.radius)
        gains -= covered
        return np.asarray(np.maximum(gains, 0, out=gains).sum(axis=1))

    def nearest(self, features: Floats) -> tuple[Rows, Floats]:
        """The number in the sample of the picture that each is most like, int64, and how like: shape (n,) each."""
        sample = self._population.sample
        # The nearest has the greatest product less half its own square: the distances are not needed.
        products = features @ sample.T
        products -= np.square(sample).sum(axis=1) / 2
        nearest = products.argmax(axis=1)
        squares = np.square(features).sum(axis=1) - 2 * products[np.arange(len(features)), nearest]
        return nearest, _similar(squares, self._population.radius)

    def shares(self, gains: NDArray[np.float64]) -> Floats:
        """Gains as shares of the greatest of them: shape (N,), float32 in [0, 1]."""
        most = gains.max(initial=0)
        return np.asarray(np.clip(gains / max(most, _NOTHING), 0, 1), np.float32)

    def shares_of_greatest(self, gains: NDArray[np.float64]) -> Floats:
        """Gains, of any shape, as shares of :attr:`Population.greatest`: float32 in [0, 1]."""
        return np.asarray(np.clip(gains / self._population.greatest, 0, 1), np.float32)

    def _to_sample(self, features: Floats) -> Floats:
        """Shape (S, n)."""
        return similarity(self._population.sample, features, self._population.radius)


def similarity(ours: Floats, theirs: Floats, radius: float) -> Floats:
    """``exp(−(distance / radius)²)`` of every pair: shape (N, M), float32, in [0, 1]."""
    squares = np.square(ours).sum(axis=1)[:, None] + np.square(theirs).sum(axis=1)
    products = ours @ theirs.T
    products *= 2
    squares -= products
    return _similar(squares, radius)


def _similar(squares: Floats, radius: float) -> Floats:
    """Similarities in place of squared distances."""
    np.maximum(squares, 0, out=squares)
    np.negative(squares, out=squares)
    squares /= np.float32(radius**2)
    return np.asarray(np.exp(squares, out=squares))


def blocks(count: int) -> Iterator[slice]:
    """Slices of so many rows as are compared at a time."""
    return (slice(first, first + _BLOCK) for first in range(0, count, _BLOCK))
