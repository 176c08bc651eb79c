"""Some queries with their five nearest products, for people to look at: the best, the typical and the worst."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.core.dataset import Dataset
from fullshot.train.embedder.evaluation.similar import TYPE, Answered
from fullshot.train.embedder.nearest import UNKNOWN

MOST = 6
"""Queries of a kind."""

_SHOWN = "shown_examples"

_COLUMNS = ("example", "path", "x_min", "y_min", "x_max", "y_max", "product_id", "product_type", "colour", "gender")


def samples(data: Dataset, answered: Answered, query_table: str, gallery_table: str) -> dict[str, list[dict[str, Any]]]:
    """Choose queries of a question, and tell what a page needs to show them.

    Args:
        data: holds the tables.
        answered: the question's answers.
        query_table: that its queries came from.
        gallery_table: that its gallery came from.

    Returns:
        Under ``best``, ``typical`` and ``worst``: rows with ``query`` and ``answers``, each a dict of ``path``, ``box``
        (corners in pixels, or None) and what is known of it; an answer also ``right``; and the query's
        ``precision@5`` and ``average_precision``. The same queries each time.
    """
    chosen = {kind: list(rows) for kind, rows in _chosen(answered)}
    every = [row for rows in chosen.values() for row in rows]
    shots = {row: _nearest_pictures(answered, row) for row in every}
    numbers = answered.question.queries.about["example"].to_numpy()[answered.rows]
    of_gallery = answered.question.gallery.about["example"].to_numpy()
    queries = _look_up(data, query_table, [int(numbers[row]) for row in every])
    answers = _look_up(data, gallery_table, [int(of_gallery[shot]) for its in shots.values() for shot in its])
    its = answered.targets[TYPE]
    return {
        kind: [
            {
                "query": queries[int(numbers[row])],
                "answers": [
                    {**answers[int(of_gallery[shot])], "right": right}
                    for shot, right in zip(shots[row], its.is_right[row].tolist(), strict=False)
                ],
                "precision@5": round(float(its.is_right[row].mean()), 4),
                "average_precision": round(float(its.average_precision[row]), 4),
            }
            for row in rows
        ]
        for kind, rows in chosen.items()
    }


def _chosen(answered: Answered) -> Iterator[tuple[str, Sequence[int]]]:
    """Rows of queries by kind; each of another product type, as far as there are so many."""
    its = answered.targets[TYPE]
    types = answered.of_queries["product_type"]
    rows = np.flatnonzero(its.right > 0)
    hits, precision = its.is_right[rows].sum(axis=1), its.average_precision[rows]
    # Where much is right in the gallery, it is worse to find none of it; and better to find it first.
    most = its.right[rows]
    yield "best", _different(rows[np.lexsort((rows, -most, -precision, -hits))], types)
    middle = np.abs(precision - np.median(precision)) if len(rows) else precision
    yield "typical", _different(rows[np.lexsort((rows, middle))], types)
    yield "worst", _different(rows[np.lexsort((rows, -most, precision, hits))], types)


def _different(rows: NDArray[np.int64], types: NDArray[np.int64]) -> list[int]:
    firsts = np.sort(np.unique(types[rows], return_index=True)[1])[:MOST]
    others = np.setdiff1d(np.arange(min(len(rows), 2 * MOST)), firsts)[: MOST - len(firsts)]
    return [int(rows[place]) for place in (*firsts, *others)]


def _nearest_pictures(answered: Answered, row: int) -> list[int]:
    """Of each of a query's nearest products, the picture that is nearest: numbers of the gallery's pictures."""
    question = answered.question
    query = np.asarray(question.queries.vectors[answered.rows[row]], np.float64)
    nearest = answered.targets[TYPE].nearest[row]
    found = []
    for product in nearest[nearest != UNKNOWN].tolist():
        its = np.flatnonzero(answered.products == product)
        distances = np.square(np.asarray(question.gallery.vectors[its], np.float64) - query).sum(axis=1)
        found.append(int(its[distances.argmin()]))
    return found


def _look_up(data: Dataset, table: str, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    data.create_rows(_SHOWN, {"example": "BIGINT"}, [(number,) for number in sorted(set(numbers))])
    rows = data.rows(f"SELECT {', '.join(_COLUMNS)} FROM {table} SEMI JOIN {_SHOWN} USING (example)")
    data.drop(_SHOWN)
    found = {}
    for number, path, *corners, product, kind, colour, gender in rows:
        box = None if corners[0] is None else [round(float(corner), 1) for corner in corners]
        known = {"product_id": product, "product_type": kind, "colour": colour, "gender": gender}
        found[int(number)] = {"path": path, "box": box, **known}
    return found
