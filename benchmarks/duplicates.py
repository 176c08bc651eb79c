"""Planted duplicates among real pictures: how many are found, and how many of those found are none.

Of the pictures of a folder, copies are made: resized to 60%, encoded anew as JPEG with quality 40 to 60, with 3% cut
off each side, and made 1.2 to 1.3 times as bright; 500 each, in turns and with other parameters where there are fewer
pictures. Originals and copies are fingerprinted and clustered as `fullshot curate` does it.

Recall is the share of the planted (copy, original) pairs whose two are in one cluster. Precision is the share of the
pairs within clusters, every one of them, chained ones too, that are copies of one original. A shop has a picture twice
at times: two originals with the same pixels count as one from the start, and --same FILE names others, a line
"a.jpg b.jpg" each. Originals that are reported as one though nobody says they are the same are listed on stderr, for a
person to look at, and count as wrong, with all pairs of their copies.

The peer is the rule of imagededup, on the same hashes: 64-bit pHash, at most 10 bits apart, no second look.
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import _common
from benchmarks._common import Row
from fullshot.core.boxes import Picture
from fullshot.core.settings import CurateSettings
from fullshot.curation.duplicates.clusters import label_clusters
from fullshot.curation.duplicates.fingerprint import fingerprint
from fullshot.curation.duplicates.search import find_pairs

EACH = 500
KINDS = ("resized", "encoded", "cropped", "brightened")
PEER_RADIUS = 10
LEAST_RECALL = 0.95
LEAST_PRECISION = 0.99

_LONGEST = 1000  # pixels; curation reads pictures reduced to about that
_CROP = 0.03
_QUALITY = 90


def read(path: Path) -> Picture | None:
    """A picture, RGB, its longer side at most 1,000 pixels; None: it cannot be read."""
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        return None
    height, width = found.shape[:2]
    share = min(1.0, _LONGEST / max(height, width))
    reduced = cv2.resize(found, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(reduced, cv2.COLOR_BGR2RGB), np.uint8)


def copy(picture: Picture, kind: str, random: np.random.Generator) -> Picture:
    """A copy of a picture, as it comes out of a JPEG."""
    height, width = picture.shape[:2]
    quality = _QUALITY
    if kind == "resized":
        size = (round(width * 0.6), round(height * 0.6))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    elif kind == "encoded":
        quality = int(random.integers(40, 61))
    elif kind == "cropped":
        rows, columns = round(height * _CROP), round(width * _CROP)
        picture = picture[rows : height - rows, columns : width - columns]
    else:
        picture = np.clip(picture * random.uniform(1.2, 1.3), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(np.asarray(data, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise SystemExit("a copy cannot be read")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def pictures(folder: Path) -> Iterator[tuple[str, Picture]]:
    """Name and pixels of every picture of a folder that can be read."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        picture = read(path)
        if picture is not None:
            yield str(path.relative_to(folder)), picture


def known_same(file: Path | None, names: list[str], digests: list[str]) -> NDArray[np.int64]:
    """For each original the lowest row of the originals that are the same picture."""
    first: dict[str, int] = {}
    pairs = [(first.setdefault(digest, row), row) for row, digest in enumerate(digests)]
    if file is not None:
        rows = {name: row for row, name in enumerate(names)}
        lines = [line.split() for line in file.read_text("utf-8").splitlines() if line.strip()]
        pairs += [(rows[line[0]], rows[line[1]]) for line in lines]
    return label_clusters(len(names), np.array(pairs, np.int64).reshape(-1, 2))


