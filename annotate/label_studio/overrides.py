"""What annotators say of shots, as people's overrides in ``verdicts``."""

from collections import Counter
from collections.abc import Mapping, Set
from typing import Any

import pandas as pd

from fullshot.core import tables
from fullshot.core.annotations import CONSENSUS
from fullshot.core.workspace import Workspace

FULL, UNCLEAR = "full", "unclear"
"""Shots of ``verdicts``."""


def update_overrides(workspace: Workspace, fresh: Set[str]) -> int:
    """Bring what annotators say of shots into ``verdicts``.

    Of several annotators more than half decide; where they differ, the picture is unclear. An override that somebody
    wrote there by hand stays until an annotator says something new of that picture.

    Args:
        workspace: with the annotations.
        fresh: pictures that have new annotations.

    Returns:
        How many overrides changed.
    """
    annotations = workspace.read_if_there("annotations")
    if annotations.empty:
        return 0
    curated, overrides = workspace.read_if_there("curated"), workspace.read_if_there("verdicts")
    full = set(curated.loc[curated["full_shot"].fillna(False).astype(bool), "image_id"])
    records = overrides.astype(object).where(overrides.notna(), None).to_dict("records")
    rows: dict[str, dict[str, Any]] = {
        str(row["image_id"]): {str(name): cell for name, cell in row.items()} for row in records
    }
    authors = {str(identity): set(names.dropna()) for identity, names in annotations.groupby("image_id")["annotator"]}
    with workspace.open() as data:
        latest, force = data.frame("newest_annotations"), data.frame("annotations_in_force")
    counting = {row["image_id"]: row for row in force.to_dict("records")}
    of_several = _of_several(latest)
    changed = 0
    for identity, names in authors.items():
        row, annotation = rows.get(identity), counting.get(identity)
        is_ours = row is not None and row["shot"] is not None and row["annotator"] in names
        before = row["shot"] if row else None
        if annotation is None:
            shot = None if is_ours else before
        elif before is not None and not is_ours and identity not in fresh:
            shot = before
        else:
            shot = of_several.get(identity) or _shot(annotation) or before
            if shot == FULL and before is None and identity in full:
                shot = None  # boxes on what is held for full change nothing
        if shot == before:
            continue
        changed += 1
        by, when = (annotation["annotator"], annotation["updated_at"]) if annotation else (None, None)
        cells = row or dict.fromkeys(map(str, overrides.columns))
        rows[identity] = {**cells, "image_id": identity, "shot": shot, "annotator": by, "judged_at": when}
        if shot is None and rows[identity]["keep"] is None:
            del rows[identity]
    if changed:
        workspace.write("verdicts", tables.frame("verdicts", rows.values()))
    return changed


def _of_several(latest: pd.DataFrame) -> dict[str, str]:
    """The shot of each picture that several people annotated: what more than half of them say, else unclear."""
    latest = latest[(latest["verdict"] != "skipped") & latest["annotator"].ne(CONSENSUS).fillna(True)]
    latest = latest.sort_values("revision").drop_duplicates(["image_id", "annotator"], keep="last")
    shots: dict[str, list[str]] = {}
    for row in latest.to_dict("records"):
        shot = _shot(row)
        if shot is not None:
            shots.setdefault(row["image_id"], []).append(shot)
    decided = {}
    for identity, each in shots.items():
        if len(each) > 1:
            shot, count = Counter(each).most_common(1)[0]
            decided[identity] = shot if 2 * count > len(each) else UNCLEAR
    return decided


def _shot(annotation: Mapping[Any, Any]) -> str | None:
    """The shot that an annotation says; None where it says none."""
    if annotation["verdict"] == "boxes":
        return FULL
    return None if pd.isna(annotation["shot"]) else str(annotation["shot"])
