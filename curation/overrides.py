"""What people say of pictures, in ``verdicts.csv``: it outweighs the machine, and no run changes it."""

from typing import Any

import pandas as pd

from fullshot.core.workspace import Workspace
from fullshot.curation.shots.rule import FULL, UNCLEAR, Verdicts

BY_A_PERSON = "said by a person"
OF_A_COPY = "said by a person, of a copy"

UNREADABLE = ("missing", "not-an-image", "too-large")
"""Issues that nobody can overrule: there are no pixels."""


def judged(
    workspace: Workspace, identities: "pd.Series[str]", verdicts: Verdicts, issues: "pd.Series[str]"
) -> pd.DataFrame:
    """The machine's verdicts, overruled by people's.

    Args:
        workspace: with its ``verdicts.csv``, where there is one.
        identities: the image_id of every picture; N of them.
        verdicts: the machine's, in that order.
        issues: the names of what is wrong with each picture, empty where nothing is, in that order.

    Returns:
        Columns ``image_id, full_shot, shot_score, shot_reason, issues, shot, keep, machine_shot`` and ``overruled``
        (whether a person's verdict differs from the machine's).
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
    people = workspace.read_if_there("verdicts").set_index("image_id").reindex(frame["image_id"])
    shot, keep = people["shot"].array, people["keep"].array
    machine = frame[["shot", "keep"]].copy()
    frame["machine_shot"] = frame["shot"]
    said = people["shot"].notna().to_numpy()
    frame.loc[said, "shot"] = shot[said].astype(object)
    frame.loc[said, "shot_score"] = [float(each == FULL) for each in shot[said]]
    frame.loc[said, "shot_reason"] = BY_A_PERSON
    kept = people["keep"].notna().to_numpy()
    frame.loc[kept, "keep"] = keep[kept].astype(bool)
    frame["overruled"] = (frame[["shot", "keep"]] != machine).any(axis=1)
    return frame.assign(full_shot=_full_shot(frame["shot"]))


def spread(said: pd.DataFrame) -> pd.DataFrame:
    """A person's word on one copy holds for the others too; where people differ, the others are unclear.

    Args:
        said: as :func:`judged` gives it, and ``cluster``.
    """
    by_a_person = said["shot_reason"] == BY_A_PERSON
    words = said[by_a_person & said["cluster"].notna()].groupby("cluster")["shot"].agg(["first", "nunique"])
    of_copies = said["cluster"].map(words["first"].where(words["nunique"] == 1, UNCLEAR))
    changed = of_copies.notna() & ~by_a_person
    result = said.copy()
    result.loc[changed, "shot"] = of_copies[changed]
    result.loc[changed, "shot_score"] = (of_copies[changed] == FULL).astype(float)
    result.loc[changed, "shot_reason"] = OF_A_COPY
    result.loc[changed, "overruled"] |= result.loc[changed, "shot"] != result.loc[changed, "machine_shot"]
    result["full_shot"] = _full_shot(result["shot"])
    return result


def _full_shot(shots: "pd.Series[str]") -> Any:
    return pd.array([None if each == UNCLEAR else each == FULL for each in shots], "boolean")
