"""Near duplicates: candidates by perceptual hash verified by thumbnail.

A candidate is a pair whose hashes differ by at most `duplicate_radius` bits; it is a pair of duplicates if its
thumbnails' similarity is at least `duplicate_similarity` (:mod:`duplicates.similarity`). Without the second, clusters
would chain all shots on white together: one of every 25 pairs of Myntra's photos is a candidate.

The defaults were chosen on 420 photos of Myntra and copies of them made as in `benchmarks/duplicates.py`. Radius 14:
99.5% of the copies with 3% cut off each side are within it (96% within 12, 90% within 10). Similarity 0.91: two
different photos reach 0.902 (black shoes, seen from one side); 97% of the cropped and of the brightened copies are
above it. Of 811 street photos (Clothing Co-Parsing) two pairs are found, of 1,319 photos of clothes laid out or hung up
one; all three are one thing photographed twice, a moment apart.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fullshot.core.features import arrays
from fullshot.curation.duplicates.binary_index import Hashes, Pairs, candidate_pairs
from fullshot.curation.duplicates.clusters import label_clusters
from fullshot.curation.duplicates.fingerprint import blank
from fullshot.curation.duplicates.similarity import is_near_duplicate

Thumbnails = NDArray[np.uint8]

_PAIRS_AT_ONCE = 4096
"""Pairs whose thumbnails are in memory at once: as numbers, with what is computed of them, about 200 MB."""

_RELABEL_AFTER = 50_000
_DIGEST = (
    16  # bytes that stand for a hash and a thumbnail: two of a billion pictures share one by chance in 10^20 cases
)


def find_pairs(hashes: Hashes, thumbnails: Thumbnails, radius: int, similarity: float) -> Pairs:
    """Pairs of near duplicates, as many as it takes to know the clusters.

    Pictures with one hash and one thumbnail are paired with the first of them only, and no pair is looked at whose
    pictures are known to be of one cluster: ten thousand copies give ten thousand pairs and not fifty million.
    A nearly blank picture has no duplicates but those with just its thumbnail.

    Args:
        hashes: uint64 (N,).
        thumbnails: uint8 (N, 1536); it may be mapped from disk: rows are read as they are needed.
        radius: bits of 64; see :func:`candidate_pairs`.
        similarity: the least, in [0, 1]; 0: thumbnails are not compared.

    Returns:
        int64 (M, 2), rows of the pictures, the lower first, sorted. Which clusters they make depends on nothing but
        the pictures, in whatever order they come.

    Raises:
        ValueError: the arrays do not belong together.
    """
    if hashes.ndim != 1 or len(thumbnails) != len(hashes):
        raise ValueError(f"expected a thumbnail for each of {hashes.shape} hashes, got {len(thumbnails)}")
    distinct, copies = _distinct(hashes, thumbnails)
    busy = distinct[~_blank(thumbnails, distinct)]
    pairs_found = [copies]
    labels = np.arange(len(busy), dtype=np.int64)
    fresh: list[Pairs] = []
    for pairs in candidate_pairs(np.ascontiguousarray(hashes[busy]), radius):
        open_ = pairs[labels[pairs[:, 0]] != labels[pairs[:, 1]]]
        for start in range(0, len(open_), _RELABEL_AFTER):
            some = open_[start : start + _RELABEL_AFTER]
            rows = busy[some]
            fresh.append(some[near_duplicates(thumbnails, rows[:, 0], thumbnails, rows[:, 1], similarity)])
            if sum(map(len, fresh)) >= _RELABEL_AFTER:
                pairs_found.extend(busy[one] for one in fresh)
                labels = _merged(labels, fresh)
                fresh = []
    pairs_found.extend(busy[one] for one in fresh)
    every = np.sort(np.concatenate(pairs_found), axis=1)
    return np.unique(every, axis=0)


def near_duplicates(
    thumbnails: Thumbnails,
    rows: NDArray[np.int64],
    other_thumbnails: Thumbnails,
    other_rows: NDArray[np.int64],
    least: float,
) -> NDArray[np.bool_]:
    """Which pairs of thumbnails have at least this similarity, however many pairs there are.

    Args:
        thumbnails: uint8 (N, 1536); it may be mapped from disk.
        rows: int64 (P,), of the first of each pair.
        other_thumbnails: uint8 (M, 1536), as well.
        other_rows: int64 (P,), of the second.
        least: of similarity; 0: all pairs have it, and no thumbnail is read.

    Returns:
        bool (P,).
    """
    found = np.ones(len(rows), np.bool_)
    for start in range(0, len(rows) if least > 0 else 0, _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        ours, theirs = arrays.take(thumbnails, rows[part]), arrays.take(other_thumbnails, other_rows[part])
        found[part] = is_near_duplicate(ours, theirs, least)
    return found


def _distinct(hashes: Hashes, thumbnails: Thumbnails) -> tuple[NDArray[np.int64], Pairs]:
    """Rows with a hash and a thumbnail that no row before has; and for every other row a pair with the first one."""
    first: dict[bytes, int] = {}
    copies: list[tuple[int, int]] = []
    keep = np.ones(len(hashes), np.bool_)
    _, which, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(counts[which] > 1)
    for start in range(0, len(rows), _PAIRS_AT_ONCE):
        some = rows[start : start + _PAIRS_AT_ONCE]
        for row, thumbnail in zip(some.tolist(), arrays.take(thumbnails, some), strict=True):
            key = hashlib.blake2b(hashes[row].tobytes() + thumbnail.tobytes(), digest_size=_DIGEST).digest()
            before = first.setdefault(key, row)
            if before != row:
                keep[row] = False
                copies.append((before, row))
    return np.flatnonzero(keep).astype(np.int64), np.array(copies, np.int64).reshape(-1, 2)


def _blank(thumbnails: Thumbnails, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    found = [np.zeros(0, np.bool_)]
    for start in range(0, len(rows), _PAIRS_AT_ONCE):
        found.append(blank(arrays.take(thumbnails, rows[start : start + _PAIRS_AT_ONCE])))
    return np.concatenate(found)


def _merged(labels: NDArray[np.int64], pairs: Sequence[Pairs]) -> NDArray[np.int64]:
    return label_clusters(len(labels), labels[np.concatenate(pairs)])[labels]
