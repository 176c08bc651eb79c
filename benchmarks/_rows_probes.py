"""Parts of commands that read rows, run alone where the whole command would need pictures, a shop or a training.

``python -m benchmarks._rows_probes NAME WORKSPACE`` runs one; :mod:`benchmarks.rows_memory` measures its process.
"""

import itertools
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from fullshot.core.workspace import Workspace

MERGE = "crawl's merge"

_AT_ONCE = 10_000
_FOUND = '{"kind": "product", "product": %s, "images": %s, "boxes": [], "url": %s}'
_SEEN = "2026-11-20T10:00:00Z"
_PRODUCT_COLUMNS = (
    "product_id, url, name, brand, gender, product_type, wear, colour, price, mrp, currency, rating, rating_count, "
    "sizes, in_stock, parser, style"
)


def write_crawl(root: Path) -> None:
    """Write the state of a crawl that found every product and picture of the tables, as ``crawl.db`` holds it."""
    from fullshot.crawler.state import FILE, CrawlState

    with CrawlState(root / FILE):
        pass  # it makes the tables
    with duckdb.connect(config={"memory_limit": "1GB"}) as tables, sqlite3.connect(root / FILE) as state:
        state.execute("PRAGMA synchronous = OFF")
        images = f"read_csv('{root / 'images.csv'}', all_varchar = true)"
        products = f"read_csv('{root / 'products.csv'}', all_varchar = true)"
        pictures = tables.execute(
            f"SELECT url, image_id, path, width::INT, height::INT, bytes::INT, fetched_at, NULL, NULL FROM {images}"
        )
        for part in _parts(pictures):
            state.executemany("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", part)
        row = ", ".join(map(_typed, _PRODUCT_COLUMNS.split(", ")))
        found = tables.execute(
            f"SELECT product_id, products.url, to_json(struct_pack({row})), shown FROM {products} AS products "
            "JOIN (SELECT product_id, to_json(list(struct_pack(url := url, position := position::INT, view := view)))"
            f" AS shown FROM {images} GROUP BY product_id) USING (product_id)"
        )
        for part in _parts(found):
            rows = [(product, url, _FOUND % (row, shown, json.dumps(url)), _SEEN) for product, url, row, shown in part]
            state.executemany("INSERT INTO products VALUES (?, ?, ?, ?)", rows)
            pages = [(url, product) for product, url, *_ in part]
            state.executemany("INSERT INTO pages VALUES (?, ?, NULL, NULL)", pages)


def _typed(column: str) -> str:
    kinds = {"price": "DOUBLE", "mrp": "DOUBLE", "rating": "DOUBLE", "rating_count": "INT", "in_stock": "BOOLEAN"}
    return f"{column} := {column}::{kinds[column]}" if column in kinds else f"{column} := {column}"


def _parts(found: Any) -> Iterator[list[tuple[Any, ...]]]:
    return itertools.takewhile(bool, iter(lambda: found.fetchmany(_AT_ONCE), None))


def merge_crawl(root: Path) -> None:
    """The crawl's last step: what it found goes into the tables."""
    from fullshot.crawler.merge import merge
    from fullshot.crawler.state import FILE, CrawlState

    with CrawlState(root / FILE) as state, Workspace(root).open() as data:
        print(json.dumps(merge(data, state)))


def detector_data(root: Path) -> None:
    """What `train detector` does before its first epoch, without the folder that Ultralytics reads."""
    from fullshot.core import leakage
    from fullshot.core.taxonomy import GARMENTS
    from fullshot.train.detector.checks import check_data
    from fullshot.train.detector.data import WANTED, choose_boxes, counts, read_data

    workspace = Workspace(root)
    with workspace.open(WANTED) as data:
        leakage.refuse(data)
        chosen = choose_boxes(data, GARMENTS)
        check_data(data)
    found, boxes, unreadable = read_data(workspace, chosen, GARMENTS)
    print(
        json.dumps(
            {"counts": counts(boxes, GARMENTS), "splits": {name: len(each) for name, each in found.splits.items()}}
        )
    )
    if unreadable:
        raise SystemExit(f"{len(unreadable)} pictures are said to be unreadable")


def embedder_examples(root: Path) -> None:
    """What `train embedder` does before its first epoch, without the crops, which need pictures."""
    from fullshot.core import leakage
    from fullshot.core.settings import load
    from fullshot.train import digests
    from fullshot.train.embedder.crops import keys_of
    from fullshot.train.embedder.dataset import EXAMPLES, WANTED, create_training_examples, training_examples

    with Workspace(root).open(WANTED) as data:
        create_training_examples(data)
        leakage.refuse(data)
        digest = digests.rows_digest(digests.rows_of(data, [EXAMPLES]), load().embedder, {})
        examples = training_examples(data)
    print(json.dumps({"keys": len(keys_of(examples)), "digest": digest}))


PROBES = {
    MERGE: merge_crawl,
    "detector data": detector_data,
    "embedder examples": embedder_examples,
}


def main(arguments: list[str]) -> None:
    """Run one."""
    PROBES[arguments[0]](Path(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
