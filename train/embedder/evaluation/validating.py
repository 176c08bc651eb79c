"""What a training is judged by after every epoch: the questions of an evaluation, asked of the split val."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from fullshot.train.embedder.evaluation.examples import ABOUT, Examples
from fullshot.train.embedder.evaluation.instances import score
from fullshot.train.embedder.evaluation.questions import SHOP, SHOP_WITHIN, STREET_QUESTION, STREET_WITHIN
from fullshot.train.embedder.evaluation.similar import TYPE, TYPE_AND_COLOUR, Question, asked, summary
from fullshot.train.validation import digest_of_rows

RECALL = "recall@5"
BY_TYPE_AND_COLOUR = "precision@5 by type and colour"
BY_TYPE = "precision@5 by type"
"""What chooses the best epoch: the first of these that says something."""


_TOLD = ("image_id", "x_min", "y_min", "x_max", "y_max", "product_id", "wear", "gender", "product_type", "colour")
"""Columns that figures depend on."""


class ValidationQuestions:
    """The questions that the split val can answer.

    - Where outfit images of val have boxes of known products, these are sought among all item shots.
    - Else, where products have several pictures, one of each of val's is sought among the others.
    - Where product types are known, val's item shots are sought among each other, and its boxes among these.

    Args:
        examples: N rows with ``product_id`` (it may be empty for a box), ``wear``, ``split`` and ``x_min`` (empty for
            an item shot); ``gender``, ``product_type``, ``colour`` and ``cluster`` are used where there are such
            columns.
        use: shape (N,): which are learnt from or searched in, see
            :func:`fullshot.train.embedder.crops.usable`.
        is_readable: shape (N,): which can be read at all.

    Attributes:
        rows: the numbers of the examples whose vectors :meth:`measure` wants, ascending.
        digest: of all that is compared, see :func:`fullshot.train.validation.digest_of_rows`: figures of two trainings
            compare where it is the same.
    """

    def __init__(self, examples: pd.DataFrame, use: NDArray[np.bool_], is_readable: NDArray[np.bool_]) -> None:
        held_out = (examples["split"] == "val").to_numpy(bool)
        is_whole = examples["x_min"].isna().to_numpy(bool)
        has_product = examples["product_id"].notna().to_numpy(bool)
        queries, gallery = held_out & ~is_whole & use & has_product, is_whole & use
        if not queries.any():
            readable = examples[is_readable & has_product]
            first = ~readable["product_id"].duplicated() & readable["product_id"].duplicated(keep=False)
            queries = held_out & first.reindex(examples.index, fill_value=False).to_numpy(bool)
            gallery = ~queries & is_readable & has_product
        if not queries.any():
            gallery = queries
        shots, boxes = held_out & is_whole & use, held_out & ~is_whole & use
        self.rows = np.flatnonzero(queries | gallery | shots | boxes)
        self._examples = examples.iloc[self.rows].reset_index(drop=True)
        self._queries, self._gallery, self._shots, self._boxes = (
            np.flatnonzero(mask[self.rows]) for mask in (queries, gallery, shots, boxes)
        )
        told = self._examples[[name for name in _TOLD if name in self._examples]]
        parts = {"queries": self._queries, "gallery": self._gallery, "shots": self._shots, "boxes": self._boxes}
        self.digest = digest_of_rows(**{name: told.iloc[its] for name, its in parts.items()})

    def measure(self, vectors: NDArray[np.float32]) -> dict[str, Any]:
        """How good vectors are.

        Args:
            vectors: of the examples :attr:`rows`, shape (M, d).

        Returns:
            ``queries``, ``recall@1``, ``recall@5`` and ``wears`` of the same product (see
            :func:`fullshot.train.embedder.evaluation.instances.score`); ``shop`` and ``street`` (see
            :func:`fullshot.train.embedder.evaluation.similar.summary`; None where nothing can be asked); ``measure``,
            one of :data:`RECALL`, :data:`BY_TYPE_AND_COLOUR` and :data:`BY_TYPE`, and ``score``, its value, by which
            epochs and runs are compared: the more the better. Both are None where nothing can be measured.
        """
        queries, gallery = self._queries, self._gallery
        figures = score(self._examples.iloc[queries], vectors[queries], self._examples.iloc[gallery], vectors[gallery])
        shots = self._chosen(self._shots, vectors)
        figures[SHOP] = _similar(Question(SHOP, shots, shots, SHOP_WITHIN))
        boxes = self._chosen(self._boxes, vectors)
        figures[STREET_QUESTION] = _similar(Question(STREET_QUESTION, boxes, shots, STREET_WITHIN))
        return figures | _judged(figures)

    def _chosen(self, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> Examples:
        """Some of the examples; of a gallery each product's follow each other."""
        chosen = self._examples.iloc[rows]
        order = np.argsort(chosen["product_id"].fillna("").to_numpy(str), kind="stable")
        texts = pyarrow.string()
        columns = [
            pyarrow.array(chosen[name].iloc[order], texts, from_pandas=True)
            if name in chosen
            else pyarrow.nulls(len(rows), texts)
            for name in ABOUT
        ]
        return Examples(pyarrow.table(columns, list(ABOUT)), vectors[rows[order]], set())


def _similar(question: Question) -> dict[str, Any] | None:
    """A question's figures; None where no product type is known."""
    if not len(question.queries) or not len(question.gallery):
        return None
    answered = asked(question)
    its = answered.targets.get(TYPE)
    return None if its is None or not its.right.any() else summary(answered)


def _judged(figures: dict[str, Any]) -> dict[str, Any]:
    """The number that chooses the epoch, and its name."""
    if figures["queries"]:
        return {"measure": RECALL, "score": figures[RECALL]}
    for question in (SHOP, STREET_QUESTION):
        for target, name in ((TYPE_AND_COLOUR, BY_TYPE_AND_COLOUR), (TYPE, BY_TYPE)):
            its = (figures[question] or {}).get(target)
            if its and its["queries"]:
                return {"measure": name, "score": its["precision@5"]}
    return {"measure": None, "score": None}
