"""Split a data set: no product, no near duplicate of a picture and no colour of a product is in two splits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.core.settings import CurateSettings
from fullshot.core.tables import SPLITS
from fullshot.curation.duplicates.clusters import label_clusters

NONE = -1
"""Instead of a number: there is none."""

Numbers = NDArray[np.int64]
"""Of pictures, products, styles or splits: shape (N,)."""

_SAFEST_FIRST = np.array([SPLITS.index(name) for name in ("test", "val", "train")])
_AS_NEAR = tuple(SPLITS.index(name) for name in ("train", "test", "val"))
"""Of two splits that a group brings as near to their shares, the first here takes it."""


@dataclass(frozen=True)
class Shown:
    """Which products show which pictures: a row for each pair; the numbers are those of their names in order.

    Attributes:
        picture: shape (M,).
        product: shape (M,).
        pictures: how many there are.
    """

    picture: Numbers
    product: Numbers
    pictures: int


@dataclass(frozen=True)
class Products:
    """What is known of P products, in order of their names.

    Attributes:
        names: their product_id.
        style: shape (P,): the number of each one's style, which all colours of a product have; or :data:`NONE`.
        named: shape (P,): the product that this style is named like, or :data:`NONE`.
        stratum: shape (P,): the number of its wear and gender, of these in the order of their names.
    """

    names: Sequence[str]
    style: Numbers
    named: Numbers
    stratum: Numbers


def split(
    shown: Shown,
    products: Products,
    cluster: Numbers,
    before: NDArray[np.integer[Any]],
    rejected: NDArray[np.bool_],
    settings: CurateSettings,
) -> Numbers:
    """The split of every picture.

    Products that share a picture, a near duplicate of one, or a style (the same product in other colours) are one
    group, which stays together. A group that has a split already keeps it, whatever comes and goes beside it; one that
    joins two splits takes the one nearer to the test: what was tested on is never trained on. The others are assigned,
    the largest first and then in the order of a hash of their names, each to the split that lacks most of its share: of
    the products of that wear and gender, and of all products.

    Args:
        shown: the pictures, each of at least one product, and the products, each with at least one picture.
        products: the same products.
        cluster: of each picture, any one number for its near duplicates and itself, or :data:`NONE`.
        before: of each picture, the number of its split in earlier runs, or :data:`NONE`.
        rejected: pictures that keep nothing together; each goes with the first of its products.
        settings: ``validation_share`` and ``test_share``.

    Returns:
        The number in :data:`fullshot.core.tables.SPLITS` of each picture's.
    """
    group = groups(shown, products, cluster, rejected)
    sizes = np.bincount(group, minlength=len(group))
    strata = _strata(group, products.stratum)
    chosen = _kept(shown, group, before, rejected)
    there = np.flatnonzero(sizes)
    counts = _Counts(settings, int(products.stratum.max(initial=-1)) + 1)
    for name, stratum, size in _listed(there[chosen[there] != NONE], strata, sizes):
        counts.add(stratum, int(chosen[name]), size)
    new = there[chosen[there] == NONE]
    hashes = {int(name): hashlib.sha256(products.names[name].encode()).digest() for name in new}
    for name, stratum, size in sorted(_listed(new, strata, sizes), key=lambda one: (-one[2], hashes[one[0]])):
        chosen[name] = counts.most_lacking(stratum, size)
        counts.add(stratum, int(chosen[name]), size)
    first = np.full(shown.pictures, len(group), np.int64)
    np.minimum.at(first, shown.picture, shown.product)
    return np.asarray(chosen[group[first]], np.int64)


def groups(shown: Shown, products: Products, cluster: Numbers, rejected: NDArray[np.bool_]) -> Numbers:
    """The group of every product: the first, in order of their names, of those linked to it.

    Args:
        shown: which pictures link products.
        products: with the styles that do.
        cluster: of each picture; see :func:`split`.
        rejected: pictures that link nothing: a table of sizes that a whole shop shows makes no group of it.
    """
    good = ~rejected[shown.picture]
    picture, product = shown.picture[good], shown.product[good]
    with_copies = cluster[picture] != NONE
    with_style, like_a_product = products.style != NONE, products.named != NONE
    pairs = [
        _linked(picture, product),
        _linked(cluster[picture[with_copies]], product[with_copies]),
        # A style may be named like a product that is there under a style of its own: one more link.
        _linked(
            np.concatenate([products.style[with_style], products.style[like_a_product]]),
            np.concatenate([np.flatnonzero(with_style), products.named[like_a_product]]),
        ),
    ]
    return label_clusters(len(products.style), np.concatenate(pairs))


def _linked(link: Numbers, product: Numbers) -> NDArray[np.int64]:
    """Pairs of products that keep together all that have a link in common; shape (n, 2)."""
    order = np.argsort(link, kind="stable")
    link, product = link[order], product[order]
    same = link[1:] == link[:-1]
    return np.stack([product[:-1][same], product[1:][same]], axis=1)


def _strata(group: Numbers, stratum: Numbers) -> Numbers:
    """By a group's number, the stratum of most of its products; of as many, the first by name."""
    count = int(stratum.max(initial=-1)) + 1
    kinds, times = np.unique(group * count + stratum, return_counts=True)
    groups_, strata = np.divmod(kinds, max(count, 1))
    order = np.lexsort((strata, -times, groups_))
    names, first = np.unique(groups_[order], return_index=True)
    found = np.full(len(group), NONE, np.int64)
    found[names] = strata[order][first]
    return found


