"""How many of the nearest products are what a person would call similar: of one type, of one type and colour."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.core.features import arrays
from fullshot.train.embedder.evaluation.classes import Codes, coded, joined
from fullshot.train.embedder.evaluation.examples import Examples
from fullshot.train.embedder.nearest import KS, UNKNOWN, Answers, Pictures, answers, products_of

TYPE, TYPE_AND_COLOUR = "product_type", "type_and_colour"
"""What makes an answer right."""

MOST_QUERIES = 10_000
"""Queries that are asked at most, spread evenly over wears, genders and products: a share of so many is known to half a
percent."""


@dataclass(frozen=True)
class Question:
    """Queries and the gallery in which similar products are sought.

    Attributes:
        name: ``shop`` or ``street``.
        queries: pictures of garments.
        gallery: item shots, each product's behind each other.
        within: columns in which an answer is as the query: ``("gender", "wear")`` or ``("wear",)``.
    """

    name: str
    queries: Examples
    gallery: Examples
    within: tuple[str, ...]


@dataclass(frozen=True)
class Answered:
    """A question's answers.

    Attributes:
        question: that was asked.
        rows: shape (Q,), int64: which of its queries were.
        targets: by what makes an answer right; ``nearest`` holds numbers of products, see ``products``.
        products: shape (G,), int64: the number of each of the gallery's pictures' products.
        words: by column, the words of the queries' and of the gallery's numbers.
        of_queries: by column, the queries' numbers, shape (Q,).
        of_products: by column, the numbers by product's number, shape (P,).
    """

    question: Question
    rows: NDArray[np.int64]
    targets: Mapping[str, Answers]
    products: Codes
    words: Mapping[str, list[str]]
    of_queries: Mapping[str, Codes]
    of_products: Mapping[str, Codes]


_ATTRIBUTES = {"wear": False, "gender": False, "product_type": True, "colour": True}
"""Columns, and whether their words are people's, see :func:`fullshot.train.embedder.evaluation.classes.coded`."""


def asked(question: Question) -> Answered:
    """Look for the nearest products of each query, see :func:`fullshot.train.embedder.nearest.answers`."""
    queries, gallery = question.queries.about, question.gallery.about
    count = len(question.queries)
    rows = np.unique(np.linspace(0, count - 1, min(count, MOST_QUERIES)).round().astype(np.int64))
    named, numbers, _ = coded(queries["product_id"], gallery["product_id"])
    # Numbered anew: those of a part of the shots have gaps. The order stays.
    known, first, products = np.unique(numbers, return_index=True, return_inverse=True)
    own = np.where(np.isin(named, known), np.searchsorted(known, named), UNKNOWN)
    copies, theirs, _ = coded(queries["cluster"], gallery["cluster"])
    of_queries, of_gallery, words = {}, {}, {}
    for column, folded in _ATTRIBUTES.items():
        every, of_gallery[column], words[column] = coded(queries[column], gallery[column], folded=folded)
        of_queries[column] = every[rows]
    of_products = {column: codes[first] for column, codes in of_gallery.items()}
    classes = {TYPE: (of_queries["product_type"], of_products["product_type"])}
    classes[TYPE_AND_COLOUR] = (
        joined(classes[TYPE][0], of_queries["colour"]),
        joined(classes[TYPE][1], of_products["colour"]),
    )
    # One whose colours are not known at all is not measured by them.
    asks = {name: both for name, both in classes.items() if (both[0] != UNKNOWN).any()}
    found = {name: Answers.none(len(rows)) for name in asks}
    for its, held in _groups(question, of_queries, of_gallery):
        asking = Pictures(arrays.take(question.queries.vectors, rows[its]), own[rows[its]], copies[rows[its]])
        among = Pictures(arrays.take(question.gallery.vectors, held), products[held], theirs[held])
        there = products_of(among)
        both = {name: (of[its], of_all[there]) for name, (of, of_all) in asks.items()}
        for name, answered in answers(asking, among, both).items():
            _put(found[name], its, answered, there)
    return Answered(question, rows, found, products, words, of_queries, of_products)


def _groups(
    question: Question, of_queries: Mapping[str, Codes], of_gallery: Mapping[str, Codes]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Queries, and the gallery's pictures that may answer them."""
    theirs = np.stack([of_queries[column] for column in question.within])
    ours = np.stack([of_gallery[column] for column in question.within])
    for group in np.unique(theirs, axis=1).T:
        held = np.flatnonzero((ours == group[:, None]).all(axis=0))
        if len(held):
            yield np.flatnonzero((theirs == group[:, None]).all(axis=0)), held


def _put(found: Answers, its: NDArray[np.int64], answered: Answers, there: NDArray[np.int64]) -> None:
    """Put the answers of a group's queries in their places."""
    found.right[its], found.hits[its] = answered.right, answered.hits
    found.average_precision[its], found.is_right[its] = answered.average_precision, answered.is_right
    found.nearest[its] = np.where(answered.nearest == UNKNOWN, UNKNOWN, there[answered.nearest])


def figures(answered: Answers, which: NDArray[np.bool_] | None = None) -> dict[str, Any]:
    """Means over queries.

    Args:
        answered: Q queries.
        which: of them, shape (Q,); None: all.

    Returns:
        ``queries``, those that have a right answer in the gallery; ``precision@1``, ``precision@5`` and
        ``precision@10``: the share of the first k products that are right, where a gallery of fewer counts as if the
        others were wrong; ``recall@5`` and ``recall@10``: the share of queries with a right product among the first k
        (``recall@1`` would be ``precision@1``); ``map@r``, see :class:`fullshot.train.embedder.nearest.Answers`. None
        without queries.
    """
    counts = answered.right > 0 if which is None else (answered.right > 0) & which
    number = int(counts.sum())
    hits = answered.hits[counts]
    row: dict[str, Any] = {"queries": number}
    row |= {f"precision@{k}": _mean(hits[:, place] / k) for place, k in enumerate(KS)}
    row |= {f"recall@{k}": _mean(hits[:, place] > 0) for place, k in enumerate(KS) if k > 1}
    return {**row, "map@r": _mean(answered.average_precision[counts])}


def _mean(values: NDArray[Any]) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None


def summary(answered: Answered) -> dict[str, Any]:
    """What a terminal has room for.

    Returns:
        ``pictures`` and ``products`` of the gallery; ``not_asked``, queries beyond :data:`MOST_QUERIES`; and by what
        makes an answer right, :func:`figures` and ``left_out``: queries that have no right answer in the gallery, or
        whose own type or colour is not known.
    """
    return {
        "pictures": len(answered.products),
        "products": len(np.unique(answered.products)),
        "not_asked": len(answered.question.queries) - len(answered.rows),
        **{name: {**figures(its), "left_out": int((its.right == 0).sum())} for name, its in answered.targets.items()},
    }
