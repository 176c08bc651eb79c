"""Split a data set: no product, no copy of a picture and no colour of a product is on two sides."""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fullshot.settings import CurateSettings

_SAFEST_FIRST = ("test", "val", "train")


def split(
    images: pd.DataFrame,
    products: pd.DataFrame,
    clusters: Mapping[str, str],
    before: Mapping[str, str],
    settings: CurateSettings,
) -> dict[str, str]:
    """The split of every picture.

    Products that share a picture, a copy of one, or a style (the same product in other colours) are one group, which
    stays together. A group that has a side already keeps it, whatever comes and goes beside it; one that joins two
    sides takes the one nearer to the test: what was tested on is never trained on. The others are drawn in the order
    of a hash of their names, each to the side that lacks most of its share of that wear and gender.

    Args:
        images: columns ``image_id`` and ``product_id``.
        products: columns ``product_id``, ``style``, ``wear`` and ``gender``.
        clusters: of pictures that have copies, the cluster's name, by image_id.
        before: the splits of an earlier run, by image_id.
        settings: ``validation_share`` and ``test_share``.

    Returns:
        ``train``, ``val`` or ``test``, by image_id.
    """
    group = groups(links(images, products, clusters))
    rows = images[["image_id", "product_id"]].merge(products, how="left", on="product_id")
    rows["group"] = rows["product_id"].map(group)
    rows["side"] = rows["image_id"].map(before)
    rows["stratum"] = rows["wear"].fillna("") + " " + rows["gender"].fillna("")
    kinds = _kinds(rows)
    sides = {
        str(name): next(side for side in _SAFEST_FIRST if side in set(known))
        for name, known in rows.dropna(subset="side").groupby("group")["side"]
    }
    counts: dict[str, dict[str, int]] = {}
    for name, side in sides.items():
        _count(counts, kinds[name], side)
    for name in sorted(set(kinds) - set(sides), key=_lot):
        sides[name] = _most_lacking(counts.get(kinds[name], {}), settings)
        _count(counts, kinds[name], sides[name])
    return dict(zip(rows["image_id"], rows["group"].map(sides), strict=True))


def links(images: pd.DataFrame, products: pd.DataFrame, clusters: Mapping[str, str]) -> list[tuple[str, str]]:
    """What keeps products together: (a picture, its cluster or its style, a product).

    Args:
        images: columns ``image_id`` and ``product_id``.
        products: columns ``product_id`` and ``style``.
        clusters: the cluster of pictures that have copies, by image_id.
    """
    pairs = list(zip(images["image_id"], images["product_id"], strict=True))
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


def _kinds(rows: pd.DataFrame) -> dict[str, str]:
    """A group's wear and gender: those of most of its products; of as many, the first by name."""
    distinct = rows.drop_duplicates("product_id")
    counted = distinct.groupby(["group", "stratum"]).size().reset_index(name="count")
    counted = counted.sort_values(["group", "count", "stratum"], ascending=[True, False, True])
    first = counted.drop_duplicates("group")
    return dict(zip(first["group"], first["stratum"], strict=True))


def _count(counts: dict[str, dict[str, int]], kind: str, side: str) -> None:
    of_kind = counts.setdefault(kind, {})
    of_kind[side] = of_kind.get(side, 0) + 1


def _most_lacking(counts: Mapping[str, int], settings: CurateSettings) -> str:
    """The side that is furthest below its share of the groups; of sides as far, train before test before val."""
    total = sum(counts.values()) + 1
    shares = {"test": settings.test_share, "val": settings.validation_share}
    shares = {"train": 1 - sum(shares.values()), **shares}
    return max(shares, key=lambda side: shares[side] * total - counts.get(side, 0))


def _lot(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()
