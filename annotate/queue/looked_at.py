"""What is known of the pictures that a queue is made of, and what an extractor makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from fullshot.annotate.queue.candidates import MEASURE
from fullshot.annotate.queue.coverage import Floats, Rows
from fullshot.annotate.queue.predictions import FeatureExtractor, extract
from fullshot.core.dataset import Dataset
from fullshot.core.progress import say_unreadable
from fullshot.core.workspace import Workspace

NO_CANDIDATE = -1
"""In place of the rank of a picture that is labelled and no candidate."""

_ASKED = f"""
SELECT coalesce(candidates.image_id, labelled.image_id) AS image_id, coalesce(candidates.path, labelled.path) AS path,
    coalesce(number, -1) AS number, coalesce(candidates.rank, {NO_CANDIDATE}) AS rank, coalesce(unclear, false)
    AS unclear, coalesce(candidates.product, labelled.product) AS product,
    coalesce(candidates.kind, labelled.kind) AS kind, coalesce(before, 0) AS before, reason,
    labelled.image_id IS NOT NULL AS is_labelled,
    ('0x' || left(coalesce(candidates.image_id, labelled.image_id), 8))::UINTEGER AS lot
FROM (FROM candidates WHERE rank <> {MEASURE}) AS candidates FULL JOIN labelled USING (image_id)
ORDER BY ALL
"""
_NUMBERS = ("number", "rank", "unclear", "product", "before", "is_labelled", "lot")


@dataclass(frozen=True)
class LookedAt:
    """The N pictures that are candidates to learn from, or labelled, and can be read; sorted by ``image_id``.

    Attributes:
        number: shape (N,), int64: the number of the candidate, see :func:`candidates.create_candidates`.
        rank: shape (N,), int32: the candidate's; :data:`NO_CANDIDATE`: it is none.
        unclear: shape (N,), bool.
        product: shape (N,), int64: its number.
        kind: shape (N,), int64: the number of its product type in ``kinds``; -1: it has none.
        kinds: the product types, sorted.
        before: shape (N,), float64: the candidate's priority in an earlier order, 0 where there was none.
        reason: N sentences that were given for it, or null.
        is_labelled: shape (N,), bool.
        lot: shape (N,), uint32: the first bits of ``image_id``.
        scores: shape (N, 4, k), float32, of the extractor.
        features: shape (N, D), float32, of the extractor.
        unreadable: how many candidates cannot be read.
        new: of how many pictures the extractor's answer was not known before.
    """

    number: Rows
    rank: NDArray[np.int32]
    unclear: NDArray[np.bool_]
    product: Rows
    kind: Rows
    kinds: Sequence[str]
    before: NDArray[np.float64]
    reason: pyarrow.DictionaryArray
    is_labelled: NDArray[np.bool_]
    lot: NDArray[np.uint32]
    scores: Floats
    features: Floats
    unreadable: int
    new: int


def look_at(data: Dataset, workspace: Workspace, extractor: FeatureExtractor, engine: str) -> LookedAt:
    """Look at the candidates to learn from, and at what is labelled.

    Args:
        data: after :func:`candidates.create_candidates`.
        workspace: with the pictures.
        extractor: says what is on them.
        engine: the name of the engine whose workers look.
    """
    asked = data.arrow(_ASKED)
    if not (asked["rank"].to_numpy() >= 0).any():
        asked = asked.slice(0, 0)  # without candidates there is nothing to compare with what is labelled
    keys = asked.select(["image_id", "path"])
    asked = asked.drop_columns(["image_id", "path"])
    outputs = extract(workspace, keys, extractor, engine)
    lost = ~outputs.is_readable & (asked["rank"].to_numpy() >= 0)
    say_unreadable("annotate queue", keys["path"].filter(pyarrow.array(lost)).to_pylist())
    asked = asked.filter(pyarrow.array(outputs.is_readable))
    kinds, kind = _numbered(asked["kind"])
    reason = asked["reason"].dictionary_encode().combine_chunks()
    return LookedAt(
        **{name: asked[name].to_numpy() for name in _NUMBERS},
        kind=kind,
        kinds=kinds,
        reason=reason if isinstance(reason, pyarrow.DictionaryArray) else reason.chunk(0),
        scores=outputs.scores,
        features=outputs.features,
        unreadable=int(lost.sum()),
        new=outputs.new,
    )


def _numbered(kinds: pyarrow.ChunkedArray) -> tuple[list[str], Rows]:
    """Words, sorted, and the number of each row's, int64; -1 where it has none."""
    words = sorted(kinds.unique().drop_null().to_pylist())
    numbers = pyarrow.compute.index_in(kinds, value_set=pyarrow.array(words, kinds.type))
    return words, np.asarray(numbers.fill_null(-1), np.int64)
