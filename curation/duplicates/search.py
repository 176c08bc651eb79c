"""Near duplicates: candidates by perceptual hash through a FAISS binary index, verified by thumbnail, then clusters.

A candidate is a pair whose hashes differ by at most `duplicate_radius` bits; it is a pair of duplicates if its
thumbnails' similarity is at least `duplicate_similarity` (:mod:`duplicates.similarity`). Without the second, clusters
would chain all shots on white together: one of every 25 pairs of Myntra's photos is a candidate.

The defaults were chosen on 420 photos of Myntra and copies of them made as in `benchmarks/duplicates.py`. Radius 14:
99.5% of the copies with 3% cut off each side are within it (96% within 12, 90% within 10). Similarity 0.91: two
different photos reach 0.902 (black shoes, seen from one side); 97% of the cropped and of the brightened copies are
above it. Of 811 street photos (Clothing Co-Parsing) two pairs are found, of 1,319 photos of clothes laid out or hung up
one; all three are one thing photographed twice, a moment apart.
"""

from collections.abc import Iterator, Sequence

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fullshot.curation.duplicates.fingerprint import blank
from fullshot.curation.duplicates.similarity import is_near_duplicate

EXACT_BELOW = 150_000
"""So many hashes are compared by FAISS each with each, in at most 10 s; more are looked up by quarters."""

MOST_FLIPS = 2
"""Bits of a quarter that are flipped to look a hash up."""

Hashes = NDArray[np.uint64]
Thumbnails = NDArray[np.uint8]
Pairs = NDArray[np.int64]

_QUARTERS = 4
_QUARTER_BITS = 16
_WANTED = 2_000_000  # candidates of one chunk of queries: about 100 MB
_FIRST_CHUNK = 256
_MOST_CHUNK = 65_536
_PAIRS_AT_ONCE = 20_000
_RELABEL_AFTER = 50_000


def find(hashes: Hashes, thumbnails: Thumbnails, radius: int, similarity: float) -> Pairs:
    """Pairs of near duplicates, as many as it takes to know the clusters.

    Pictures with one hash and one thumbnail are paired with the first of them only, and no pair is looked at whose
    pictures are known to be of one cluster: ten thousand copies give ten thousand pairs and not fifty million.
    A nearly blank picture has no duplicates but those with just its thumbnail.

    Args:
        hashes: uint64 (N,).
        thumbnails: uint8 (N, 1536); it may be mapped from disk: rows are read as they are needed.
        radius: bits of 64. Exact below 150,000 different hashes, and up to 11 bits for more; there, of pairs
            that differ by 12 random bits 97% are found, by 14 bits 82%.
        similarity: the least, in [0, 1]; 0: thumbnails are not compared.

    Returns:
        int64 (M, 2), rows of the pictures, the lower first, sorted. Which clusters they make depends on nothing but
        the pictures, in whatever order they come.

    Raises:
        ValueError: the arrays do not belong together.
    """
    if hashes.ndim != 1 or len(thumbnails) != len(hashes):
        raise ValueError(f"expected a thumbnail for each of {hashes.shape} hashes, got {len(thumbnails)}")
    kept, copies = _distinct(hashes, thumbnails)
    busy = kept[~_blank(thumbnails, kept)]
    found = [copies]
    labels = np.arange(len(busy), dtype=np.int64)
    fresh: list[Pairs] = []
    for pairs in _candidates(np.ascontiguousarray(hashes[busy]), radius):
        open_ = pairs[labels[pairs[:, 0]] != labels[pairs[:, 1]]]
        for start in range(0, len(open_), _PAIRS_AT_ONCE):
            some = open_[start : start + _PAIRS_AT_ONCE]
            rows = busy[some]
            fresh.append(some[is_near_duplicate(thumbnails[rows[:, 0]], thumbnails[rows[:, 1]], similarity)])
            if sum(map(len, fresh)) >= _RELABEL_AFTER:
                found.extend(busy[one] for one in fresh)
                labels = _merged(labels, fresh)
                fresh = []
    found.extend(busy[one] for one in fresh)
    every = np.sort(np.concatenate(found), axis=1)
    return np.unique(every, axis=0)


def clusters(count: int, pairs: Pairs) -> NDArray[np.int64]:
    """Clusters of pictures that pairs join, by union-find.

    Args:
        count: how many pictures there are.
        pairs: int64 (M, 2), rows of pictures.

    Returns:
        int64 (count,), for each picture the lowest row of its cluster: its own where it is alone.
    """
    if count == 0:
        return np.zeros(0, np.int64)
    graph = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    return np.asarray(first[labels], np.int64)


