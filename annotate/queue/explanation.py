"""Why a picture is to be annotated, in words that stand beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from fullshot.annotate.queue.candidates import CHECK
from fullshot.annotate.queue.selection import Order, Pool, Weights
from fullshot.annotate.queue.uncertainty import EXPECTED, Doubt, Floats
from fullshot.core.taxonomy import GARMENTS, Wear

_UNCLEAR = "nobody knows yet whether it is a full shot"
_BROUGHT = "its boxes were brought along, no person has checked them"

_ENOUGH = 0.5
"""A second reason is told when it weighs at least so much of the first."""

_MANY, _SOME = 0.5, 0.15
"""Shares of the greatest diversity of that moment, from which a picture is said to stand for so many."""

_ONE = {Wear.TOP: "a top", Wear.BOTTOM: "a bottom", Wear.FOOT: "shoes", Wear.LONG: "a dress"}


@dataclass(frozen=True)
class Grounds:
    """What is known of N candidates when they are put in order.

    Attributes:
        pool: the candidates.
        order: what spoke for each.
        weights: of the reasons.
        doubts: of the detector; None without one.
        scores: shape (N, 4, k), float32, see :func:`fullshot.annotate.queue.uncertainty.doubt`.
        labelled: how many pictures of each product type are labelled.
        all_labelled: how many pictures are.
    """

    pool: Pool
    order: Order
    weights: Weights
    doubts: Doubt | None
    scores: Floats
    labelled: Mapping[str, int]
    all_labelled: int


def to_measure_on(split: object) -> str:
    """Of a picture that no model learns from."""
    side = f"of the split {split}" if isinstance(split, str) else "of no split"
    return f"{side}, so no model learns from it: after all those that one does, in no order"


def reasons(part: pd.DataFrame, grounds: Grounds) -> list[str]:
    """A sentence for each candidate: what speaks most for it, and what speaks at least half as much.

    Args:
        part: rows of :func:`fullshot.annotate.queue.candidates.candidates`; N of them, in the order of the pool.
        grounds: what is known of them.
    """
    told = []
    for row, (kind, unclear, rank) in enumerate(zip(part["kind"], part["unclear"], part["rank"], strict=True)):
        always = [words for words, holds in ((_UNCLEAR, unclear), (_BROUGHT, rank == CHECK)) if holds]
        told.append("; ".join(always + _weightiest(_weighed(row, kind, grounds))))
    return told


def _weighed(row: int, kind: object, grounds: Grounds) -> list[tuple[float, str]]:
    """What may be said of one picture, and how much it counted."""
    diversity = float(grounds.order.diversity[row])
    found = [(grounds.weights.diversity * diversity, _of_diversity(diversity, grounds.all_labelled > 0))]
    if grounds.doubts is not None:
        weight = grounds.weights.uncertainty * float(grounds.pool.uncertainty[row])
        found.append((weight, _of_doubt(grounds.doubts, grounds.scores, row)))
    if isinstance(kind, str):
        count = grounds.labelled.get(kind, 0)
        # A picture may be rare for a garment on it, while its own type is common.
        if count * max(len(grounds.labelled), 1) <= grounds.all_labelled:
            weight = grounds.weights.rarity * float(grounds.order.rarity[row])
            found.append((weight, _of_rarity(kind, count, grounds.all_labelled)))
    return found


def _weightiest(weighed: Sequence[tuple[float, str]]) -> list[str]:
    first, *others = sorted(weighed, key=lambda reason: -reason[0])
    return [first[1], *(words for weight, words in others[:1] if weight >= _ENOUGH * first[0])]


def _of_doubt(doubts: Doubt, scores: Floats, row: int) -> str:
    """What the detector is least sure of."""
    missing, garment = int(doubts.missing[row].argmax()), int(doubts.garments[row].argmax())
    if doubts.missing[row, missing] >= doubts.garments[row, garment]:
        return f"the detector finds no {' or '.join(_ONE[label].removeprefix('a ') for label in EXPECTED[missing])}"
    box = int(doubts.boxes[row, garment])
    return f"the detector is unsure of {_ONE[GARMENTS[garment]]} ({scores[row, garment, box]:.2f})"


def _of_diversity(diversity: float, has_labelled: bool) -> str:
    how_many = "many" if diversity > _MANY else "some" if diversity > _SOME else "few"
    return f"it stands for {how_many} that nothing {'labelled' if has_labelled else 'before it'} is like"


def _of_rarity(kind: str, labelled: int, all_labelled: int) -> str:
    if not labelled:
        return f"no picture of {kind} is labelled"
    return f"{kind} are rare among the labelled ({labelled} of {all_labelled})"
