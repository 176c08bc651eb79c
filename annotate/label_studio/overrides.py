"""What annotators say of shots, as verdicts of people."""

from collections.abc import Mapping, Set
from typing import Any

import pandas as pd

from fullshot.core import tables
from fullshot.core.annotations import in_force
from fullshot.core.workspace import Workspace


def judge(workspace: Workspace, fresh: Set[str]) -> int:
    """Bring what annotators say of shots into ``verdicts``.

    A verdict that somebody wrote there by hand stays until an annotator says something new of that picture.

    Args:
        workspace: with the annotations.
        fresh: pictures of which they did.

    Returns:
        How many changed.
    """
    annotations = workspace.read_if_there("annotations")
    if annotations.empty:
        return 0
    curated, verdicts = workspace.read_if_there("curated"), workspace.read_if_there("verdicts")
    full = set(curated.loc[curated["full_shot"].fillna(False).astype(bool), "image_id"])
    known = verdicts.astype(object).where(verdicts.notna(), None)
    rows: dict[str, dict[str, Any]] = {
        str(row["image_id"]): {str(name): cell for name, cell in row.items()} for row in known.to_dict("records")
    }
    authors = {str(identity): set(names.dropna()) for identity, names in annotations.groupby("image_id")["annotator"]}
    force = {row["image_id"]: row for row in in_force(annotations).to_dict("records")}
    changed = 0
    for identity, names in authors.items():
        there, said = rows.get(identity), force.get(identity)
        is_ours = there is not None and there["shot"] is not None and there["annotator"] in names
        before = there["shot"] if there else None
        if said is None:
            shot = None if is_ours else before
        elif before is None or is_ours or identity in fresh:
            shot = _shot(said, before, identity in full)
        else:
            shot = before
        if shot == before:
            continue
        changed += 1
        by, when = (said["annotator"], said["updated_at"]) if said else (None, None)
        row = there or dict.fromkeys(map(str, verdicts.columns))
        rows[identity] = {**row, "image_id": identity, "shot": shot, "annotator": by, "judged_at": when}
        if shot is None and rows[identity]["keep"] is None:
            del rows[identity]
    if changed:
        workspace.write("verdicts", tables.frame("verdicts", rows.values()))
    return changed


def _shot(said: Mapping[Any, Any], before: str | None, is_full: bool) -> str | None:
    """The verdict on a picture after what counts of it; boxes on one that is held for full change nothing."""
    if said["verdict"] == "not_full_shot":
        return before if pd.isna(said["shot"]) else str(said["shot"])
    return before if before is None and is_full else "full"
