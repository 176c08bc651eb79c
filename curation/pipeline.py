"""Curate a workspace: kinds of shots, quality, near duplicates, splits, and the exported data sets."""

import time
from collections import Counter
from typing import Any

import pandas as pd

from fullshot.core import tables
from fullshot.core.interfaces import Engine
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.duplicates.mark import mark_duplicates
from fullshot.curation.exports import WANTED, export
from fullshot.curation.failures import write_failures
from fullshot.curation.features.store import ImageFeatures, extract_features, keys_of
from fullshot.curation.overrides import apply_overrides, spread_to_copies
from fullshot.curation.pose import open_pose_estimator
from fullshot.curation.quality.checks import find_issues
from fullshot.curation.shots.overlays import write_overlays
from fullshot.curation.shots.rule import classify_shots
from fullshot.curation.splits.split import split

_INPUTS = ("images", "products", "verdicts")


def curate(workspace: Workspace, settings: Settings, workers: Engine, *, overlays: bool = False) -> dict[str, Any]:
    """Classify every picture of a workspace, find duplicates, split its products; write ``curated`` and ``exports/``.

    Run again it extracts features only of pictures that are new, or whose file has changed; with the same inputs it
    writes the same bytes. Whatever changed in the settings or in ``verdicts.csv`` is decided anew from the
    features. A picture never moves from the test to training.

    Args:
        workspace: with ``images`` and ``products``.
        settings: its sections ``curate`` and ``engine``.
        workers: extract the features.
        overlays: whether to draw what the pose estimator found on every picture, into ``overlays/``.

    Returns:
        Counts of the run, ready for JSON; ``extracted`` is how many pictures were new, or had another file;
        ``seconds_per_image`` is None where there was none of these.

    Raises:
        MissingInput: nothing was crawled or added yet.
        UserError: there is no pose model, or the workspace is in use.
    """
    for name in ("images", "products"):
        if not workspace.table(name).is_file():
            workspace.read(name)  # says what to run; the stage itself would make the folder
    with workspace.stage("curate", settings, _INPUTS) as stats:
        images, products = workspace.read("images"), workspace.read("products")
        overrides = workspace.read_if_there("verdicts")  # a mistake in it is reported before the long work, not after
        estimator = open_pose_estimator(settings)
        pictures = images.drop_duplicates("image_id").sort_values("image_id")
        started = time.monotonic()
        features = extract_features(workspace.root, keys_of(pictures), estimator, workers)
        seconds = time.monotonic() - started
        curated = decide(workspace, images, products, features, settings)
        _write_splits(workspace, curated)
        workspace.write("curated", curated.drop(columns="overridden"))
        write_failures(workspace, images, products, features.unreadable)
        with workspace.open(WANTED) as data:
            export(data, features.frame)
        if overlays:
            write_overlays(workspace, pictures, features, curated, settings)
        stats |= {
            "images": len(pictures),
            "full_shots": int(curated["full_shot"].sum()),
            "item_shots": int((~curated["full_shot"].dropna().astype(bool)).sum()),
            "unreadable": len(features.unreadable),
            "shots": _counts(curated["shot"]),
            "issues": _counts(curated["issues"].dropna().str.split().explode()),
            "rejected": int((~curated["keep"]).sum()),
            "duplicates": int(curated["duplicate_of"].notna().sum()),
            "clusters": int(curated["cluster"].nunique()),
            "overridden": int(curated["overridden"].sum()),
            "overrides_without_picture": int((~overrides["image_id"].isin(pictures["image_id"])).sum()),
            "products": len(products),
            "splits": {name: int((curated["split"] == name).sum()) for name in tables.SPLITS},
            "reasons": _counts(curated["shot_reason"]),
            "extracted": features.extracted,
            "seconds_per_image": round(seconds / features.extracted, 4) if features.extracted else None,
            "pose_model_source": estimator.model_source,
        }
    return stats


def decide(
    workspace: Workspace, images: pd.DataFrame, products: pd.DataFrame, features: ImageFeatures, settings: Settings
) -> pd.DataFrame:
    """The table ``curated`` from the features of all pictures, and a further column ``overridden``."""
    frame, limits = features.frame, settings.curate
    verdicts = classify_shots(features.people, features.owners, len(frame), limits)
    shown_by = frame["image_id"].map(images["image_id"].value_counts())
    issues = find_issues(frame.assign(products=shown_by), limits)
    rows = apply_overrides(workspace, frame["image_id"], verdicts, issues)
    rows["cluster"], rows["duplicate_of"] = mark_duplicates(workspace, features, rows["keep"].to_numpy(bool), limits)
    rows = spread_to_copies(rows)
    unreadable = [
        {"image_id": picture.image_id, "issues": picture.kind, "keep": False, "overridden": False}
        for picture in features.unreadable
    ]
    # As objects: a column of nothing but gaps has no type of its own that the other's could be joined to.
    curated = pd.concat([rows.astype(object), pd.DataFrame(unreadable, columns=rows.columns, dtype=object)])
    curated = curated.sort_values("image_id", ignore_index=True)
    curated = curated.astype({"keep": "boolean", "full_shot": "boolean", "overridden": "boolean"})
    with_copies = curated.dropna(subset="cluster")
    clusters = dict(zip(with_copies["image_id"], with_copies["cluster"], strict=True))
    rejected = set(curated.loc[~curated["keep"], "image_id"])
    splits = split(images, products, clusters, _earlier_splits(workspace), limits, rejected)
    curated["split"] = curated["image_id"].map(splits)
    before = workspace.read_if_there("curated").set_index("image_id")
    for column in [column for column in before.columns if column not in curated.columns]:
        # Of other steps' making: what they found for a picture outlasts a run of this one.
        curated[column] = before[column].reindex(curated["image_id"]).array
    return curated


def _earlier_splits(workspace: Workspace) -> dict[str, str]:
    """The split of every picture that ever had one: also of those that are gone, and may come back."""
    tables_with_splits = [workspace.read_if_there(name)[["image_id", "split"]] for name in ("splits", "curated")]
    return dict(pd.concat(tables_with_splits).dropna().itertuples(index=False, name=None))


def _write_splits(workspace: Workspace, curated: pd.DataFrame) -> None:
    splits = {**_earlier_splits(workspace), **dict(zip(curated["image_id"], curated["split"], strict=True))}
    rows = pd.DataFrame(sorted(splits.items()), columns=["image_id", "split"])
    workspace.write("splits", rows)


def _counts(values: "pd.Series[Any]") -> dict[str, int]:
    return dict(sorted(Counter(str(value) for value in values.dropna()).items()))
