"""How often the whole way, from an outfit image to the nearest products, comes to the very product that is worn."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow

from fullshot.core.errors import MissingInput, StageFailed
from fullshot.core.features import Rows
from fullshot.core.files import digest
from fullshot.core.progress import say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.curation import kept_poses
from fullshot.index.catalog import MANIFEST
from fullshot.index.in_use import RULES
from fullshot.index.outfits import find_worn, worn_boxes
from fullshot.index.recommender import Recommender
from fullshot.train import inputs_of, keep_figures, kept_figures
from fullshot.train.detector import in_use
from fullshot.train.embedder import WANTED, digest_in_use, kept_embeddings, keys_of, worn_garments

STAGE = "evaluate recommend"


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

    The same is written to the catalog's ``evaluation-<split>.json``, and read from there while nothing has changed.

    Raises:
        MissingInput: there is no embedder, catalog or table, or no box of a known product on the split's full shots.
        StageFailed: none of the outfit images can be read.
    """
    path = workspace.catalog / f"evaluation-{split}.json"
    inputs = _inputs(workspace, settings)
    if (kept := kept_figures(path, inputs, STAGE)) is not None:
        return kept
    figures = _measured(workspace, settings, split)
    keep_figures(path, inputs, figures)
    return figures


def _inputs(workspace: Workspace, settings: Settings) -> dict[str, str]:
    """What the figures depend on."""
    try:
        detector = in_use(workspace, settings)
        of_detector = f"{detector.name} {detector.digest}"
    except MissingInput:
        of_detector = ""
    sections = {"recommend": settings.recommend, "detector settings": settings.detector, "curate": settings.curate}
    others = {
        "embedder": digest_in_use(workspace),
        "catalog": digest(workspace.catalog / MANIFEST),
        "detector": of_detector,
        "rules": RULES,
    }
    return inputs_of(workspace, tuple(WANTED), sections, **others)


def _measured(workspace: Workspace, settings: Settings, split: str) -> dict[str, Any]:
    with workspace.open(WANTED) as data:
        worn = worn_garments(data, [split])
    truth = worn.drop_duplicates(["image_id", "product_id"])
    if not len(truth):
        raise MissingInput(
            f"expected boxes with a product_id on full shots of the split {split} in {workspace.root}, got none: "
            f"run `fullshot boxes import {workspace.root}` or `fullshot annotate pull {workspace.root}` first"
        )
    outfits = truth.drop_duplicates("image_id", ignore_index=True)[["image_id", "path"]]
    keys = pyarrow.Table.from_pandas(outfits, preserve_index=False)
    recommender = Recommender(workspace, settings)
    poses = kept_poses(workspace.root, keys, recommender.pose)
    found = find_worn(workspace.root, keys, recommender, poses, keys_of(worn), STAGE)
    unreadable = outfits["path"][~found.is_readable].tolist()
    say_unreadable(STAGE, unreadable)
    garments = _garments(outfits, found)
    answers = _answers(workspace, settings, recommender, garments)
    asked, hits = Counter[str](), Counter[str]()
    answered = truth["image_id"].isin(outfits["image_id"][found.is_readable])
    for image, wear, product in truth.loc[answered, ["image_id", "wear", "product_id"]].itertuples(index=False):
        asked[wear] += 1
        hits[wear] += (image, wear, product) in answers
    images = len(outfits)
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
        "boxes": {str(source): int(count) for source, count in sorted(garments["source"].value_counts().items())},
        "without_person": images - len(unreadable) - int(garments["image_id"].nunique()),
        "unreadable": len(unreadable),
    }


def _garments(outfits: pd.DataFrame, found: Rows) -> pd.DataFrame:
    """A row a garment: ``image_id``, ``path``, ``x_min, y_min, x_max, y_max``, ``label`` and ``source``."""
    names = ["image_id", "path", "x_min", "y_min", "x_max", "y_max", "label", "source"]
    rows = [
        (image, path, *box.corners, box.label, box.source)
        for image, path, garments in zip(
            outfits["image_id"], outfits["path"], found.read(["garments"])["garments"].to_pylist(), strict=True
        )
        for box in worn_boxes(garments or "[]")
    ]
    return pd.DataFrame(rows, columns=names)


def _answers(
    workspace: Workspace, settings: Settings, recommender: Recommender, garments: pd.DataFrame
) -> set[tuple[str, str, str]]:
    """Which products are among the answers: of an outfit image, as a wear."""
    if garments.empty:
        return set()
    rows = kept_embeddings(workspace.root, keys_of(garments), recommender.embedder, settings, STAGE)
    labels = garments["label"].tolist()
    hits = recommender.search(np.asarray(rows.array("vector"), np.float32), labels)
    each = zip(garments["image_id"], labels, hits, strict=True)
    return {(image, label, hit.product_id) for image, label, found in each for hit in found}
