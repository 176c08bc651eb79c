"""What people say of pictures, in ``verdicts.csv``: it overrides the rule and the checks, and no run changes it."""

from typing import Any

import pandas as pd

from fullshot.core.workspace import Workspace
from fullshot.curation.shots.rule import FULL, UNCLEAR, ShotVerdicts

BY_A_PERSON = "said by a person"
OF_A_COPY = "said by a person, of a copy"
"""Reasons in ``curated.shot_reason``; version 0.1 wrote the same."""


def apply_overrides(
    workspace: Workspace, identities: "pd.Series[str]", verdicts: ShotVerdicts, issues: "pd.Series[str]"
) -> pd.DataFrame:
    """What the rule and the checks found, overridden by people.

    Args:
        workspace: with its ``verdicts.csv``, where there is one.
        identities: the image_id of every picture; N of them.
        verdicts: the rule's, in that order.
        issues: the names of what is wrong with each picture, empty where nothing is, in that order.

    Returns:
        Columns ``image_id, full_shot, shot_score, shot_reason, issues, shot, keep, machine_shot`` and ``overridden``
        (whether a person said something else than the rule and the checks).
    """
    frame = pd.DataFrame(
        {
            "image_id": identities.array,
            "shot": verdicts.shot,
            "shot_score": verdicts.score.round(4),
            "shot_reason": verdicts.reason,
            "issues": issues.array,
        }
    )
    frame["keep"] = frame["issues"].fillna("") == ""
    overrides = workspace.read_if_there("verdicts").set_index("image_id").reindex(frame["image_id"])
    shot, keep = overrides["shot"].array, overrides["keep"].array
    before = frame[["shot", "keep"]].copy()
    frame["machine_shot"] = frame["shot"]
    with_shot = overrides["shot"].notna().to_numpy()
    frame.loc[with_shot, "shot"] = shot[with_shot].astype(object)
    frame.loc[with_shot, "shot_score"] = [float(each == FULL) for each in shot[with_shot]]
    frame.loc[with_shot, "shot_reason"] = BY_A_PERSON
    with_keep = overrides["keep"].notna().to_numpy()
    frame.loc[with_keep, "keep"] = keep[with_keep].astype(bool)
    frame["overridden"] = (frame[["shot", "keep"]] != before).any(axis=1)
    return frame.assign(full_shot=_full_shot(frame["shot"]))


def spread_to_copies(rows: pd.DataFrame) -> pd.DataFrame:
    """A person's override of one copy holds for the others too; where people differ, the others are unclear.

    Args:
        rows: as :func:`apply_overrides` gives them, and ``cluster``.
    """
    by_a_person = rows["shot_reason"] == BY_A_PERSON
    shots = rows[by_a_person & rows["cluster"].notna()].groupby("cluster")["shot"].agg(["first", "nunique"])
    of_copies = rows["cluster"].map(shots["first"].where(shots["nunique"] == 1, UNCLEAR))
    changed = of_copies.notna() & ~by_a_person
    result = rows.copy()
    result.loc[changed, "shot"] = of_copies[changed]
    result.loc[changed, "shot_score"] = (of_copies[changed] == FULL).astype(float)
    result.loc[changed, "shot_reason"] = OF_A_COPY
    result.loc[changed, "overridden"] |= result.loc[changed, "shot"] != result.loc[changed, "machine_shot"]
    result["full_shot"] = _full_shot(result["shot"])
    return result


def _full_shot(shots: "pd.Series[str]") -> Any:
    return pd.array([None if each == UNCLEAR else each == FULL for each in shots], "boolean")