def _kept(shown: Shown, group: Numbers, before: NDArray[np.integer[Any]], rejected: NDArray[np.bool_]) -> Numbers:
    """By a group's number, the split that it has already: of several, the safest; or :data:`NONE`."""
    times = np.bincount(shown.picture, minlength=shown.pictures)
    # A rejected picture of several products may straddle splits: it does not say where its products belong.
    known = (before != NONE) & ~(rejected & (times > 1))
    rows = known[shown.picture]
    danger = np.argsort(_SAFEST_FIRST)  # by a split's number, its place
    least = np.full(len(group), len(SPLITS), np.int64)
    np.minimum.at(least, group[shown.product[rows]], danger[before[shown.picture[rows]]])
    return np.append(_SAFEST_FIRST, NONE)[least]


def _listed(names: Numbers, strata: Numbers, sizes: Numbers) -> list[tuple[int, int, int]]:
    """Groups with their stratum and the number of their products."""
    return list(zip(names.tolist(), strata[names].tolist(), sizes[names].tolist(), strict=True))


class _Counts:
    """Products in each split, of each stratum and in all.

    Args:
        settings: ``validation_share`` and ``test_share``.
        strata: how many there are.
    """

    def __init__(self, settings: CurateSettings, strata: int) -> None:
        shares = {"test": settings.test_share, "val": settings.validation_share}
        shares = {"train": 1 - sum(shares.values()), **shares}
        self._shares = [shares[name] for name in SPLITS]
        self._of_stratum = [[0] * len(SPLITS) for _ in range(strata)]
        self._of_all = [0] * len(SPLITS)

    def add(self, stratum: int, split: int, products: int) -> None:
        """Count a group."""
        self._of_stratum[stratum][split] += products
        self._of_all[split] += products

    def most_lacking(self, stratum: int, products: int) -> int:
        """The split that a group of so many products brings nearest to its share; of two as near, train before test."""
        here, everywhere = self._of_stratum[stratum], self._of_all
        wanted, wanted_everywhere = sum(here) + products, sum(everywhere) + products

        def lack(split: int) -> float:
            share = self._shares[split]
            return (share * wanted - here[split]) + (share * wanted_everywhere - everywhere[split])

        return max(_AS_NEAR, key=lack)
