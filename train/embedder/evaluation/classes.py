"""Words of queries and of a gallery as numbers that compare."""

from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullshot.train.embedder.nearest import UNKNOWN

Codes = NDArray[np.int64]


def coded(
    queries: pyarrow.ChunkedArray, gallery: pyarrow.ChunkedArray, *, folded: bool = False
) -> tuple[Codes, Codes, list[str]]:
    """Number words by what they are.

    Args:
        queries: Q words; null: not known.
        gallery: G words.
        folded: without regard to capitals and spaces around them, in which people's words of one type differ.

    Returns:
        Those of the queries, shape (Q,), and of the gallery, shape (G,): :data:`UNKNOWN` where a word is not known; and
        the words by number, as the gallery has them first.
    """
    theirs = [_dictionary(column) for column in (gallery, queries)]
    words = pyarrow.concat_arrays([dictionary for _, dictionary in theirs])
    keys = (pc.utf8_lower(pc.utf8_trim_whitespace(words)) if folded else words).dictionary_encode()
    numbers = keys.indices.to_numpy().astype(np.int64)
    firsts = np.unique(numbers, return_index=True)[1]
    names: list[Any] = words.take(pyarrow.array(firsts)).to_pylist()
    sizes = len(theirs[0][1])
    of_gallery, of_queries = (
        np.where(indices == UNKNOWN, UNKNOWN, its[indices.clip(min=0)]) if len(its) else np.full(len(indices), UNKNOWN)
        for (indices, _), its in zip(theirs, (numbers[:sizes], numbers[sizes:]), strict=True)
    )
    return of_queries.astype(np.int64), of_gallery.astype(np.int64), names


def _dictionary(column: pyarrow.ChunkedArray) -> tuple[Codes, pyarrow.Array]:
    """A column's indices, :data:`UNKNOWN` for null, and the words that they stand for."""
    whole = pyarrow.chunked_array(column.chunks, column.type).unify_dictionaries().combine_chunks()
    encoded = whole if pyarrow.types.is_dictionary(whole.type) else whole.dictionary_encode()
    indices = pc.fill_null(encoded.indices, UNKNOWN).to_numpy(zero_copy_only=False).astype(np.int64)
    return indices, encoded.dictionary.cast(pyarrow.string())


def joined(first: Codes, second: Codes) -> Codes:
    """Pairs of numbers as one number each; :data:`UNKNOWN` where one of the two is not known.

    Args:
        first: shape (N,).
        second: shape (N,), below 2³¹.
    """
    return np.where((first == UNKNOWN) | (second == UNKNOWN), UNKNOWN, first * 2**31 + second)
