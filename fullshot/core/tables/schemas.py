"""What the tables that stages hand on look like, as pandera schemas."""

from collections.abc import Iterable, Mapping

import pandas as pd
import pandera.pandas as pa

from fullshot.core.taxonomy import GARMENTS, Gender, Wear

SPLITS = ("train", "val", "test")
SOURCES = ("human", "model", "shop", "import")
SHOTS = ("full", "half", "item", "unclear")
ANNOTATIONS = ("boxes", "not_full_shot", "skipped")
_SHA256 = r"[0-9a-f]{64}"


def _text(*checks: pa.Check, empty: bool = True, unique: bool = False) -> pa.Column:
    return pa.Column("string", list(checks), nullable=empty, unique=unique)


def _one_of(names: Iterable[str], *, empty: bool = False) -> pa.Column:
    words = [str(name) for name in names]
    return _text(pa.Check.isin(words, error="one of " + ", ".join(words)), empty=empty)


def _image_id(*, unique: bool = False, empty: bool = False) -> pa.Column:
    check = pa.Check.str_matches(rf"^{_SHA256}$", error="a sha256 in 64 hexadecimal digits")
    return _text(check, empty=empty, unique=unique)


def _number(*, least: float | None = None, empty: bool = True) -> pa.Column:
    checks = [] if least is None else [pa.Check.ge(least, error=f"a number of at least {least:g}")]
    return pa.Column("Float64", checks, nullable=empty)


def _count(*, empty: bool = True) -> pa.Column:
    return pa.Column("Int64", [pa.Check.ge(0, error="a whole number of at least 0")], nullable=empty)


def _boolean(*, empty: bool = True) -> pa.Column:
    return pa.Column("boolean", nullable=empty)


def _schema(columns: Mapping[str, pa.Column], *checks: pa.Check, unique: list[str] | None = None) -> pa.DataFrameSchema:
    # Further columns are allowed: a table may grow, none of these is renamed.
    return pa.DataFrameSchema(dict(columns), checks=list(checks), unique=unique, strict=False)


def _corners_in_order(frame: pd.DataFrame) -> "pd.Series[bool]":
    return (frame["x_min"] < frame["x_max"]) & (frame["y_min"] < frame["y_max"])


_LABELLED = {
    "image_path": _text(empty=False),
    "label": _count(empty=False),
    "product_type": _text(),
    "link": _text(),
}

SCHEMAS: dict[str, pa.DataFrameSchema] = {
    "products": _schema(
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
            "currency": _text(),
            "rating": _number(least=0),
            "rating_count": _count(),
            "sizes": _text(),
            "in_stock": _boolean(),
            "fetched_at": _text(),
            "parser": _text(),
            "first_seen": _text(),
            "last_seen": _text(),
            "gone_at": _text(),
            "style": _text(),
        }
    ),
    "images": _schema(
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
            "fetched_at": _text(),
        },
        unique=["image_id", "product_id"],
    ),
    "failures": _schema(
        {
            "url": _text(empty=False),
            "kind": _text(empty=False),
            "class": _text(empty=False),
            "message": _text(),
            "failed_at": _text(),
            "page": _text(),
        }
    ),
    "ledger": _schema(
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
            "first_request_at": _text(),
            "last_request_at": _text(),
        }
    ),
    "curated": _schema(
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
    "verdicts": _schema(
        {
            "image_id": _image_id(unique=True),
            "shot": _one_of(SHOTS, empty=True),
            "keep": _boolean(),
            "note": _text(),
            "annotator": _text(),
            "judged_at": _text(),
        }
    ),
    "annotations": _schema(
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
            "updated_at": _text(),
            "mean_iou": _number(least=0),
            "added": _count(),
            "deleted": _count(),
            "relabelled": _count(),
        },
        unique=["image_id", "revision"],
    ),
    "boxes": _schema(
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
            "updated_at": _text(),
            "product_id": _text(),
        },
        pa.Check(_corners_in_order, error="x_min < x_max and y_min < y_max"),
    ),
    "dataset1": _schema(
        {
            "image_path": _text(empty=False),
            "product_type": _text(),
            "wear": _one_of(Wear, empty=True),
            "full_shot": _boolean(),
        }
    ),
    "dataset2": _schema(_LABELLED),
    "queue": _schema(
        {
            "image_id": _image_id(unique=True),
            "image_path": _text(empty=False),
            "shot_score": _number(least=0),
            "shot_reason": _text(),
        }
    ),
    "priorities": _schema(
        {
            "image_id": _image_id(unique=True),
            "priority": _number(least=0, empty=False),
            "reason": _text(),
            "uncertainty": _number(least=0),
            "diversity": _number(least=0),
            "rarity": _number(least=0),
        }
    ),
    "splits": _schema({"image_id": _image_id(unique=True), "split": _one_of(SPLITS)}),
    "labels": _schema({"label": _count(empty=False), "product_id": _text(empty=False, unique=True)}),
    **{f"{gender}_{wear}": _schema(_LABELLED) for gender in ("men", "women") for wear in ("top", "bottom", "foot")},
}
"""A table's name and its schema. ``boxes.product_id`` is the product worn in the box, where that is known; the delays
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
}
"""Columns that a file may lack, then each of their cells is "not known": those that a file written by version 0.1 does
not have, and of ``verdicts``, which people write by hand, all but the picture."""

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
    "labels": "curate",
    "queue": "curate",
    "splits": "curate",
}
"""Which command makes a table that a later stage may miss."""
