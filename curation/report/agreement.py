"""How much two annotators of the same pictures agree."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fullshot.core.boxes import Box, iou, matched

SAME = 0.5
"""The least intersection over union of two people's boxes of one garment: as mAP@0.5 has it."""

Drawn = Sequence[Box] | None
"""What somebody drew on a picture; None: they said that it is no full shot."""


@dataclass(frozen=True)
class Agreement:
    """What a pair of annotators agree on; a share or mean of nothing is None.

    Attributes:
        pair: their names.
        pictures: that both annotated.
        same_verdict: share of these on which both drew, or neither did.
        matched: of the boxes of pictures on which both drew, the share that the other drew as well: two boxes are one
            where they overlap by :data:`SAME`, whatever they are called.
        mean_iou: of the boxes that both drew.
        same_label: share of the boxes that both drew to which both gave one label.
        kappa: Cohen's, of these labels; see :func:`kappa`.
    """

    pair: tuple[str, str]
    pictures: int
    same_verdict: float | None
    matched: float | None
    mean_iou: float | None
    same_label: float | None
    kappa: float | None


def kappa(labels: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa: agreement beyond what two who label by lot, each as often as they do, would come to.

    ``(p_o − p_e) / (1 − p_e)``, Cohen, "A coefficient of agreement for nominal scales" (1960).

    Args:
        labels: of each thing, the first's label and the second's.

    Returns:
        1 at full agreement, 0 at chance; None where both always gave one and the same label, or there is nothing.

    Example:
        >>> kappa([("top", "top"), ("top", "top"), ("foot", "foot"), ("foot", "top")])
        0.5
    """
    count = len(labels)
    first, second = Counter(one for one, _ in labels), Counter(other for _, other in labels)
    by_chance = sum(first[label] * second[label] for label in first)
    if by_chance == count**2:
        return None
    agreed = sum(one == other for one, other in labels)
    return (agreed * count - by_chance) / (count**2 - by_chance)


def agreements(pictures: Mapping[str, Mapping[str, Drawn]]) -> list[Agreement]:
    """Every pair of annotators that share a picture, those that share most first.

    Args:
        pictures: by picture and annotator, what was drawn.
    """
    names = sorted({name for drawn in pictures.values() for name in drawn})
    found = [
        _agreement(pair, [(drawn[pair[0]], drawn[pair[1]]) for drawn in pictures.values() if set(pair) <= set(drawn)])
        for pair in itertools.combinations(names, 2)
    ]
    return sorted((one for one in found if one.pictures), key=lambda one: (-one.pictures, one.pair))


def _agreement(pair: tuple[str, str], common: Sequence[tuple[Drawn, Drawn]]) -> Agreement:
    both = [(ours, theirs) for ours, theirs in common if ours is not None and theirs is not None]
    overlaps, labels = [], []
    for ours, theirs in both:
        for overlap, *named in _matches(ours, theirs):
            overlaps.append(overlap)
            labels.append((named[0], named[1]))
    boxes = sum(len(ours) + len(theirs) for ours, theirs in both)
    same_verdict = sum((ours is None) == (theirs is None) for ours, theirs in common)
    return Agreement(
        pair,
        len(common),
        _share(same_verdict, len(common)),
        _share(2 * len(overlaps), boxes),
        _share(sum(overlaps), len(overlaps)),
        _share(sum(one == other for one, other in labels), len(labels)),
        kappa(labels),
    )


def _matches(ours: Sequence[Box], theirs: Sequence[Box]) -> Iterator[tuple[float, str, str]]:
    """Overlap and both labels of each box that both drew."""
    overlaps = iou([box.corners for box in ours], [box.corners for box in theirs])
    for row, column in matched(overlaps, SAME):
        yield float(overlaps[row, column]), ours[row].label, theirs[column].label


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None
