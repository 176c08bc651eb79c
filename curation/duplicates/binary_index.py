"""Pairs of hashes that differ by few bits, by FAISS's binary indexes: the only module here that knows FAISS."""

from collections.abc import Iterator

import faiss
import numpy as np
from numpy.typing import NDArray

EXACT_BELOW = 150_000
"""So many hashes are compared by FAISS each with each, in at most 10 s; more are looked up by quarters."""

MOST_FLIPS = 2
"""Bits of a quarter that are flipped to look a hash up."""

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]

_QUARTERS = 4
_QUARTER_BITS = 16
_WANTED = 2_000_000  # candidates of one chunk of queries: about 100 MB
_FIRST_CHUNK = 256
_MOST_CHUNK = 65_536


def candidate_pairs(hashes: Hashes, radius: int) -> Iterator[Pairs]:
    """All pairs of hashes within a radius, chunk by chunk.

    Args:
        hashes: shape (N,), uint64, contiguous.
        radius: bits of 64 by which two hashes may differ. Exact below :data:`EXACT_BELOW` hashes, and up to 11 bits for
            more; there, of pairs that differ by 12 random bits 97% are found, by 14 bits 82%.

    Yields:
        Shape (M, 2), int64: rows of hashes, the lower first.
    """
    if len(hashes) < 2:
        return
    codes, indexes = _indexes(hashes, radius)
    start, size = 0, _FIRST_CHUNK
    while start < len(hashes):
        stop = min(start + size, len(hashes))
        keys = []
        results = 1
        for code, index in zip(codes, indexes, strict=True):
            limits, _, neighbours = index.range_search(code[start:stop], radius + 1)  # FAISS: less than
            results += len(neighbours)
            ends = np.asarray(limits, np.int64)
            rows = np.repeat(np.arange(start, stop, dtype=np.int64), ends[1:] - ends[:-1])
            later = neighbours > rows
            keys.append(rows[later] * len(hashes) + neighbours[later])
        unique = np.unique(np.concatenate(keys)) if len(keys) > 1 else keys[0]
        yield np.stack(np.divmod(unique, len(hashes)), axis=1)
        size = int(np.clip((stop - start) * _WANTED // results, 1, _MOST_CHUNK))
        start = stop


def _indexes(hashes: Hashes, radius: int) -> tuple[list[NDArray[np.uint8]], list[faiss.IndexBinary]]:
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
    quartered = np.empty((len(hashes), 8), np.uint8)
    for start in range(0, len(hashes), _MOST_CHUNK):  # a bit is a byte meanwhile
        some = hashes[start : start + _MOST_CHUNK].view(np.uint8).reshape(-1, 8)
        bits = np.unpackbits(some, axis=1).reshape(-1, _QUARTER_BITS, _QUARTERS)
        quartered[start : start + _MOST_CHUNK] = np.packbits(bits.transpose(0, 2, 1).reshape(-1, 64), axis=1)
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
