"""Curate a workspace: shots, junk, copies, splits, and the exported data sets."""

import json
import time
from collections import Counter
from typing import Any

import pandas as pd

from fullshot.core import files, tables
from fullshot.core.clock import now
from fullshot.core.interfaces import Engine
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation import exports
from fullshot.curation import overrides as verdicts
from fullshot.curation.duplicates import clusters as copies
from fullshot.curation.features.extract import Unreadable
from fullshot.curation.features.store import ImageFeatures, extract_features, intact
from fullshot.curation.features.versions import features_folder
from fullshot.curation.pose import open_pose_estimator
from fullshot.curation.quality import issues as quality
from fullshot.curation.shots.overlays import write_all as draw_overlays
from fullshot.curation.shots.rule import judge_all
from fullshot.curation.splits import split

_TOLD = "failures.json"
"""Which rows of ``failures`` are curation's own."""

_INPUTS = ("images", "products", "verdicts")


def curate(workspace: Workspace, settings: Settings, workers: Engine, *, overlays: bool = False) -> dict[str, Any]:
    """Judge every picture of a workspace, find copies, split its products, and write ``curated`` and ``exports/``.

    Run again it extracts features only of pictures that are new, or that could not be read before; with the same
    inputs it writes the same bytes. Whatever changed in the settings or in ``verdicts.csv`` is decided anew from the
    features. A picture never moves from the test to training.

    Args:
        workspace: with ``images`` and ``products``.
        settings: its section ``curate``.
        workers: look at the pictures.
        overlays: whether to draw what the pose model saw on every picture, into ``overlays/``.

    Returns:
        Counts of the run, ready for JSON; ``seconds_per_image`` is None where no picture was looked at.

    Raises:
        MissingInput: nothing was crawled or added yet.
        UserError: there is no pose model, or the workspace is in use.
    """
    for name in ("images", "products"):
        if not workspace.table(name).is_file():
            workspace.read(name)  # says what to run; the stage itself would make the folder
    with workspace.stage("curate", settings, [workspace.table(name) for name in _INPUTS]) as stats:
        images, products = workspace.read("images"), workspace.read("products")
        said = workspace.read_if_there("verdicts")  # a mistake in it is told before the long work, not after
        estimator = open_pose_estimator(settings)
        pictures = images.drop_duplicates("image_id").sort_values("image_id")
        jobs = list(zip(pictures["image_id"], pictures["path"], strict=True))
        started = time.monotonic()
        features = extract_features(workspace, jobs, estimator, workers, intact(workspace, pictures))
        seconds = time.monotonic() - started
        curated = decided(workspace, images, products, features, settings)
        _write_splits(workspace, curated)
        workspace.write("curated", curated.drop(columns="overruled"))
        _write_failures(workspace, images, products, features.unreadable)
        exports.export(workspace, images, products, curated, features.frame)
        if overlays:
            draw_overlays(workspace, pictures, features, curated, settings.curate)
        stats |= {
            "images": len(pictures),
            "full_shots": int(curated["full_shot"].sum()),
            "item_shots": int((~curated["full_shot"].dropna().astype(bool)).sum()),
            "unreadable": len(features.unreadable),
            "shots": _counts(curated["shot"]),
            "issues": _counts(curated["issues"].dropna().str.split().explode()),
            "thrown_out": int((~curated["keep"]).sum()),
            "duplicates": int(curated["duplicate_of"].notna().sum()),
            "clusters": int(curated["cluster"].nunique()),
            "overruled": int(curated["overruled"].sum()),
            "verdicts_of_no_picture": int((~said["image_id"].isin(pictures["image_id"])).sum()),
            "products": len(products),
            "splits": {side: int((curated["split"] == side).sum()) for side in tables.SPLITS},
            "reasons": _counts(curated["shot_reason"]),
            "judged": features.taken,
            "seconds_per_image": round(seconds / features.taken, 4) if features.taken else None,
            "pose_route": estimator.model_source,
        }
    return stats