def best(
    labels: NDArray[np.int64],
    pixels: NDArray[np.int64],
    sharpness: NDArray[np.float64],
    image_ids: Sequence[str],
) -> NDArray[np.int64]:
    """Which picture stands for each cluster: the largest, then the sharpest, then the one with the lowest id.

    Args:
        labels: int64 (N,), one number a cluster.
        pixels: int64 (N,), width times height.
        sharpness: float (N,); NaN is less sharp than anything.
        image_ids: N of them.

    Returns:
        int64 (N,), for each picture the row of the one that stands for its cluster; that one's is its own.
    """
    if len(labels) == 0:
        return np.zeros(0, np.int64)
    order = np.lexsort((np.asarray(image_ids), -np.nan_to_num(sharpness, nan=-np.inf), -pixels, labels))
    in_order = labels[order]
    starts = np.r_[True, in_order[1:] != in_order[:-1]]
    chosen = np.empty(len(labels), np.int64)
    chosen[order] = order[starts][np.cumsum(starts) - 1]
    return chosen


def _distinct(hashes: Hashes, thumbnails: Thumbnails) -> tuple[NDArray[np.int64], Pairs]:
    """Rows with a hash and a thumbnail that no row before has; and for every other row a pair with the first one."""
    first: dict[bytes, int] = {}
    copies: list[tuple[int, int]] = []
    keep = np.ones(len(hashes), np.bool_)
    _, which, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    for row in np.flatnonzero(counts[which] > 1).tolist():
        key = hashes[row].tobytes() + thumbnails[row].tobytes()
        before = first.setdefault(key, row)
        if before != row:
            keep[row] = False
            copies.append((before, row))
    return np.flatnonzero(keep).astype(np.int64), np.array(copies, np.int64).reshape(-1, 2)


def _blank(thumbnails: Thumbnails, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    parts = (rows[start : start + _PAIRS_AT_ONCE] for start in range(0, len(rows), _PAIRS_AT_ONCE))
    return np.concatenate([np.zeros(0, np.bool_), *(blank(thumbnails[part]) for part in parts)])


def _merged(labels: NDArray[np.int64], pairs: Sequence[Pairs]) -> NDArray[np.int64]:
    return clusters(len(labels), labels[np.concatenate(pairs)])[labels]


def _candidates(hashes: Hashes, radius: int) -> Iterator[Pairs]:
    """All pairs of hashes within a radius, chunk by chunk; a pair is int64 (first, second), first lower."""
    if len(hashes) < 2:
        return
    codes, indexes = _indexes(hashes, radius)
    start, size = 0, _FIRST_CHUNK
    while start < len(hashes):
        stop = min(start + size, len(hashes))
        keys = []
        results = 1
        for code, index in zip(codes, indexes, strict=True):
            limits, _, found = index.range_search(code[start:stop], radius + 1)  # FAISS: less than
            results += len(found)
            ends = np.asarray(limits, np.int64)
            rows = np.repeat(np.arange(start, stop, dtype=np.int64), ends[1:] - ends[:-1])
            later = found > rows
            keys.append(rows[later] * len(hashes) + found[later])
        unique = np.unique(np.concatenate(keys)) if len(keys) > 1 else keys[0]
        yield np.stack(np.divmod(unique, len(hashes)), axis=1)
        size = int(np.clip((stop - start) * _WANTED // results, 1, _MOST_CHUNK))
        start = stop


def _indexes(hashes: Hashes, radius: int) -> tuple[list[Thumbnails], list[faiss.IndexBinary]]:
    """Indexes over the hashes, and the hashes as each of them wants them, uint8 (N, 8).

    Many hashes are looked up by quarters, a hash table for each: two hashes that differ by r bits differ by at most
    r // 4 in one of the quarters (multi-index hashing, Norouzi et al. 2012). A quarter takes every fourth bit, so
    that all have their share of the low frequencies, in which shop photos are much alike.
    """
    if len(hashes) < EXACT_BELOW:
        flat = faiss.IndexBinaryFlat(64)
        codes = hashes.view(np.uint8).reshape(-1, 8)
        flat.add(codes)
        return [codes], [flat]
    bits = np.unpackbits(hashes.view(np.uint8).reshape(-1, 8), axis=1).reshape(-1, _QUARTER_BITS, _QUARTERS)
    quartered = np.packbits(bits.transpose(0, 2, 1).reshape(-1, 64), axis=1)
    codes_of: list[NDArray[np.uint8]] = []
    indexes: list[faiss.IndexBinary] = []
    for quarter in range(_QUARTERS):
        codes = np.ascontiguousarray(np.roll(quartered, -quarter * _QUARTER_BITS // 8, axis=1))
        index = faiss.IndexBinaryHash(64, _QUARTER_BITS)
        index.nflip = min(_flips(radius)[quarter], MOST_FLIPS)
        index.add(codes)
        codes_of.append(codes)
        indexes.append(index)
    return codes_of, indexes


def _flips(radius: int) -> list[int]:
    """Bits to flip in each quarter: were all of them to differ by more, it would be more than the radius together."""
    return [max((radius - 3 + _QUARTERS - 1 - quarter) // _QUARTERS, 0) for quarter in range(_QUARTERS)]
