"""What the tables that stages hand on look like: their columns, and what each may hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fullshot.core.taxonomy import GARMENTS, Gender, Wear

EXPORTS = "exports"
"""The folder of a workspace in which exported tables lie."""

PARQUETS = "tables"
"""The folder of Parquet files, in a workspace."""

SPLITS = ("train", "val", "test")
SOURCES = ("human", "model", "shop", "import")
SHOTS = ("full", "half", "item", "unclear")
ANNOTATIONS = ("boxes", "not_full_shot", "skipped")

Kind = Literal["text", "whole", "number", "boolean"]

_SHA256 = "[0-9a-f]{64}"
_DAY = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"


@dataclass(frozen=True)
class Column:
    """What a column may hold.

    Attributes:
        kind: of its values.
        empty: whether a cell may be empty.
        unique: whether a value may stand in one row only.
        one_of: the only values that there are; empty: any.
        pattern: a regular expression that a whole cell matches; empty: any.
        least: the least number; None: any.
        words: what a cell is expected to be, where it is not one of these.
    """

    kind: Kind
    empty: bool = True
    unique: bool = False
    one_of: tuple[str, ...] = ()
    pattern: str = ""
    least: float | None = None
    words: str = ""


@dataclass(frozen=True)
class Schema:
    """What a table may hold; it may have further columns.

    Attributes:
        columns: by name, in their order.
        unique: columns whose values stand together in one row only.
        holds: what holds in every row: a condition in SQL, which people read as well.
    """

    columns: Mapping[str, Column]
    unique: tuple[str, ...] = ()
    holds: tuple[str, ...] = field(default=())


def _text(*, empty: bool = True, unique: bool = False) -> Column:
    return Column("text", empty, unique)


def _one_of(names: Iterable[str], *, empty: bool = False) -> Column:
    words = tuple(str(name) for name in names)
    return Column("text", empty, one_of=words, words="one of " + ", ".join(words))


def _image_id(*, unique: bool = False, empty: bool = False) -> Column:
    return Column("text", empty, unique, pattern=_SHA256, words="a sha256 in 64 hexadecimal digits")


def _number(*, least: float | None = None, empty: bool = True) -> Column:
    return Column("number", empty, least=least, words="" if least is None else f"a number of at least {least:g}")


def _count(*, empty: bool = True) -> Column:
    return Column("whole", empty, least=0, words="a whole number of at least 0")


_TIME = rf"{_DAY}([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"


def _time() -> Column:
    return Column("text", pattern=_TIME, words="a time as ISO 8601 writes it, such as 2026-11-02T09:30:00Z")


def _currency() -> Column:
    return Column("text", pattern="[A-Z]{3}", words="three capital letters as ISO 4217 has them, such as EUR")


def _boolean() -> Column:
    return Column("boolean")


_LABELLED = {
    "image_path": _text(empty=False),
    "label": _count(empty=False),
    "product_type": _text(),
    "link": _text(),
}

_BY_GENDER_AND_WEAR = tuple(f"{gender}_{wear}" for gender in ("men", "women") for wear in ("top", "bottom", "foot"))

SCHEMAS: dict[str, Schema] = {
    "products": Schema(
        {
            "product_id": _text(empty=False, unique=True),
            "url": _text(),
            "name": _text(),
            "brand": _text(),
            "gender": _one_of(Gender),
            "product_type": _text(),
            "wear": _one_of(Wear, empty=True),
            "colour": _text(),
            "price": _number(least=0),
            "mrp": _number(least=0),
            "currency": _currency(),
            "rating": _number(least=0),
            "rating_count": _count(),
            "sizes": _text(),
            "in_stock": _boolean(),
            "fetched_at": _time(),
            "parser": _text(),
            "first_seen": _time(),
            "last_seen": _time(),
            "gone_at": _time(),
            "style": _text(),
        }
    ),
    "images": Schema(
        {
            "image_id": _image_id(),
            "product_id": _text(empty=False),
            "position": _count(),
            "view": _text(),
            "url": _text(),
            "path": _text(empty=False),
            "width": _count(empty=False),
            "height": _count(empty=False),
            "bytes": _count(empty=False),
            "fetched_at": _time(),
        },
        unique=("image_id", "product_id"),
    ),
    "failures": Schema(
        {
            "url": _text(empty=False),
            "kind": _text(empty=False),
            "class": _text(empty=False),
            "message": _text(),
            "failed_at": _time(),
            "page": _text(),
        }
    ),
    "ledger": Schema(
        {
            "host": _text(empty=False, unique=True),
            "robots": _text(),
            "crawl_delay": _number(least=0),
            "delay": _number(least=0),
            "requests": _count(),
            "bytes": _count(),
            "retries": _count(),
            "status_429": _count(),
            "status_503": _count(),
            "blocked": _count(),
            "failures": _count(),
            "paused": _number(least=0),
            "renderer": _text(),
            "first_request_at": _time(),
            "last_request_at": _time(),
        }
    ),
    "curated": Schema(
        {
            "image_id": _image_id(unique=True),
            "full_shot": _boolean(),
            "shot_score": _number(least=0),
            "shot_reason": _text(),
            "issues": _text(),
            "duplicate_of": _image_id(empty=True),
            "cluster": _text(),
            "split": _one_of(SPLITS),
            "shot": _one_of(SHOTS, empty=True),
            "keep": _boolean(),
            "machine_shot": _one_of(SHOTS, empty=True),
        }
    ),
    "verdicts": Schema(
        {
            "image_id": _image_id(unique=True),
            "shot": _one_of(SHOTS, empty=True),
            "keep": _boolean(),
            "note": _text(),
            "annotator": _text(),
            "judged_at": _time(),
        }
    ),
    "annotations": Schema(
        {
            "image_id": _image_id(),
            "revision": _count(empty=False),
            "annotator": _text(),
            "verdict": _one_of(ANNOTATIONS),
            "shot": _one_of(SHOTS, empty=True),
            "boxes": _count(empty=False),
            "comment": _text(),
            "seconds": _number(least=0),
            "model": _text(),
            "project": _text(),
            "task": _count(),
            "annotation": _count(),
            "updated_at": _time(),
            "mean_iou": _number(least=0),
            "added": _count(),
            "deleted": _count(),
            "relabelled": _count(),
        },
        unique=("image_id", "revision"),
    ),
    "boxes": Schema(
        {
            "image_id": _image_id(),
            "label": _one_of(GARMENTS),
            "x_min": _number(empty=False),
            "y_min": _number(empty=False),
            "x_max": _number(empty=False),
            "y_max": _number(empty=False),
            "source": _one_of(SOURCES),
            "annotator": _text(),
            "score": _number(least=0),
            "model": _text(),
            "revision": _count(),
            "updated_at": _time(),
            "product_id": _text(),
            "product_type": _text(),
        },
        holds=("x_min < x_max and y_min < y_max",),
    ),
    "dataset1": Schema(
        {
            "image_path": _text(empty=False),
            "product_type": _text(),
            "wear": _one_of(Wear, empty=True),
            "full_shot": _boolean(),
        }
    ),
    "dataset2": Schema(_LABELLED),
    "queue": Schema(
        {
            "image_id": _image_id(unique=True),
            "image_path": _text(empty=False),
            "shot_score": _number(least=0),
            "shot_reason": _text(),
        }
    ),
    "priorities": Schema(
        {
            "image_id": _image_id(unique=True),
            "priority": _number(least=0, empty=False),
            "reason": _text(),
            "uncertainty": _number(least=0),
            "diversity": _number(least=0),
            "rarity": _number(least=0),
        }
    ),
    "splits": Schema({"image_id": _image_id(unique=True), "split": _one_of(SPLITS)}),
    "labels": Schema({"label": _count(empty=False), "product_id": _text(empty=False, unique=True)}),
    **dict.fromkeys(_BY_GENDER_AND_WEAR, Schema(_LABELLED)),
}
"""A table's name and its schema. ``boxes.product_id`` is the product worn in the box,
and ``product_type`` what it is, where that is known; the delays
and ``ledger.paused`` are in seconds; ``products.style`` is the same for all colours of a product, and one of their
``product_id``, or another name. ``verdicts`` is a person's: a shot, and whether to keep the picture, where either
is not empty, outweighs what ``curated`` would say. ``queue`` is what waits for one. ``annotations`` has a
row for each time that a person said what is to be seen in a picture, ``boxes`` those that they drew, by the same
``revision``; ``shot`` is of a picture that they said to be no full shot, ``model`` the version of the detector whose
boxes they began with, ``task`` and ``annotation`` are Label Studio's numbers in a ``project``, and the last four say
how much of the detector's boxes was changed. ``priorities`` says what to annotate next, the greatest first. ``splits``
has the split of every picture that ever had one."""

MAY_LACK = {
    "verdicts": frozenset({"shot", "keep", "note", "annotator", "judged_at"}),
    "products": frozenset({"first_seen", "last_seen", "gone_at", "style"}),
    "curated": frozenset({"shot", "keep", "machine_shot"}),
    "boxes": frozenset({"product_type"}),
}
"""Columns that a file may lack, then each of their cells is "not known": those that a file written by version 0.1 does
not have, and of ``verdicts``, which people write by hand, all but the picture."""

MADE_ANEW = frozenset({"curated", "splits", "dataset1", "dataset2", "queue", "priorities", *_BY_GENDER_AND_WEAR})
"""Tables of which a command makes every row anew: what a person changed there does not last."""

MADE_BY = {
    "products": "crawl",
    "images": "crawl",
    "failures": "crawl",
    "ledger": "crawl",
    "curated": "curate",
    "boxes": "boxes import",
    "annotations": "annotate pull",
    "priorities": "annotate queue",
    "dataset1": "curate",
    "dataset2": "curate",
    **dict.fromkeys(_BY_GENDER_AND_WEAR, "curate"),
    "labels": "curate",
    "queue": "curate",
    "splits": "curate",
}
"""Which command makes a table that a later stage may miss."""


def columns(name: str) -> list[str]:
    """The columns of a table, in order."""
    return list(SCHEMAS[name].columns)


def parquet_of(csv_file: Path) -> Path:
    """The Parquet of a workspace's CSV; an export's lies beside it."""
    beside = csv_file.with_suffix(".parquet")
    return beside if csv_file.parent.name == EXPORTS else csv_file.parent / PARQUETS / beside.name


def is_there(csv_file: Path) -> bool:
    """Whether there is such a table: a CSV that was deleted is written again as long as its Parquet is there."""
    return csv_file.is_file() or parquet_of(csv_file).is_file()


def missing(name: str, csv_file: Path) -> str:
    """What is said of a table that is not there."""
    command = MADE_BY.get(name)
    root = csv_file.parent.parent if csv_file.parent.name == EXPORTS else csv_file.parent
    hint = f": run `fullshot {command} {root}` first" if command else ""
    if name == "images":
        hint = f": run `fullshot add {root} FOLDER` first, or `fullshot {command}`"
    return f"no {csv_file.name} in {root}{hint}"