def decided(
    workspace: Workspace, images: pd.DataFrame, products: pd.DataFrame, features: ImageFeatures, settings: Settings
) -> pd.DataFrame:
    """What is said of every picture, from what is known of it: ``curated``, and a further column ``overruled``."""
    frame, limits = features.frame, settings.curate
    machine = judge_all(features.people, features.owners, len(frame), limits)
    shown = frame["image_id"].map(images["image_id"].value_counts())
    issues = quality.issues(frame.assign(products=shown), limits)
    said = verdicts.judged(workspace, frame["image_id"], machine, issues)
    said["cluster"], said["duplicate_of"] = copies.of(workspace, features, said["keep"].to_numpy(bool), limits)
    said = verdicts.spread(said)
    lost = [
        {"image_id": each.image_id, "issues": each.kind, "keep": False, "overruled": False}
        for each in features.unreadable
    ]
    # As objects: a column of nothing but gaps has no type of its own that the other's could be joined to.
    curated = pd.concat([said.astype(object), pd.DataFrame(lost, columns=said.columns, dtype=object)])
    curated = curated.sort_values("image_id", ignore_index=True)
    curated = curated.astype({"keep": "boolean", "full_shot": "boolean", "overruled": "boolean"})
    before = workspace.read_if_there("curated")
    known = curated.dropna(subset="cluster")
    sides = split.split(
        images,
        products,
        dict(zip(known["image_id"], known["cluster"], strict=True)),
        _sides_before(workspace),
        limits,
        set(curated.loc[~curated["keep"], "image_id"]),
    )
    curated["split"] = curated["image_id"].map(sides)
    before = before.set_index("image_id")
    for column in [column for column in before.columns if column not in curated.columns]:
        # Of other steps' making: what they found for a picture outlasts a run of this one.
        curated[column] = before[column].reindex(curated["image_id"]).array
    return curated


def _sides_before(workspace: Workspace) -> dict[str, str]:
    """The split of every picture that ever had one: also of those that are gone, and may come back."""
    known = [workspace.read_if_there(name)[["image_id", "split"]] for name in ("splits", "curated")]
    return dict(pd.concat(known).dropna().itertuples(index=False, name=None))


def _write_splits(workspace: Workspace, curated: pd.DataFrame) -> None:
    sides = {**_sides_before(workspace), **dict(zip(curated["image_id"], curated["split"], strict=True))}
    rows = pd.DataFrame(sorted(sides.items()), columns=["image_id", "split"])
    workspace.write("splits", rows)


def _counts(values: "pd.Series[Any]") -> dict[str, int]:
    return dict(sorted(Counter(str(value) for value in values.dropna()).items()))


def _keys(failures: pd.DataFrame) -> "pd.Series[str]":
    return failures["url"] + " " + failures["class"] + " " + failures["message"].fillna("")


def _write_failures(
    workspace: Workspace, images: pd.DataFrame, products: pd.DataFrame, unreadable: list[Unreadable]
) -> None:
    """Bring the pictures that could not be read into ``failures``, and take out those that can be by now.

    ``page`` is the product's: the next crawl visits it again and fetches the picture anew.
    """
    before = workspace.read_if_there("failures")
    places = images.drop_duplicates("image_id").set_index("image_id")
    pages = dict(zip(products["product_id"], products["url"], strict=True))
    known = {(row["url"], row["class"], row["message"]): row["failed_at"] for row in before.to_dict("records")}
    rows = []
    for failed in unreadable:
        place = places.loc[failed.image_id]
        url = place["url"] if isinstance(place["url"], str) else place["path"]
        failed_at = known.get((url, failed.kind, failed.message)) or now()
        row = {"url": url, "kind": "picture", "class": failed.kind, "message": failed.message, "failed_at": failed_at}
        rows.append({**row, "page": pages.get(place["product_id"])})
    # The same picture may have a row of a crawl's or of `add`, which could not bring a newer one of it.
    told = features_folder(workspace.root) / _TOLD
    mine = _keys(before).isin(json.loads(told.read_text("utf-8")) if told.is_file() else [])
    files.write_text(told, json.dumps(_keys(tables.frame("failures", rows)).tolist()) + "\n")
    parts = [part for part in (before[~mine], tables.frame("failures", rows)) if len(part)]
    if parts or workspace.table("failures").is_file():
        data = pd.concat(parts) if parts else tables.frame("failures")
        workspace.write(
            "failures", data.drop_duplicates(["url", "page"], keep="last").sort_values("url", kind="stable")
        )
