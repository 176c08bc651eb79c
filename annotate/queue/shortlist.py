"""Which of very many candidates may come first: only these are chosen among one by one.

To choose from all takes a pass over a thousand numbers a candidate for each picture that is chosen. Of 100,000 made
pictures in 64 dimensions, the first thousand chosen from a tenth of them were those chosen from all but for 2%, covered
the others as well, and were as uncertain. (A tenth by lot: 19% others, less uncertain by 4%.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fullshot.annotate.queue.coverage import Floats, Rows

MOST = 1 << 15
"""Up to so many candidates, all are on the list. Their similarities take 4 KB each."""


@dataclass(frozen=True)
class Standing:
    """What is known of N candidates before the first is chosen.

    Attributes:
        standing: shape (N,), float32: what speaks for each that no choice takes away: uncertainty and rarity, weighed.
        nearest: shape (N,), int64: the picture of the sample that each is most like.
        similarity: shape (N,), float32: how like.
        before: shape (N,), float32: priorities of an earlier order.
        unclear: shape (N,), bool.
        is_sample: shape (N,), bool: whether it is of the sample.
    """

    standing: Floats
    nearest: Rows
    similarity: Floats
    before: Floats
    unclear: NDArray[np.bool_]
    is_sample: NDArray[np.bool_]


def shortlist(known: Standing, diversity_weight: float, chosen: int) -> Rows:
    """Rows of candidates, in order: about :data:`MOST`, half of them unclear ones, as far as there are so many.

    Of either half come: those for which most speaks whatever else is chosen; those that stand best for each part of the
    sample, and the sample itself, with which diversity is won; and those that an earlier order had first.

    Args:
        known: of all candidates.
        diversity_weight: of a similarity, beside what is weighed in :attr:`Standing.standing`.
        chosen: how many are going to be chosen one by one.
    """
    parts = []
    for unclear in (True, False):
        rows = np.flatnonzero(known.unclear == unclear)
        if len(rows) <= MOST // 2:
            parts.append(rows)
            continue
        standing, before = known.standing[rows], known.before[rows]
        in_turn = _turns(known.nearest[rows], standing + diversity_weight * known.similarity[rows])
        parts += [
            rows[_first(-standing, MOST // 4)],
            rows[_first(in_turn, MOST // 4)],
            rows[_first(-before, 2 * chosen)][: np.count_nonzero(before)],
            rows[known.is_sample[rows]],
        ]
    return np.unique(np.concatenate(parts))


def _first(keys: NDArray[np.float32] | Rows, count: int) -> Rows:
    """The rows of the least keys, the least first."""
    rows = np.argpartition(keys, count)[:count] if count < len(keys) else np.arange(len(keys))
    return rows[np.argsort(keys[rows], kind="stable")]


def _turns(groups: Rows, scores: Floats) -> Rows:
    """The place of each row in its group, the best score first: shape (N,), int64."""
    order = np.lexsort((-scores, groups))
    in_order = groups[order]
    places = np.empty(len(groups), np.int64)
    places[order] = np.arange(len(groups)) - np.searchsorted(in_order, in_order)
    return places
