"""Why a picture is to be annotated, in words that stand beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow
from numpy.typing import NDArray

from fullshot.annotate.queue.coverage import Floats, Rows
from fullshot.annotate.queue.selection import Order, Pool, Weights
from fullshot.annotate.queue.uncertainty import EXPECTED, Uncertainty
from fullshot.core.taxonomy import GARMENTS, Wear

_UNCLEAR = "nobody knows yet whether it is a full shot"
_BROUGHT = "its boxes were brought along, no person has checked them"

_LOT = "by lot"

_SEPARATOR = "; "

_ENOUGH = 0.5
"""A second reason is given when it weighs at least so much of the first."""

_MANY, _SOME = 0.5, 0.15
"""Diversity from which a picture is said to stand for so many."""

_ONE = {Wear.TOP: "a top", Wear.BOTTOM: "a bottom", Wear.FOOT: "shoes", Wear.LONG: "a dress"}
_PERCENT = 101
_NOT_SAID = -1

Words = tuple[Sequence[str], Rows]
"""Some words, and which of them is said of each of N pictures; :data:`_NOT_SAID`: none."""


@dataclass(frozen=True)
class Evidence:
    """What is known of N candidates when they are put in order.

    Attributes:
        pool: the candidates.
        order: what spoke for each.
        weights: of the reasons.
        uncertainty: of the detector; None without one.
        scores: shape (N, 4, k), float32, see :func:`fullshot.annotate.queue.uncertainty.uncertainty`.
        kinds: the product types, by the pool's numbers.
        labelled: how many pictures of each product type are labelled.
        all_labelled: how many pictures are.
        brought: whether their boxes were brought along, for a person to check.
    """

    pool: Pool
    order: Order
    weights: Weights
    uncertainty: Uncertainty | None
    scores: Floats
    kinds: Sequence[str]
    labelled: Mapping[str, int]
    all_labelled: int
    brought: bool


def explain_measured(splits: pyarrow.Array) -> pyarrow.DictionaryArray:
    """Of pictures that no model learns from."""
    coded = splits.dictionary_encode(null_encoding="encode")
    which = [f"of the split {split}" if split else "of no split" for split in coded.dictionary.to_pylist()]
    words = [f"{each}, so no model learns from it: after all those that one does, in no order" for each in which]
    return pyarrow.DictionaryArray.from_arrays(coded.indices, pyarrow.array(words, pyarrow.string()))


def explain_lot(unclear: NDArray[np.bool_], *, brought: bool) -> pyarrow.DictionaryArray:
    """Of N pictures for which nothing speaks but the lot.

    Args:
        unclear: shape (N,): of which nobody knows yet whether they are full shots.
        brought: see :class:`Evidence`.
    """
    words = [_SEPARATOR.join([*_always(kind, brought), _LOT]) for kind in (False, True)]
    return pyarrow.DictionaryArray.from_arrays(unclear.astype(np.int32), pyarrow.array(words))


def explain(evidence: Evidence, before: pyarrow.DictionaryArray) -> pyarrow.DictionaryArray:
    """A sentence for each candidate: what speaks most for it, and what speaks at least half as much.

    Each sentence that changes is sent to the annotators. So none has a number that each new label would change, and
    one that is still true, and still has what speaks for the picture, stays as it is.

    Args:
        evidence: what is known of N of them.
        before: the sentences of an earlier order, N, null where there was none.
    """
    reasons = [_of_diversity(evidence), _of_uncertainty(evidence), _of_rarity(evidence)]
    weights = np.stack([weight for weight, _ in reasons])
    words = [each for _, each in reasons]
    said = np.stack([number for _, number in words])
    told = _told(weights)
    # Pictures of which the same is said have the same code.
    code = evidence.pool.unclear.astype(np.int64)
    for (texts, number), is_told in zip(words, told, strict=True):
        code = code * (len(texts) + 1) + np.where(is_told, number + 1, 0)
    _, first, index = np.unique(code, return_index=True, return_inverse=True)
    sentences = [
        _SEPARATOR.join(
            _always(bool(evidence.pool.unclear[row]), evidence.brought)
            + [texts[number[row]] for (texts, number), is_told in zip(words, told, strict=True) if is_told[row]]
        )
        for row in first.tolist()
    ]
    earlier = before.dictionary.to_pylist()
    index_before = np.asarray(before.indices.fill_null(_NOT_SAID), np.int64)
    holds = _still_holds(earlier, index_before, evidence, [texts for texts, _ in words], said, weights)
    both = pyarrow.array([*sentences, *earlier], pyarrow.string())
    chosen = np.where(holds, index_before + len(sentences), index).astype(np.int32)
    return pyarrow.DictionaryArray.from_arrays(chosen, both)


def _always(unclear: bool, brought: bool) -> list[str]:
    return [words for words, holds in ((_UNCLEAR, unclear), (_BROUGHT, brought)) if holds]


def _told(weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of R reasons are given: those of most weight, two at most; shape (R, N) as the weights."""
    # Of those that weigh the same the first is given.
    place = np.argsort(np.argsort(-weights, axis=0, kind="stable"), axis=0, kind="stable")
    return np.asarray((weights >= _ENOUGH * weights.max(axis=0)) & (place < 2))


