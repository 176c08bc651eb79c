"""How often the whole way, from a look to five products, comes to the very product that is worn."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pandas as pd

from fullshot.core.engines import shards
from fullshot.core.errors import MissingInput
from fullshot.core.pictures import read_rgb
from fullshot.core.progress import bar
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.index.answer import Garment
from fullshot.index.recommend import Recommender
from fullshot.train.embedder.dataset import worn_garments

CHUNK = 32
"""Looks that are in memory at once."""


def evaluate_recommend(workspace: Workspace, settings: Settings, split: str = "test") -> dict[str, Any]:
    """Answer every look of a split as a photo, and see whether the product worn is among the answers.

    The garments are found as in any photo, by the detector and the pose; the boxes of ``boxes.csv`` only say which
    products are worn. A garment that is not found, or taken for another wear, counts as a miss.

    Returns:
        ``split``, ``neighbours`` (products an answer), ``looks``, ``garments``, ``found`` (share over all garments),
        ``found_by_label`` and ``garments_by_label`` (of each wear), ``boxes`` (how many came from ``model`` and
        ``pose``), and ``without_person`` (looks on which the pose model saw nobody).

    Raises:
        MissingInput: there is no embedder, catalog or table, or no box of a known product on the split's full shots.
    """
    truth = worn_garments(workspace, [split]).drop_duplicates(["image_id", "product_id"])
    if not len(truth):
        raise MissingInput(
            f"expected boxes with a product_id on full shots of the split {split} in {workspace.root}, got none: "
            f"run `fullshot boxes import {workspace.root}` or `fullshot annotate pull {workspace.root}` first"
        )
    recommender = Recommender(workspace, settings)
    asked: Counter[str] = Counter()
    found: Counter[str] = Counter()
    boxes: Counter[str] = Counter()
    nobody = 0
    with bar("evaluate recommend", "looks") as advance:
        looks = truth["image_id"].nunique()
        for done, (worn, garments) in enumerate(_answers(workspace, recommender, truth), 1):
            nobody += not garments
            boxes.update(garment.box.source for garment in garments)
            answers = {(garment.box.label, one.product_id) for garment in garments for one in garment.look_alikes}
            for wear, product in zip(worn["wear"], worn["product_id"], strict=True):
                asked[wear] += 1
                found[wear] += (wear, product) in answers
            advance(done, looks)
    wears = [str(wear) for wear in GARMENTS if asked[wear]]
    return {
        "split": split,
        "neighbours": settings.recommend.neighbours,
        "looks": looks,
        "garments": asked.total(),
        "found": round(found.total() / asked.total(), 4),
        "found_by_label": {wear: round(found[wear] / asked[wear], 4) for wear in wears},
        "garments_by_label": {wear: asked[wear] for wear in wears},
        "boxes": dict(sorted(boxes.items())),
        "without_person": nobody,
    }


def _answers(
    workspace: Workspace, recommender: Recommender, truth: pd.DataFrame
) -> Iterator[tuple[pd.DataFrame, list[Garment]]]:
    """Look by look: the rows of what is worn, and the answer."""
    looks = [worn for _, worn in truth.groupby("image_id")]
    for part in shards(looks, CHUNK):
        pictures = [read_rgb(workspace / str(worn["path"].iloc[0])) for worn in part]
        yield from zip(part, recommender.look_alikes(pictures, recommender.find(pictures)), strict=True)
