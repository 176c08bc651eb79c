"""The order of the candidates of one rank: evidence is gathered, pictures are chosen, sentences say why."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow
from numpy.typing import NDArray

from fullshot.annotate.queue import candidates as candidate
from fullshot.annotate.queue import explanation
from fullshot.annotate.queue.coverage import Floats, Rows, Taken, in_sample, population_of
from fullshot.annotate.queue.looked_at import LookedAt
from fullshot.annotate.queue.numbering import priorities
from fullshot.annotate.queue.predictions import Descriptor, FeatureExtractor
from fullshot.annotate.queue.selection import Labelled, Pool, Weights, choose
from fullshot.annotate.queue.turns import Turns
from fullshot.annotate.queue.uncertainty import certainty, class_weights, uncertainty
from fullshot.core.dataset import Dataset
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS

RANDOM = "random"
"""In place of an order by reasons."""

_DIGITS = 4


@dataclass(frozen=True)
class Ordered:
    """N candidates, first to annotate first, with the columns of ``priorities``.

    Attributes:
        number: shape (N,), int64: of the candidate.
        before: shape (N,), float64: its priority in an earlier order, 0 where there was none.
        reason: N sentences.
        uncertainty: shape (N,), float64; None: nothing looked for boxes.
        diversity: shape (N,), float64; None: they were not compared.
        rarity: shape (N,), float64; None: they were not compared.
    """

    number: Rows
    before: NDArray[np.float64]
    reason: pyarrow.DictionaryArray
    uncertainty: NDArray[np.float64] | None = None
    diversity: NDArray[np.float64] | None = None
    rarity: NDArray[np.float64] | None = None

    @staticmethod
    def numbered(parts: "Sequence[Ordered]") -> pyarrow.Table:
        """The columns of several, one after another, and their priorities."""
        tables = []
        for part in parts:
            columns = {"number": part.number, "reason": part.reason}
            for name in ("uncertainty", "diversity", "rarity"):
                values = getattr(part, name)
                columns[name] = pyarrow.nulls(len(part.number), pyarrow.float64()) if values is None else values
            tables.append(pyarrow.table(columns))
        together = pyarrow.concat_tables(tables).unify_dictionaries()
        numbers = priorities(np.concatenate([part.before for part in parts]))
        return together.append_column("priority", pyarrow.array(numbers))


class Ordering:
    """Puts candidates in order.

    Args:
        data: after :func:`candidates.create_candidates`.
        looked_at: the candidates, and what is labelled.
        extractor: whose scores and features these are.
        settings: the weights, the share of unclear ones, and the threshold.
    """

    def __init__(self, data: Dataset, looked_at: LookedAt, extractor: FeatureExtractor, settings: Settings) -> None:
        self._data = data
        self._seen = looked_at
        self._extractor = extractor
        self._settings = settings

    def of_rank(self, rank: int, annotated: int, recent: Sequence[int]) -> Ordered:
        """The candidates of one rank.

        Args:
            rank: see :mod:`fullshot.annotate.queue.candidates`.
            annotated: how many that had this rank were annotated.
            recent: the products of the latest of them, the latest first.
        """
        seen, section, threshold = self._seen, self._settings.annotate, self._settings.detector.confidence
        part = np.flatnonzero(seen.rank == rank)
        if not len(part):
            return Ordered(part, np.zeros(0), pyarrow.array([], pyarrow.string()).dictionary_encode())
        scores = seen.scores[part]
        is_by_lot = section.order == RANDOM
        garments, of_kinds, known = self._labelled(rank)
        unsure = None
        if not isinstance(self._extractor, Descriptor):
            unsure = uncertainty(scores, threshold, class_weights(garments))
        pool = Pool(
            uncertainty=np.zeros(len(part), np.float32) if unsure is None else unsure.total,
            features=Taken(seen.features, part),
            kinds=seen.kind[part],
            garments=certainty(scores, threshold).max(axis=2),
            products=seen.product[part],
            unclear=seen.unclear[part],
            # A lot stays the same of itself; an order by reasons would lead it.
            before=np.zeros(len(part), np.float32) if is_by_lot else seen.before[part].astype(np.float32),
        )
        # What waits to be checked has boxes of its own, but it is not its own neighbour.
        is_known = seen.is_labelled & (seen.rank != rank)
        counts = np.array([of_kinds.get(kind, 0) for kind in seen.kinds], np.float32)
        labelled = Labelled(Taken(seen.features, np.flatnonzero(is_known)), counts, garments, recent)
        both = np.flatnonzero(is_known | (seen.rank == rank))
        is_sample = in_sample(seen.lot[part])
        population = population_of(seen.features[part[is_sample]], Taken(seen.features, both), seen.lot[both])
        # A detector that finds little is unsure of what is like no other picture, and misleads; Hacohen, Dekel and
        # Weinshall, "Active learning on a budget" (2022), measured it for classifiers, benchmarks/labelling.py here.
        weight = section.uncertainty_weight * max(0.0, 2 * self._extractor.quality - 1)
        weights = Weights(weight, section.diversity_weight, section.rarity_weight)
        if is_by_lot:  # what is as good as another keeps its place, and candidates are sorted by their digests: a lot
            weights = Weights(0, 0, 0)
        turns = Turns(pool.unclear, section.unclear_share, annotated, pool.before)
        order = choose(pool, labelled, population, weights, turns, is_sample)
        is_brought = rank == candidate.CHECK
        evidence = explanation.Evidence(
            pool, order, weights, unsure, scores, seen.kinds, of_kinds, known, brought=is_brought
        )
        if is_by_lot:
            reasons = explanation.explain_lot(pool.unclear, brought=is_brought)
        else:
            reasons = explanation.explain(evidence, seen.reason.take(pyarrow.array(part)))
        return Ordered(
            number=seen.number[part][order.rows],
            before=seen.before[part][order.rows],
            reason=reasons.take(pyarrow.array(order.rows)),
            uncertainty=None if unsure is None else _rounded(unsure.total)[order.rows],
            diversity=_rounded(order.diversity)[order.rows],
            rarity=_rounded(order.rarity)[order.rows],
        )

    def _labelled(self, rank: int) -> tuple[Floats, dict[str, int], int]:
        """Of what is labelled, but for candidates of a rank: boxes of each garment, pictures of each type, and all."""
        others = "rank IS DISTINCT FROM $rank"
        drawn = dict(self._data.rows(f"SELECT label, count(*) FROM labels WHERE {others} GROUP BY label", rank=rank))
        kinds = dict(self._data.rows(f"SELECT kind, count(*) FROM labelled WHERE {others} GROUP BY kind", rank=rank))
        known = sum(kinds.values())
        kinds.pop(None, None)
        return np.array([drawn.get(str(label), 0) for label in GARMENTS], np.float32), kinds, known


def _rounded(values: Floats) -> NDArray[np.float64]:
    return np.asarray(np.round(values.astype(np.float64), _DIGITS), np.float64)
