"""Split a data set by product: no product, and no picture, is on two sides."""

import hashlib
from collections.abc import Iterable, Mapping

import pandas as pd

from fullshot.settings import CurateSettings

_SAFEST_FIRST = ("test", "val", "train")


def split(images: pd.DataFrame, before: Mapping[str, str], settings: CurateSettings) -> dict[str, str]:
    """The split of every picture.

    Products that share a picture are one group and stay together; a group's side is drawn by a hash of its first
    product, so it does not depend on what else there is. A group that already has a side keeps it; one that joins two
    sides takes the one nearer to the test: what was tested on is never trained on.

    Args:
        images: columns ``image_id`` and ``product_id``.
        before: the splits of an earlier run, by image_id.
        settings: ``validation_share`` and ``test_share``.

    Returns:
        ``train``, ``val`` or ``test``, by image_id.
    """
    pairs = list(zip(images["image_id"], images["product_id"], strict=True))
    group = groups(pairs)
    sides: dict[str, set[str]] = {}
    for identity, product in pairs:
        sides.setdefault(group[product], set()).update({before[identity]} if identity in before else ())
    chosen = {
        name: next((side for side in _SAFEST_FIRST if side in known), None) or _drawn(name, settings)
        for name, known in sides.items()
    }
    return {identity: chosen[group[product]] for identity, product in pairs}


def groups(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The group of every product: the first, in order of their names, of those linked to it by pictures.

    Args:
        pairs: (image_id, product_id).

    Example:
        >>> groups([("x", "b"), ("x", "a"), ("y", "b"), ("y", "c"), ("z", "d")])
        {'b': 'a', 'a': 'a', 'c': 'a', 'd': 'd'}
    """
    parents: dict[str, str] = {}

    def root(product: str) -> str:
        while parents[product] != product:
            parents[product] = parents[parents[product]]
            product = parents[product]
        return product

    seen: dict[str, str] = {}
    for image, product in pairs:
        parents.setdefault(product, product)
        first, second = sorted((root(product), root(seen.setdefault(image, product))))
        parents[second] = first
    return {product: root(product) for product in parents}


def _drawn(group: str, settings: CurateSettings) -> str:
    lot = int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) / 16**8
    if lot < settings.test_share:
        return "test"
    return "val" if lot < settings.test_share + settings.validation_share else "train"
