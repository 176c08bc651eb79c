"""The figures of queries that have something in common, and which product types are taken for which."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.train.embedder.evaluation.similar import TYPE, TYPE_AND_COLOUR, Answered, figures
from fullshot.train.embedder.nearest import SHOWN, UNKNOWN

LEAST_QUERIES = 5
"""Of a group that is shown: a share of fewer says nothing."""

MOST_GROUPS = 40
"""Groups of a kind that are shown, those of the most queries: a shop may have a thousand product types."""

MOST_TAKEN_FOR = 3
"""Types that one is taken for, which are named."""


def breakdown(answered: Answered) -> dict[str, Any]:
    """Figures of a question by group.

    Returns:
        By what makes an answer right, ``by_category`` (gender and wear of the query), ``by_product_type``, and
        ``by_colour`` for :data:`TYPE_AND_COLOUR`: see :func:`_by_group`. ``by_type_and_gender``: by gender, the same
        by type. ``taken_for``: see :func:`taken_for`.
    """
    types, colours = (answered.of_queries[name] for name in ("product_type", "colour"))
    names = answered.words
    category = _category(answered)
    result: dict[str, Any] = {}
    for target in answered.targets:
        result[target] = {
            "by_category": _by_group(answered, target, *category),
            "by_product_type": _by_group(answered, target, types, names["product_type"]),
        }
    if TYPE_AND_COLOUR in answered.targets:
        result[TYPE_AND_COLOUR]["by_colour"] = _by_group(answered, TYPE_AND_COLOUR, colours, names["colour"])
    genders = answered.of_queries["gender"]
    result["by_type_and_gender"] = {
        names["gender"][gender]: _by_group(answered, TYPE, np.where(genders == gender, types, UNKNOWN), _words(names))
        for gender in np.unique(genders[genders != UNKNOWN]).tolist()
    }
    result["taken_for"] = taken_for(answered)
    return result


def _words(names: Any) -> list[str]:
    words: list[str] = names["product_type"]
    return words


def _category(answered: Answered) -> tuple[NDArray[np.int64], list[str]]:
    genders, wears = (answered.of_queries[name] for name in ("gender", "wear"))
    words = answered.words
    codes = genders * len(words["wear"]) + wears
    return codes, [f"{gender} {wear}" for gender in words["gender"] for wear in words["wear"]]


def _by_group(answered: Answered, target: str, codes: NDArray[np.int64], words: list[str]) -> dict[str, Any]:
    """Figures by group, that of the most queries first.

    Args:
        answered: Q queries.
        target: what makes an answer right.
        codes: the group of each query, shape (Q,), or :data:`UNKNOWN`.
        words: the groups' names, by number.

    Returns:
        ``groups``, by name :func:`fullshot.train.embedder.evaluation.similar.figures`; and ``not_shown``: how many
        groups of fewer queries than :data:`LEAST_QUERIES` or beyond :data:`MOST_GROUPS` there are.
    """
    its = answered.targets[target]
    counted = (its.right > 0) & (codes != UNKNOWN)
    numbers = np.bincount(codes[counted], minlength=len(words))
    order = np.argsort(-numbers, kind="stable")
    shown = [group for group in order[:MOST_GROUPS].tolist() if numbers[group] >= LEAST_QUERIES]
    groups = {words[group]: figures(its, codes == group) for group in shown}
    return {"groups": groups, "not_shown": int((numbers > 0).sum()) - len(shown)}


def taken_for(answered: Answered) -> dict[str, list[dict[str, Any]]]:
    """Of the five nearest products, which types they are, by the query's.

    Returns:
        By product type of queries, those of the most queries first, the types of wrong answers that come most often:
        ``product_type`` and ``share`` of all answers.
    """
    its, words = answered.targets[TYPE], answered.words["product_type"]
    types, of_products = answered.of_queries["product_type"], answered.of_products["product_type"]
    counted = (its.right > 0) & (types != UNKNOWN)
    there = its.nearest[counted] != UNKNOWN
    asked = np.repeat(types[counted][:, None], SHOWN, axis=1)[there]
    given = of_products[its.nearest[counted][there]]
    pairs, counts = np.unique(np.stack([asked, given]), axis=1, return_counts=True)
    totals = Counter(dict(zip(*(part.tolist() for part in np.unique(asked, return_counts=True)), strict=True)))
    result: dict[str, list[dict[str, Any]]] = {}
    for kind, total in totals.most_common(MOST_GROUPS):
        if total < LEAST_QUERIES * SHOWN:
            continue
        wrong = np.flatnonzero((pairs[0] == kind) & (pairs[1] != kind))
        often = wrong[np.argsort(-counts[wrong], kind="stable")][:MOST_TAKEN_FOR]
        result[words[kind]] = [
            {
                "product_type": words[pairs[1][place]] if pairs[1][place] != UNKNOWN else "not known",
                "share": round(float(counts[place]) / total, 4),
            }
            for place in often.tolist()
        ]
    return result
