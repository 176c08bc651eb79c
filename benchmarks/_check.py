"""What a crawl left, against what there was to find."""

import csv
import hashlib
import http.client
import urllib.request
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks._common import Row

_TRIES = 4
_THREADS = 4


@dataclass(frozen=True)
class Truth:
    """What a perfect crawl finds: ids of products, and pairs of a product's id and a picture's address."""

    products: frozenset[str]
    pictures: frozenset[tuple[str, str]]


def truth_of(entries: Iterable[dict[str, Any]]) -> Truth:
    """The truth as the synthetic shop tells it."""
    listed = list(entries)
    pairs = frozenset((entry["product_id"], url) for entry in listed for url in entry["image_urls"])
    return Truth(frozenset(entry["product_id"] for entry in listed), pairs)


def truth_from(path: Path) -> Truth:
    """The truth in a CSV with the columns ``product_id`` and ``image_url``, a line a picture.

    Raises:
        SystemExit: a column is not there.
    """
    rows = _rows(path)
    missing = {"product_id", "image_url"} - set(rows[0] if rows else ())
    if missing:
        raise SystemExit(f"{path}: expected the columns product_id and image_url, got none named {', '.join(missing)}")
    pairs = frozenset((row["product_id"], row["image_url"]) for row in rows if row["image_url"])
    return Truth(frozenset(row["product_id"] for row in rows), pairs)


def compare(workspace: Path, truth: Truth) -> list[Row]:
    """Compare a workspace's tables and pictures with the truth; each picture is asked for once more for its bytes."""
    products = Counter(row["product_id"].partition(":")[2] for row in _rows(workspace / "products.csv"))
    images = _rows(workspace / "images.csv")
    pictures = Counter((row["product_id"].partition(":")[2], row["url"]) for row in images)
    files = {row["url"]: workspace / row["path"] for row in images}
    with ThreadPoolExecutor(_THREADS) as pool:
        states = Counter(pool.map(_state, files, files.values()))
    return [
        *_counts("products", products, truth.products),
        *_counts("pictures", pictures, truth.pictures),
        _none("pictures whose file is not there", states["not there"]),
        _none("pictures that do not decode", states["broken"]),
        _none("pictures whose bytes differ from the shop's", states["different"]),
        *([_none("pictures that could not be compared", states["unknown"])] if states["unknown"] else []),
    ]


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _counts(what: str, found: Counter[Any], expected: frozenset[Any]) -> list[Row]:
    right = sum(one in expected for one in found)
    return [
        Row(f"{what} found", right, len(expected), right / max(1, len(expected)), "all", right == len(expected)),
        _none(f"{what} missing", len(expected) - right),
        _none(f"{what} twice", sum(count > 1 for count in found.values())),
        _none(f"{what} that the shop does not have", len(found) - right),
    ]


def _none(figure: str, count: int) -> Row:
    return Row(figure, count, 0, None, "none", count == 0)


def _state(url: str, file: Path) -> str:
    if not file.is_file():
        return "not there"
    try:
        with Image.open(file) as picture:
            picture.load()
    except (OSError, SyntaxError):
        return "broken"
    for _ in range(_TRIES):
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - a shop's picture
                body = answer.read()
        except (OSError, http.client.HTTPException):
            continue
        return "good" if hashlib.sha256(body).digest() == hashlib.sha256(file.read_bytes()).digest() else "different"
    return "unknown"
