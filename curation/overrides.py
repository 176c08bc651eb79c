"""What people say of pictures, in ``verdicts.csv``: it overrides the rule and the checks, and no run changes it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullshot.curation.shots.rule import FULL, UNCLEAR, ShotVerdicts

BY_A_PERSON = "said by a person"
OF_A_COPY = "said by a person, of a copy"
"""Reasons in ``curated.shot_reason``; version 0.1 wrote the same."""


@dataclass(frozen=True)
class Decisions:
    """What is decided of N pictures; shape (N,) each, words as objects.

    Attributes:
        shot: ``full``, ``half``, ``item`` or ``unclear``.
        score: in [0, 1].
        reason: in words.
        issues: names of what is wrong, empty where nothing is.
        keep: whether it is not rejected.
        machine_shot: the rule's own.
        overridden: whether a person said something else than the rule and the checks.
    """

    shot: NDArray[np.object_]
    score: NDArray[np.float64]
    reason: NDArray[np.object_]
    issues: NDArray[np.object_]
    keep: NDArray[np.bool_]
    machine_shot: NDArray[np.object_]
    overridden: NDArray[np.bool_]


def apply_overrides(
    image_ids: pyarrow.ChunkedArray, verdicts: ShotVerdicts, issues: NDArray[np.object_], overrides: pd.DataFrame
) -> Decisions:
    """What the rule and the checks found, overridden by people.

    Args:
        image_ids: of the pictures; N of them.
        verdicts: the rule's, in that order.
        issues: the names of what is wrong with each picture, empty where nothing is, in that order.
        overrides: columns ``image_id``, ``shot`` and ``keep`` of ``verdicts``.
    """
    shot, score, reason = verdicts.shot.copy(), verdicts.score.round(4), verdicts.reason.copy()
    good = np.asarray(issues == "", np.bool_)
    keep = good.copy()
    found = pc.index_in(image_ids, value_set=pyarrow.array(overrides["image_id"], pyarrow.string()))
    rows = np.flatnonzero(found.is_valid().to_numpy())
    said = overrides.iloc[found.drop_null().to_numpy()]
    with_shot = said["shot"].notna().to_numpy(bool)
    changed = rows[with_shot]
    shot[changed] = said["shot"].to_numpy(object)[with_shot]
    score[changed] = shot[changed] == FULL
    reason[changed] = BY_A_PERSON
    with_keep = said["keep"].notna().to_numpy(bool)
    keep[rows[with_keep]] = said["keep"].to_numpy(object)[with_keep].astype(bool)
    overridden = np.asarray((shot != verdicts.shot) | (keep != good), np.bool_)
    return Decisions(shot, score, reason, issues, keep, verdicts.shot, overridden)


def spread_to_copies(decisions: Decisions, cluster: NDArray[np.int64]) -> Decisions:
    """A person's override of one copy holds for the others too; where people differ, the others are unclear.

    Args:
        decisions: of N pictures.
        cluster: int64 (N,): the lowest row of each picture's near duplicates; -1 where it has none.
    """
    by_a_person = np.asarray(decisions.reason == BY_A_PERSON, np.bool_)
    those = np.flatnonzero(by_a_person & (cluster >= 0))
    said: NDArray[Any] = np.full(len(cluster), None, object)
    for row in those.tolist():
        before, now = said[cluster[row]], decisions.shot[row]
        said[cluster[row]] = now if before in (None, now) else UNCLEAR
    of_copies = said[cluster]
    changed = np.flatnonzero((cluster >= 0) & ~by_a_person & pd.notna(of_copies))
    shot, score, reason = decisions.shot.copy(), decisions.score.copy(), decisions.reason.copy()
    overridden = decisions.overridden.copy()
    shot[changed] = of_copies[changed]
    score[changed] = of_copies[changed] == FULL
    reason[changed] = OF_A_COPY
    overridden[changed] |= np.asarray(shot[changed] != decisions.machine_shot[changed], np.bool_)
    return replace(decisions, shot=shot, score=score, reason=reason, overridden=overridden)
