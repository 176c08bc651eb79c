"""The photo studio of the built-in shop: people and garments, drawn, with a box round every garment worn.

The same seed gives the same shop, byte for byte; a picture depends on nothing but the seed and itself, so pictures
may be drawn in any order and in any process.

    >>> studio = open_studio(seed=7)
    >>> jpeg, boxes = draw(studio, studio.pictures[-1])
    >>> boxes = draw_all(studio, Path("shop"))
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from fullshot.core.engines import map_shards
from fullshot.core.files import write_bytes
from fullshot.demo.shop.assortment import COLLECTIONS, shoot, stock
from fullshot.demo.shop.records import Box, Picture, Product, Studio

__all__ = ["Box", "Picture", "Product", "Studio", "draw", "draw_all", "open_studio"]

# Part of what a finished folder is checked against: raise it when drawings change.
DRAWING = 6

# Which shop a folder holds, and its boxes.
RECORD = "boxes.json"

# Pictures handed to a process at a time: enough to hide the hand-over, few enough for a lively progress bar.
_CHUNK = 8


@lru_cache(maxsize=4)
def open_studio(seed: int = 7, collections: int = COLLECTIONS) -> Studio:
    """Plan the shop; nothing is drawn yet.

    Args:
        seed: Decides everything.
        collections: How many of the 38 collections; fewer make a small shop that is the beginning of the large one.

    Raises:
        ValueError: If `collections` is not between 1 and 38.
    """
    if not 1 <= collections <= COLLECTIONS:
        raise ValueError(f"collections must be between 1 and {COLLECTIONS}, but got {collections}")
    products = stock(seed, collections)
    return Studio(seed, products, shoot(products))


def draw(studio: Studio, picture: Picture) -> tuple[bytes, tuple[Box, ...]]:
    """Draw one picture.

    Returns:
        JPEG bytes, and the tight box of each garment worn (pixels, x_min, y_min, x_max, y_max): all garments of a
        outfit image; in a worn picture the product's own first, then what else is well in view; none on a product alone.
    """
    from fullshot.demo.shop.camera import take

    return take(studio, picture)


def draw_all(
    studio: Studio, folder: Path, processes: int | None = None, progress: Callable[[int, int], None] | None = None
) -> dict[str, tuple[Box, ...]]:
    """Draw every picture into `folder`; what is there and complete stays.

    Args:
        studio: The shop.
        folder: Gets `<name>` for each picture and, last, `boxes.json`.
        processes: How many at once; None: one a core.
        progress: Called with (done, all) now and then.

    Returns:
        Boxes by picture name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = len(studio.pictures)
    drawn = _read_drawn(studio, folder)
    todo = [i for i, picture in enumerate(studio.pictures) if drawn.get(picture.name) is None]
    if progress:
        progress(total - len(todo), total)
    if not todo:
        return {picture.name: drawn[picture.name] or () for picture in studio.pictures}
    # Says whose pictures these are before the first is drawn, so that a run cut short can be gone on with.
    _record(studio, folder, drawn)
    boxes = dict(drawn)
    chunks = [tuple(todo[i : i + _CHUNK]) for i in range(0, len(todo), _CHUNK)]
    for names in _draw_chunks(studio, folder, chunks, processes or 0, set(drawn)):
        boxes.update(names)
        if progress:
            progress(sum(of_picture is not None for of_picture in boxes.values()), total)
    _record(studio, folder, boxes)
    return {picture.name: boxes[picture.name] or () for picture in studio.pictures}


_Boxes = dict[str, tuple[Box, ...] | None]


def _draw_chunks(
    studio: Studio, folder: Path, chunks: list[tuple[int, ...]], processes: int, have: set[str]
) -> Iterator[_Boxes]:
    """Draw chunk after chunk, here or in `processes`."""
    shop = (studio.seed, 1 + max(p.collection for p in studio.products), str(folder))
    jobs = [[(shop, chunk, frozenset(studio.pictures[i].name for i in chunk) & have)] for chunk in chunks]
    for _, boxes in map_shards(_draw_chunk, jobs, processes):
        yield boxes


_Job = tuple[tuple[int, int, str], tuple[int, ...], frozenset[str]]


def _draw_chunk(jobs: Sequence[_Job]) -> _Boxes:
    """Draw the pictures with these numbers; of those in the folder already, find the boxes only."""
    [((seed, collections, folder), numbers, have)] = jobs
    studio = open_studio(seed, collections)
    boxes: _Boxes = {}
    for i in numbers:
        picture = studio.pictures[i]
        if picture.name in have:
            from fullshot.demo.shop.camera import measure

            boxes[picture.name] = measure(studio, picture)
            continue
        jpeg, boxes[picture.name] = draw(studio, picture)
        write_bytes(Path(folder) / picture.name, jpeg)
    return boxes


def _read_drawn(studio: Studio, folder: Path) -> _Boxes:
    """Pictures of this shop that are in the folder, with their boxes, or None where those are not recorded yet."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if [record["drawing"], record["seed"]] != [DRAWING, studio.seed]:
            return {}
        boxes: dict[str, tuple[Box, ...]] = {
            name: tuple(Box(**box) for box in rows) for name, rows in record["boxes"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    with os.scandir(folder) as entries:
        complete = {entry.name for entry in entries if entry.is_file() and entry.stat().st_size}
    return {p.name: boxes.get(p.name) for p in studio.pictures if p.name in complete}


def _record(studio: Studio, folder: Path, boxes: _Boxes) -> None:
    """Write which shop the folder holds and the boxes drawn so far."""
    drawn = {p.name: [asdict(b) for b in boxes[p.name] or ()] for p in studio.pictures if boxes.get(p.name) is not None}
    text = json.dumps({"drawing": DRAWING, "seed": studio.seed, "boxes": drawn})
    write_bytes(folder / RECORD, text.encode())
