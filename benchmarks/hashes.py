"""Near duplicates among a million hashes: how long, how much memory, how many of those planted are found.

Two sets of hashes. *random*: every bit by lot. *shop*: as alike as a shop's are: of each bit of a 64-bit pHash it is
known how often it is set in photos on a white ground (0.1 to 1 for the lowest frequencies, about 0.5 for the
others), and bits are drawn by those chances; hashes of one kind of garment resemble each other. In both, one row in
ten is a near duplicate of an earlier row, 0 to 10 bits away. Thumbnails play no part: similarity 0. They would cost
1.5 kB a picture, and time for each candidate (`benchmarks.duplicates`).

Each set is measured in a process of its own, so that its peak of memory is its own; time is that of finding pairs and
of clustering, on all cores. The peer is FAISS's flat binary index, which compares every hash with every other: its
range search is timed for 2,000 queries against all hashes and multiplied by hashes over queries.
"""

import json
import resource
import subprocess
import sys
import time

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks import _common
from benchmarks._common import Row
from fullshot.core.settings import CurateSettings
from fullshot.curation.duplicates.clusters import label_clusters
from fullshot.curation.duplicates.fingerprint import THUMBNAIL_BYTES
from fullshot.curation.duplicates.search import find_pairs

COUNT = 1_000_000
PLANTED_SHARE = 0.1
MOST_BITS = 10
MOST_SECONDS = 120.0
MOST_GIBIBYTES = 2.0
LEAST_RECALL = 0.95

_PEER_QUERIES = 2000
_GIBIBYTE = 2**20  # of the kibibytes that the system counts in
_LOW = np.array(
    [
        [1.00, 0.35, 1.00, 0.55],
        [0.77, 0.43, 0.19, 0.54],
        [0.82, 0.52, 0.24, 0.47],
        [0.46, 0.63, 0.58, 0.36],
    ]
)
"""How often the lowest frequencies' bits are set: in 420 photos of Myntra."""


def random_hashes(count: int, random: np.random.Generator) -> NDArray[np.uint64]:
    """Hashes with every bit by lot."""
    return random.integers(0, 2**64, count, dtype=np.uint64)


def shop_hashes(count: int, random: np.random.Generator) -> NDArray[np.uint64]:
    """Hashes whose bits are set as often as in photos of a shop."""
    chances = np.full((8, 8), 0.5)
    chances[:4, :4] = _LOW
    bits = random.random((count, 64), dtype=np.float32) < chances.reshape(-1)
    return np.packbits(bits, axis=1).view(np.uint64).reshape(-1)


HEAPS = {"random": random_hashes, "shop": shop_hashes}


def planted(
    hashes: NDArray[np.uint64], random: np.random.Generator
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """The hashes, some replaced by near duplicates; rows of those, and of what each is a duplicate of."""
    count = len(hashes)
    copies = int(count * PLANTED_SHARE)
    rows = np.arange(count - copies, count)
    of = random.integers(0, count - copies, copies)
    bits = random.integers(0, MOST_BITS + 1, copies)
    order = np.argsort(random.random((copies, 64), dtype=np.float32), axis=1).astype(np.uint64)
    flips = np.where(np.arange(64) < bits[:, None], np.uint64(1) << order, np.uint64(0))
    hashes[rows] = hashes[of] ^ np.bitwise_xor.reduce(flips, axis=1)
    return hashes, rows, of


def one_heap(name: str, count: int, radius: int) -> dict[str, float]:
    """Find near duplicates in one heap, in this process; seconds, GiB and share of the planted that were found."""
    random = np.random.default_rng(1)
    hashes, rows, of = planted(HEAPS[name](count, random), random)
    varied = np.resize(np.array([0, 255], np.uint8), THUMBNAIL_BYTES)
    thumbnails = np.broadcast_to(varied, (count, THUMBNAIL_BYTES))
    started = time.perf_counter()
    pairs = find_pairs(hashes, thumbnails, radius, 0.0)
    labels = label_clusters(count, pairs)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _GIBIBYTE
    index = faiss.IndexBinaryFlat(64)
    codes = hashes.view(np.uint8).reshape(-1, 8)
    index.add(codes)
    queries = min(_PEER_QUERIES, count)
    started = time.perf_counter()
    index.range_search(codes[:queries], radius + 1)
    peer = (time.perf_counter() - started) * count / queries
    recall = float(np.mean(labels[rows] == labels[of]))
    return {"seconds": seconds, "peer": peer, "peak": peak, "recall": recall, "pairs": len(pairs)}


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help=f"hashes; default: {COUNT:,}")
    radius = CurateSettings().duplicate_radius
    parser.add_argument("--radius", type=int, default=radius, help="bits; default: the settings'")
    parser.add_argument("--heap", choices=HEAPS, help="only this one, in this process; prints what it measured")
    given = parser.parse_args(arguments)
    if given.heap:
        print(json.dumps(one_heap(given.heap, given.count, given.radius)))
        return
    rows = []
    for name in HEAPS:
        _common.say(f"{given.count:,} hashes, {name}")
        flags = ["--heap", name, "--count", str(given.count), "--radius", str(given.radius)]
        command = [sys.executable, "-m", "benchmarks.hashes", *flags]
        done = subprocess.run(command, cwd=_common.ROOT, stdout=subprocess.PIPE, check=True, text=True)
        found = json.loads(done.stdout)
        seconds, peak, recall = found["seconds"], found["peak"], found["recall"]
        ratio = seconds / found["peer"]
        good = seconds <= MOST_SECONDS
        rows.append(Row(f"{name}: seconds", seconds, found["peer"], ratio, f"≤ {MOST_SECONDS:.0f} s", good))
        good = peak <= MOST_GIBIBYTES
        rows.append(Row(f"{name}: peak, GiB", peak, None, None, f"≤ {MOST_GIBIBYTES:.0f} GiB", good))
        rows.append(Row(f"{name}: planted found", recall, None, None, f"≥ {LEAST_RECALL}", recall >= LEAST_RECALL))
        rows.append(Row(f"{name}: pairs", int(found["pairs"])))
    _common.show(f"{given.count:,} hashes", rows, as_json=given.as_json, peer="flat index")


if __name__ == "__main__":
    main()
