"""Curate a workspace: tell full shots from item shots, split by product, export the CSVs."""

import time
from collections import Counter
from typing import Any

import pandas as pd

from curation import exports, pose_model, split
from curation.estimate import Poses, Unreadable, estimate
from curation.rule import Verdict, judge
from fullshot import tables
from fullshot.clock import now
from fullshot.settings import Settings
from fullshot.workspace import Workspace

_INPUTS = ("images", "products")
_FAILURES = ("missing", "not-an-image")
# Of other steps' making: what they found for a picture outlasts a run of this one.
_KEPT = ("duplicate_of", "cluster")


def curate(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    """Judge every picture of a workspace, split its products, and write ``curated`` and ``exports/``.

    Run again it looks only at pictures that are new, or that could not be read before; with the same inputs it writes
    the same bytes. A picture never changes its split while its products stay apart from others.

    Args:
        workspace: with ``images`` and ``products``.
        settings: its section ``curate``.

    Returns:
        Counts of the run, ready for JSON; ``seconds_per_image`` is None where no picture was looked at.

    Raises:
        MissingInput: nothing was crawled or added yet.
        UserError: there is no pose model, or the workspace is in use.
    """
    for name in _INPUTS:
        if not workspace.table(name).is_file():
            workspace.read(name)  # says what to run; the stage itself would make the folder
    with workspace.stage("curate", settings, [workspace.table(name) for name in _INPUTS]) as stats:
        images, products = workspace.read("images"), workspace.read("products")
        model = pose_model.provide(settings)
        pictures = images.drop_duplicates("image_id").sort_values("image_id")
        jobs = list(zip(pictures["image_id"], pictures["path"], strict=True))
        started = time.monotonic()
        poses = estimate(workspace, jobs, model, settings.curate.processes)
        seconds = time.monotonic() - started
        verdicts = {identity: judge(people, settings.curate) for identity, people in poses.people.items()}
        curated = _curated(workspace, images, verdicts, poses, settings)
        workspace.write("curated", curated)
        _write_failures(workspace, images, products, poses.unreadable)
        exports.export(workspace, images, products, curated)
        full_shots = sum(verdict.full_shot for verdict in verdicts.values())
        stats |= {
            "images": len(pictures),
            "full_shots": full_shots,
            "item_shots": len(verdicts) - full_shots,
            "unreadable": len(poses.unreadable),
            "products": len(products),
            "splits": {side: int((curated["split"] == side).sum()) for side in tables.SPLITS},
            "reasons": dict(sorted(Counter(verdict.reason for verdict in verdicts.values()).items())),
            "judged": poses.judged,
            "seconds_per_image": round(seconds / poses.judged, 4) if poses.judged else None,
            "pose_route": model.route,
        }
    return stats


def _curated(
    workspace: Workspace, images: pd.DataFrame, verdicts: dict[str, Verdict], poses: Poses, settings: Settings
) -> pd.DataFrame:
    before = workspace.read_if_there("curated")
    sides = split.split(images, dict(zip(before["image_id"], before["split"], strict=True)), settings.curate)
    issues = {failed.image_id: failed.kind for failed in poses.unreadable}
    rows = []
    for identity in sorted(sides):
        verdict = verdicts.get(identity)
        row: dict[str, Any] = {"image_id": identity, "issues": issues.get(identity), "split": sides[identity]}
        if verdict:
            score = round(verdict.score, 4)
            row |= {"full_shot": verdict.full_shot, "shot_score": score, "shot_reason": verdict.reason}
        rows.append(row)
    curated = tables.frame("curated", rows)
    before = before.set_index("image_id")
    kept = [column for column in before.columns if column in _KEPT or column not in curated.columns]
    for column in kept:
        curated[column] = before[column].reindex(curated["image_id"]).array
    return curated


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
    # What a crawl could not fetch is not among the images; those rows are the crawl's.
    stored = before["url"].isin(images["url"].dropna()) | before["url"].isin(images["path"])
    mine = stored & (before["kind"] == "picture") & before["class"].isin(_FAILURES)
    parts = [part for part in (before[~mine], tables.frame("failures", rows)) if len(part)]
    if parts or workspace.table("failures").is_file():
        data = pd.concat(parts) if parts else tables.frame("failures")
        workspace.write(
            "failures", data.drop_duplicates(["url", "page"], keep="last").sort_values("url", kind="stable")
        )