def _still_holds(
    sentences: Sequence[str],
    index: Rows,
    evidence: Evidence,
    texts: Sequence[Sequence[str]],
    said: Rows,
    weights: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Whether a picture's earlier sentence says what it must, nothing that is not so, and a reason of weight.

    Args:
        sentences: different ones.
        index: shape (N,): which of them each picture had; :data:`_NOT_SAID`: none.
        evidence: of the pictures.
        texts: the words of each of R reasons.
        said: shape (R, N): which of these may be said of each picture.
        weights: shape (R, N): of the reasons.
    """
    unclear = evidence.pool.unclear
    places = [{words: number for number, words in enumerate(each)} for each in texts]
    # Of each sentence: which words of each reason it says, and of which kind of picture it may be at all.
    says = np.full((len(texts), len(sentences) + 1), _NOT_SAID)
    may_be = np.zeros((2, len(sentences) + 1), np.bool_)  # the last is that of no sentence
    for number, sentence in enumerate(sentences):
        parts = sentence.split(_SEPARATOR)
        for kind in (False, True):
            always = _always(kind, evidence.brought)
            found = [_found(part, places) for part in parts[len(always) :]]
            if parts[: len(always)] == always and None not in found:
                may_be[int(kind), number] = True
                for reason, place in filter(None, found):
                    says[reason, number] = place
    says_now = says[:, index]
    is_said = says_now != _NOT_SAID
    is_true = may_be[unclear.astype(np.int64), index] & (~is_said | (says_now == said)).all(axis=0)
    given = np.where(is_said, weights, 0.0).max(axis=0)
    return np.asarray(is_true & (given >= _ENOUGH * weights.max(axis=0)))


def _found(part: str, places: Sequence[Mapping[str, int]]) -> tuple[int, int] | None:
    """The reason that a part of a sentence gives, and which of its words it is."""
    return next(((reason, known[part]) for reason, known in enumerate(places) if part in known), None)


Weighed = tuple[NDArray[np.float64], Words]
"""How much a reason counted for each of N pictures, below 0 where it may not be said; and its words."""


def _of_diversity(evidence: Evidence) -> Weighed:
    diversity = evidence.order.diversity.astype(np.float64)
    words = [f"it stands for {how_many} that nothing labelled or before it is like" for how_many in _HOW_MANY]
    number = (diversity > _SOME).astype(np.int64) + (diversity > _MANY)
    return evidence.weights.diversity * diversity, (words, number)


_HOW_MANY = ("few", "some", "many")


def _of_uncertainty(evidence: Evidence) -> Weighed:
    """What the detector is least sure of."""
    found = evidence.uncertainty
    count = len(evidence.pool.unclear)
    if found is None:
        return np.full(count, -1.0), ([], np.full(count, _NOT_SAID))
    words = [
        f"the detector finds no {' or '.join(_ONE[label].removeprefix('a ') for label in labels)}"
        for labels in EXPECTED
    ] + [
        f"the detector is unsure of {_ONE[label]} ({percent / 100:.2f})"
        for label in GARMENTS
        for percent in range(_PERCENT)
    ]
    rows = np.arange(count)
    missing, garment = found.missing.argmax(axis=1), found.garments.argmax(axis=1)
    box = found.boxes[rows, garment]
    percent = np.round(evidence.scores[rows, garment, box].astype(np.float64) * 100).astype(np.int64)
    of_garment = len(EXPECTED) + garment * _PERCENT + np.clip(percent, 0, _PERCENT - 1)
    number = np.where(found.missing[rows, missing] >= found.garments[rows, garment], missing, of_garment)
    return evidence.weights.uncertainty * evidence.pool.uncertainty.astype(np.float64), (words, number)


def _of_rarity(evidence: Evidence) -> Weighed:
    words = [f"few or no pictures of {kind} are labelled" for kind in evidence.kinds]
    counts = np.array([evidence.labelled.get(kind, 0) for kind in evidence.kinds], np.int64)
    # A picture may be rare for a garment on it, while its own type is common.
    is_rare = np.append(counts * max(len(evidence.labelled), 1) <= evidence.all_labelled, False)
    number = np.where(is_rare[evidence.pool.kinds], evidence.pool.kinds, _NOT_SAID)
    weight = evidence.weights.rarity * evidence.order.rarity.astype(np.float64)
    return np.where(number != _NOT_SAID, weight, -1.0), (words, number)