def within(labels: NDArray[np.int64], truth: NDArray[np.int64]) -> tuple[int, int]:
    """Pairs of rows that share a label; those of them that share the truth too."""

    def pairs(counts: Counter[object]) -> int:
        return sum(count * (count - 1) // 2 for count in counts.values())

    return pairs(Counter(labels.tolist())), pairs(Counter(zip(labels.tolist(), truth.tolist(), strict=True)))


def peer_pairs(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pairs of hashes at most 10 bits apart."""
    near = np.bitwise_count(hashes[:, None] ^ hashes[None]) <= PEER_RADIUS
    return np.argwhere(np.triu(near, 1)).astype(np.int64)


def measure(folder: Path, same: Path | None, each: int, settings: CurateSettings, seed: int = 1) -> list[Row]:
    """Plant, find, count.

    Raises:
        SystemExit: the folder has no pictures.
    """
    random = np.random.default_rng(seed)
    originals = list(pictures(folder))
    if not originals:
        raise SystemExit(f"expected pictures in {folder}, got none")
    _common.say(f"{len(originals)} pictures, {each} copies of each of {len(KINDS)} kinds")
    names = [name for name, _ in originals]
    digests = [hashlib.sha256(picture.tobytes()).hexdigest() for _, picture in originals]
    prints = [fingerprint(picture) for _, picture in originals]
    source = list(range(len(originals)))
    for kind in KINDS:
        for number in range(each):
            row = number % len(originals)
            prints.append(fingerprint(copy(originals[row][1], kind, random)))
            source.append(row)
    hashes = np.array([one.phash for one in prints], np.uint64)
    thumbnails = np.array([one.thumbnail for one in prints])
    of = np.array(source)
    truth = known_same(same, names, digests)[of]
    found = find_pairs(hashes, thumbnails, settings.duplicate_radius, settings.duplicate_similarity)
    labels = label_clusters(len(of), found)
    _list_unknown(names, labels, truth)
    near = peer_pairs(hashes)
    planted = np.arange(len(names), len(of))
    theirs = set(map(tuple, near.tolist()))
    rows = []
    for number, kind in enumerate(KINDS):
        copies = planted[number * each : (number + 1) * each]
        ours = float(np.mean(labels[copies] == labels[of[copies]]))
        peer = float(np.mean([(int(of[copy]), int(copy)) in theirs for copy in copies]))
        rows.append(_row(f"recall, {kind}", ours, peer, LEAST_RECALL))
    ours = float(np.mean(labels[planted] == labels[of[planted]]))
    peer = float(np.mean([(int(of[copy]), int(copy)) in theirs for copy in planted]))
    rows.append(_row("recall", ours, peer, LEAST_RECALL))
    reported, right = within(labels, truth)
    peer_right = int(np.sum(truth[near[:, 0]] == truth[near[:, 1]]))
    rows.append(_row("precision", right / max(reported, 1), peer_right / max(len(near), 1), LEAST_PRECISION))
    rows.append(Row("reported pairs", reported, len(near)))
    chained, chained_right = within(label_clusters(len(of), near), truth)
    rows.append(Row("precision within the peer's clusters", "", chained_right / max(chained, 1)))
    first = label_clusters(len(names), found[(found < len(names)).all(axis=1)])
    rows.append(Row("originals that are copies of another", int(np.sum(first != np.arange(len(names))))))
    return rows


def _row(figure: str, ours: float, peer: float, least: float) -> Row:
    return Row(figure, ours, peer, ours / peer if peer else None, f"≥ {least}", ours >= least)


def _list_unknown(names: list[str], labels: NDArray[np.int64], truth: NDArray[np.int64]) -> None:
    of_label: dict[int, dict[int, str]] = {}
    for row, name in enumerate(names):
        of_label.setdefault(int(labels[row]), {}).setdefault(int(truth[row]), name)
    for different in of_label.values():
        if len(different) > 1:
            _common.say(f"reported as one picture: {' '.join(different.values())}")


def parser() -> argparse.ArgumentParser:
    """The script's flags."""
    defaults = CurateSettings()
    made = _common.parser_of(__doc__)
    made.add_argument("--pictures", type=Path, required=True, metavar="FOLDER", help="pictures to plant copies of")
    made.add_argument("--same", type=Path, metavar="FILE", help="originals that are the same picture, two names a line")
    made.add_argument("--each", type=int, default=EACH, help=f"copies of each kind; default: {EACH}")
    made.add_argument("--seed", type=int, default=1, help="of the copies' parameters; default: 1")
    made.add_argument("--radius", type=int, default=defaults.duplicate_radius, help="default: the settings'")
    made.add_argument("--similarity", type=float, default=defaults.duplicate_similarity, help="default: the settings'")
    return made


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    given = parser().parse_args(arguments)
    settings = CurateSettings(duplicate_radius=given.radius, duplicate_similarity=given.similarity)
    rows = measure(given.pictures, given.same, given.each, settings, given.seed)
    _common.show("Planted duplicates", rows, as_json=given.as_json, peer="pHash, 10 bits")


if __name__ == "__main__":
    main()
