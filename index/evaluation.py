"""How often the whole way, from an outfit image to the nearest products, comes to the very product that is worn."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from fullshot.core.boxes import Box, Picture
from fullshot.core.engines import shards
from fullshot.core.errors import MissingInput, StageFailed
from fullshot.core.pictures import read_or_none, read_rgb
from fullshot.core.progress import bar, say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.index.catalog import Hit
from fullshot.index.recommender import Recommender
from fullshot.train.embedder import WANTED, worn_garments

CHUNK = 32
"""Outfit images that are in memory at once."""


def evaluate_recommend(workspace: Workspace, settings: Settings, split: str = "test") -> dict[str, Any]:
    """Answer every outfit image of a split as a photo, and see whether the product worn is among the answers.

    The garments are found as in any photo, by the detector and the pose; the boxes of ``boxes.csv`` only say which
    products are worn. A garment that is not found, or taken for another wear, counts as a miss. Outfit images that
    cannot be read are named on stderr, and their garments do not count.

    Returns:
        ``split``, ``outfit_images`` (how many were answered), ``garments``, ``instance_recall@5`` (the share of the
        garments whose product is among the answers, as many as ``recommend.neighbours`` says), ``wears`` (the same of
        each wear), ``boxes`` (how many came from ``model`` and ``pose``), ``without_person`` (outfit images on which
        the pose estimator found nobody), and ``unreadable`` (outfit images that cannot be read).

    Raises:
        MissingInput: there is no embedder, catalog or table, or no box of a known product on the split's full shots.
        StageFailed: none of the outfit images can be read.
    """
    with workspace.open(WANTED) as data:
        truth = worn_garments(data, [split]).drop_duplicates(["image_id", "product_id"])
    if not len(truth):
        raise MissingInput(
            f"expected boxes with a product_id on full shots of the split {split} in {workspace.root}, got none: "
            f"run `fullshot boxes import {workspace.root}` or `fullshot annotate pull {workspace.root}` first"
        )
    recommender = Recommender(workspace, settings)
    images = truth["image_id"].nunique()
    unreadable: list[str] = []
    asked, hits, boxes, nobody = Counter[str](), Counter[str](), Counter[str](), 0
    with bar("evaluate recommend", "outfit images") as advance:
        for done, (worn, garments) in enumerate(_answers(workspace, recommender, truth, unreadable), 1):
            nobody += not garments
            boxes.update(box.source for box, _ in garments)
            answers = {(box.label, hit.product_id) for box, hits in garments for hit in hits}
            for wear, product in zip(worn["wear"], worn["product_id"], strict=True):
                asked[wear] += 1
                hits[wear] += (wear, product) in answers
            advance(done + len(unreadable), images)
    say_unreadable("evaluate recommend", unreadable)
    if not asked:
        raise StageFailed(f"none of the {images} outfit images of the split {split} in {workspace.root} can be read")
    recall = f"instance_recall@{settings.recommend.neighbours}"
    return {
        "split": split,
        "outfit_images": images - len(unreadable),
        "garments": asked.total(),
        recall: round(hits.total() / asked.total(), 4),
        "wears": {
            str(wear): {"garments": asked[wear], recall: round(hits[wear] / asked[wear], 4)}
            for wear in GARMENTS
            if asked[wear]
        },
        "boxes": dict(sorted(boxes.items())),
        "without_person": nobody,
        "unreadable": len(unreadable),
    }


def _answers(
    workspace: Workspace, recommender: Recommender, truth: pd.DataFrame, unreadable: list[str]
) -> Iterator[tuple[pd.DataFrame, list[tuple[Box, list[Hit]]]]]:
    """Outfit image by outfit image: the rows of what is worn, and the answer; adds paths to ``unreadable``."""
    for part in shards([worn for _, worn in truth.groupby("image_id")], CHUNK):
        pictures: list[Picture] = []
        answered: list[pd.DataFrame] = []
        for worn in part:
            path = str(worn["path"].iloc[0])
            picture = read_or_none(workspace / path, partial(read_rgb, upright=True))
            if picture is None:
                unreadable.append(path)
                continue
            pictures.append(picture)
            answered.append(worn)
        garments = recommender.nearest(pictures, recommender.find_garments(pictures))
        yield from zip(answered, garments, strict=True)
