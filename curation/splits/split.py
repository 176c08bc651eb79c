"""Split a data set: no product, no near duplicate of a picture and no colour of a product is in two splits."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fullshot.core.settings import CurateSettings

_SAFEST_FIRST = ("test", "val", "train")

_ALL = ""
"""The stratum that every group belongs to."""


def split(
    images: pd.DataFrame,
    products: pd.DataFrame,
    clusters: Mapping[str, str],
    before: Mapping[str, str],
    settings: CurateSettings,
    rejected: Collection[str] = frozenset(),
) -> dict[str, str]:
    """The split of every picture.

    Products that share a picture, a near duplicate of one, or a style (the same product in other colours) are one
    group, which stays together. A group that has a split already keeps it, whatever comes and goes beside it; one that
    joins two splits takes the one nearer to the test: what was tested on is never trained on. The others are assigned,
    the largest first and then in the order of a hash of their names, each to the split that lacks most of its share: of
    the products of that wear and gender, and of all products.

    Args:
        images: columns ``image_id`` and ``product_id``.
        products: columns ``product_id``, ``style``, ``wear`` and ``gender``.
        clusters: of pictures that have near duplicates, the cluster's name, by image_id.
        before: the splits of earlier runs, by image_id.
        settings: ``validation_share`` and ``test_share``.
        rejected: pictures that keep nothing together; each goes with the first of its products.

    Returns:
        ``train``, ``val`` or ``test``, by image_id.
    """
    group = groups(links(images, products, clusters, rejected))
    rows = images[["image_id", "product_id"]].merge(products, how="left", on="product_id")
    rows = rows.sort_values(["image_id", "product_id"])
    rows["group"] = rows["product_id"].map(group)
    # A rejected picture of several products may straddle splits: it does not say where its products belong.
    straddling = rows["image_id"].isin(list(rejected)) & rows["image_id"].duplicated(keep=False)
    rows["before"] = rows["image_id"].map(before).where(~straddling)
    rows["stratum"] = rows["wear"].fillna("") + " " + rows["gender"].fillna("")
    strata, sizes = _strata(rows), rows.groupby("group")["product_id"].nunique().to_dict()
    split_of = {
        str(name): next(split for split in _SAFEST_FIRST if split in set(earlier))
        for name, earlier in rows.dropna(subset="before").groupby("group")["before"]
    }
    counts = _Counts(settings)
    for name, chosen in split_of.items():
        counts.add(strata[name], chosen, sizes[name])
    for name in sorted(set(strata) - set(split_of), key=lambda name: (-sizes[name], _hash(name))):
        split_of[name] = counts.most_lacking(strata[name], sizes[name])
        counts.add(strata[name], split_of[name], sizes[name])
    first = rows.drop_duplicates("image_id")
    return dict(zip(first["image_id"], first["group"].map(split_of), strict=True))


def links(
    images: pd.DataFrame,
    products: pd.DataFrame,
    clusters: Mapping[str, str],
    rejected: Collection[str] = frozenset(),
) -> list[tuple[str, str]]:
    """What keeps products together: (a picture, its cluster or its style, a product).

    Args:
        images: columns ``image_id`` and ``product_id``.
        products: columns ``product_id`` and ``style``.
        clusters: the cluster of pictures that have near duplicates, by image_id.
        rejected: pictures that keep nothing together: a table of sizes that a whole shop shows makes no group of it.
    """
    out = set(rejected)
    # A rejected picture's product is there all the same, by itself.
    pairs = [
        (f"alone {product}" if image in out else image, product)
        for image, product in zip(images["image_id"], images["product_id"], strict=True)
    ]
    pairs += [(clusters[image], product) for image, product in pairs if image in clusters]
    shown = products[products["product_id"].isin(images["product_id"]) & products["style"].notna()]
    # A style may be named like a product that is not there, or is there under a style of its own: one more link.
    there = set(images["product_id"])
    for product, style in zip(shown["product_id"], shown["style"], strict=True):
        pairs.append((f"style {style}", product))
        if style in there:
            pairs.append((f"style {style}", style))
    return pairs


def groups(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The group of every product: the first, in order of their names, of those linked to it.

    Args:
        pairs: (what links it, product_id).

    Example:
        >>> groups([("x", "b"), ("x", "a"), ("y", "b"), ("y", "c"), ("z", "d")])
        {'a': 'a', 'b': 'a', 'c': 'a', 'd': 'd'}
    """
    table = pd.DataFrame(list(pairs), columns=["link", "product"])
    linked, _ = pd.factorize(table["link"])
    numbers, names = pd.factorize(table["product"], sort=True)
    size = len(names) + (int(linked.max()) + 1 if len(linked) else 0)
    edges = coo_array((np.ones(len(table), np.int8), (numbers, len(names) + linked)), shape=(size, size))
    _, component = connected_components(edges, directed=False)
    # Names are sorted: the first of a component is its group's.
    first = pd.Series(names).groupby(component[: len(names)]).transform("first")
    return dict(zip(names, first, strict=True))


def _strata(rows: pd.DataFrame) -> dict[str, str]:
    """A group's wear and gender: those of most of its products; of as many, the first by name."""
    distinct = rows.drop_duplicates("product_id")
    counted = distinct.groupby(["group", "stratum"]).size().reset_index(name="count")
    counted = counted.sort_values(["group", "count", "stratum"], ascending=[True, False, True])
    first = counted.drop_duplicates("group")
    return dict(zip(first["group"], first["stratum"], strict=True))


class _Counts:
    """Products in each split, of each stratum and in all.

    Args:
        settings: ``validation_share`` and ``test_share``.
    """

    def __init__(self, settings: CurateSettings) -> None:
        shares = {"test": settings.test_share, "val": settings.validation_share}
        self._shares = {"train": 1 - sum(shares.values()), **shares}
        self._counts: dict[str, Counter[str]] = {_ALL: Counter()}

    def add(self, stratum: str, split: str, products: int) -> None:
        """Count a group."""
        self._counts.setdefault(stratum, Counter())[split] += products
        self._counts[_ALL][split] += products

    def most_lacking(self, stratum: str, products: int) -> str:
        """The split that a group of so many products brings nearest to its share; of two as near, train before test."""

        def lack(split: str) -> float:
            return self._lack(stratum, split, products) + self._lack(_ALL, split, products)

        return max(self._shares, key=lack)

    def _lack(self, stratum: str, split: str, products: int) -> float:
        counts = self._counts.get(stratum, Counter())
        return self._shares[split] * (counts.total() + products) - counts[split]


def _hash(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()
