"""Which boxes count as true: those that people drew and did not take back, before imported ones and the shop's."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fullshot.core.workspace import Workspace

TRUSTED = ("human", "import", "shop")
"""Sources of boxes that are taken for true, best first. A model does not learn from what a model guessed."""

CONSENSUS = "consensus"
"""Stands for the annotator where a box is what several agreed on."""

WITHDRAWN = "deleted in Label Studio"
"""Comment of an annotation that was there once and is no more."""

_CORNERS = ["x_min", "y_min", "x_max", "y_max"]


def trusted_boxes(workspace: Workspace, sources: Sequence[str] = TRUSTED) -> pd.DataFrame:
    """The boxes that count, one row a box, on pictures that were not rejected.

    Where a picture has boxes from several sources, the best source's newest revision counts alone. What people changed
    or took back since counts no more; and where somebody said that there is no garment, or no full shot, there is none,
    whatever a shop says.

    Args:
        workspace: with ``images.csv`` and ``boxes.csv``; without ``curated.csv`` no picture has a split.
        sources: of the boxes, best first.

    Returns:
        Columns ``image_id, split, path, width, height, label, x_min, y_min, x_max, y_max``; ``split`` is missing where
        it is not known; corners in pixels, inside the picture; sorted.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    images, boxes, curated = workspace.read("images"), workspace.read("boxes"), workspace.read_if_there("curated")
    annotations = workspace.read_if_there("annotations")
    boxes = without_outdated(boxes, annotations)
    boxes = boxes[boxes["source"].isin(sources)].copy()
    if "human" in sources:
        boxes = boxes[boxes["source"].eq("human") | ~boxes["image_id"].isin(in_force(annotations)["image_id"])]
    boxes["rank"] = boxes["source"].map(list(sources).index).astype("int64")
    boxes["newest"] = -boxes["revision"].fillna(0).astype("int64")
    for key in ("rank", "newest"):
        boxes = boxes[boxes[key] == boxes.groupby("image_id")[key].transform("min")]
    pictures = images.drop_duplicates("image_id")[["image_id", "path", "width", "height"]]
    rows = boxes.merge(pictures, on="image_id").merge(curated[["image_id", "split", "keep"]], on="image_id", how="left")
    rows = rows[rows["keep"].fillna(True).astype(bool)]
    for low, high, size in (("x_min", "x_max", "width"), ("y_min", "y_max", "height")):
        limit = rows[size].astype("float64")
        rows[low] = rows[low].astype("float64").clip(lower=0.0, upper=limit)
        rows[high] = rows[high].astype("float64").clip(lower=0.0, upper=limit)
    rows = rows[(rows["x_min"] < rows["x_max"]) & (rows["y_min"] < rows["y_max"])]
    columns = ["image_id", "split", "path", "width", "height", "label", *_CORNERS]
    return rows[columns].drop_duplicates().sort_values(columns).reset_index(drop=True)


def newest(annotations: pd.DataFrame) -> pd.DataFrame:
    """The newest state of each annotation, of several people on one picture each.

    Args:
        annotations: the table, in which every state that was pulled has a row.

    Returns:
        Its rows that are not outdated, those that were skipped or taken back among them.
    """
    # What several agreed on has no number of its own in Label Studio.
    own = annotations.assign(own=annotations["annotation"].fillna(0), of=annotations["project"].fillna(""))
    latest = own.sort_values("revision").groupby(["image_id", "of", "own"]).tail(1)
    return latest.drop(columns=["own", "of"])


def in_force(annotations: pd.DataFrame) -> pd.DataFrame:
    """The annotation of each picture that counts: the newest, of those that were not skipped or taken back since.

    What several agreed on comes before what one of them says.

    Args:
        annotations: the table.

    Returns:
        Its rows that count, one a picture at most.
    """
    latest = newest(annotations)
    standing = latest[latest["verdict"] != "skipped"]
    ordered = standing.assign(agreed=standing["annotator"].eq(CONSENSUS).fillna(False))
    ordered = ordered.sort_values(["image_id", "agreed", "revision"]).groupby("image_id").tail(1)
    return ordered.drop(columns="agreed").reset_index(drop=True)


def without_outdated(boxes: pd.DataFrame, annotations: pd.DataFrame) -> pd.DataFrame:
    """Boxes without those that people drew and later changed, took back, or said not to be on a full shot.

    Boxes of sources other than ``human`` stay, and so do people's boxes on pictures that no annotation is known of.
    """
    counts = in_force(annotations)
    force = dict(zip(counts["image_id"], counts["revision"], strict=True))
    drawn = set(counts.loc[counts["verdict"] == "boxes", "image_id"])
    known = set(annotations["image_id"])
    kept = [
        source != "human" or identity not in known or (identity in drawn and force[identity] == revision)
        for source, identity, revision in zip(
            boxes["source"], boxes["image_id"], boxes["revision"].fillna(0), strict=True
        )
    ]
    return boxes[np.array(kept, dtype=bool)]  # as an array: an empty list would choose no columns
