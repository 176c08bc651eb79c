"""Why a picture is to be annotated, in words that stand beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from fullshot.annotate.queue.candidates import CHECK
from fullshot.annotate.queue.selection import Order, Pool, Weights
from fullshot.annotate.queue.uncertainty import EXPECTED, Floats, Uncertainty
from fullshot.core.taxonomy import GARMENTS, Wear

_UNCLEAR = "nobody knows yet whether it is a full shot"
_BROUGHT = "its boxes were brought along, no person has checked them"

_SEPARATOR = "; "

_ENOUGH = 0.5
"""A second reason is given when it weighs at least so much of the first."""

_MANY, _SOME = 0.5, 0.15
"""Diversity from which a picture is said to stand for so many."""

_ONE = {Wear.TOP: "a top", Wear.BOTTOM: "a bottom", Wear.FOOT: "shoes", Wear.LONG: "a dress"}


@dataclass(frozen=True)
class Evidence:
    """What is known of N candidates when they are put in order.

    Attributes:
        pool: the candidates.
        order: what spoke for each.
        weights: of the reasons.
        uncertainty: of the detector; None without one.
        scores: shape (N, 4, k), float32, see :func:`fullshot.annotate.queue.uncertainty.uncertainty`.
        labelled: how many pictures of each product type are labelled.
        all_labelled: how many pictures are.
    """

    pool: Pool
    order: Order
    weights: Weights
    uncertainty: Uncertainty | None
    scores: Floats
    labelled: Mapping[str, int]
    all_labelled: int


def explain_measured(split: object) -> str:
    """Of a picture that no model learns from."""
    which = f"of the split {split}" if isinstance(split, str) else "of no split"
    return f"{which}, so no model learns from it: after all those that one does, in no order"


def explain(part: pd.DataFrame, evidence: Evidence, before: Mapping[str, str]) -> list[str]:
    """A sentence for each candidate: what speaks most for it, and what speaks at least half as much.

    Each sentence that changes is sent to the annotators. So none has a number that each new label would change, and
    one that is still true, and still has what speaks for the picture, stays as it is.

    Args:
        part: rows of :func:`fullshot.annotate.queue.candidates.candidates`; N of them, in the order of the pool.
        evidence: what is known of them.
        before: the sentences of an earlier order, by ``image_id``.
    """
    sentences = []
    columns = (part[name] for name in ("image_id", "kind", "unclear", "rank"))
    for row, (identity, kind, unclear, rank) in enumerate(zip(*columns, strict=True)):
        always = [words for words, holds in ((_UNCLEAR, unclear), (_BROUGHT, rank == CHECK)) if holds]
        weighed = _weighed(row, kind, evidence)
        sentence = _SEPARATOR.join(always + _weightiest(weighed))
        earlier = before.get(identity, "")
        sentences.append(earlier if _still_holds(earlier, always, weighed) else sentence)
    return sentences


def _still_holds(sentence: str, always: Sequence[str], weighed: Sequence[tuple[float, str]]) -> bool:
    """Whether a sentence says what it must, nothing that is not so, and a reason of weight."""
    parts = sentence.split(_SEPARATOR)
    weights = {words: weight for weight, words in weighed}
    given = [weights[part] for part in parts if part in weights]
    is_true = parts[: len(always)] == list(always) and len(parts) == len(always) + len(given)
    return is_true and max(given, default=0.0) >= _ENOUGH * max(weights.values())


def _weighed(row: int, kind: object, evidence: Evidence) -> list[tuple[float, str]]:
    """What may be said of one picture, and how much it counted."""
    diversity = float(evidence.order.diversity[row])
    reasons = [(evidence.weights.diversity * diversity, _of_diversity(diversity))]
    if evidence.uncertainty is not None:
        weight = evidence.weights.uncertainty * float(evidence.pool.uncertainty[row])
        reasons.append((weight, _of_uncertainty(evidence.uncertainty, evidence.scores, row)))
    if isinstance(kind, str):
        count = evidence.labelled.get(kind, 0)
        # A picture may be rare for a garment on it, while its own type is common.
        if count * max(len(evidence.labelled), 1) <= evidence.all_labelled:
            weight = evidence.weights.rarity * float(evidence.order.rarity[row])
            reasons.append((weight, _of_rarity(kind)))
    return reasons


def _weightiest(weighed: Sequence[tuple[float, str]]) -> list[str]:
    """The words that weigh most, and others that weigh at least half as much, two in all; always in the same order."""
    most = max(weight for weight, _ in weighed)
    told = sorted((words for words in weighed if words[0] >= _ENOUGH * most), key=lambda words: -words[0])[:2]
    return [words for weight, words in weighed if (weight, words) in told]


def _of_uncertainty(uncertainty: Uncertainty, scores: Floats, row: int) -> str:
    """What the detector is least sure of."""
    missing, garment = int(uncertainty.missing[row].argmax()), int(uncertainty.garments[row].argmax())
    if uncertainty.missing[row, missing] >= uncertainty.garments[row, garment]:
        return f"the detector finds no {' or '.join(_ONE[label].removeprefix('a ') for label in EXPECTED[missing])}"
    box = int(uncertainty.boxes[row, garment])
    return f"the detector is unsure of {_ONE[GARMENTS[garment]]} ({scores[row, garment, box]:.2f})"


def _of_diversity(diversity: float) -> str:
    how_many = "many" if diversity > _MANY else "some" if diversity > _SOME else "few"
    return f"it stands for {how_many} that nothing labelled or before it is like"


def _of_rarity(kind: str) -> str:
    return f"few or no pictures of {kind} are labelled"
