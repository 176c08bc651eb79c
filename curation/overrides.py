"""What people say of pictures, in ``verdicts.csv``: it overrides the rule and the checks, and no run changes it."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute as pc
from numpy.typing import NDArray

from fullshot.curation.shots.rule import FULL, UNCLEAR
from fullshot.curation.words import Words

BY_A_PERSON = "said by a person"
OF_A_COPY = "said by a person, of a copy"
"""Reasons in ``curated.shot_reason``; version 0.1 wrote the same."""


@dataclass(frozen=True)
class Decisions:
    """What is decided of N pictures; shape (N,) each.

    Attributes:
        shot: ``full``, ``half``, ``item`` or ``unclear``.
        score: in [0, 1].
        reason: in words.
        issues: names of what is wrong, empty where nothing is.
        keep: whether it is not rejected.
        machine_shot: the rule's own.
        overridden: whether a person said something else than the rule and the checks.
    """

    shot: Words
    score: NDArray[np.float64]
    reason: Words
    issues: Words
    keep: NDArray[np.bool_]
    machine_shot: Words
    overridden: NDArray[np.bool_]


@dataclass(frozen=True)
class RuleVerdicts:
    """What the full-shot rule says of N pictures; see :class:`fullshot.curation.shots.rule.ShotVerdict`."""

    shot: Words
    score: NDArray[np.float64]
    reason: Words


def apply_overrides(
    image_ids: pyarrow.ChunkedArray, verdicts: RuleVerdicts, issues: Words, overrides: pd.DataFrame
) -> Decisions:
    """What the rule and the checks found, overridden by people.

    Args:
        image_ids: of the pictures; N of them.
        verdicts: the rule's, in that order.
        issues: the names of what is wrong with each picture, empty where nothing is, in that order.
        overrides: columns ``image_id``, ``shot`` and ``keep`` of ``verdicts``.
    """
    shot, score, reason = verdicts.shot.copy(), verdicts.score.round(4), verdicts.reason.copy()
    good = issues.equal("")
    keep = good.copy()
    found = pc.index_in(image_ids, value_set=pyarrow.array(overrides["image_id"], pyarrow.string()))
    rows = np.flatnonzero(found.is_valid().to_numpy())
    said = overrides.iloc[found.drop_null().to_numpy()]
    with_shot = said["shot"].notna().to_numpy(bool)
    changed = rows[with_shot]
    shots = said["shot"].to_numpy(object)[with_shot]
    shot.put(changed, shots)
    score[changed] = shots == FULL
    reason.put(changed, BY_A_PERSON)
    with_keep = said["keep"].notna().to_numpy(bool)
    keep[rows[with_keep]] = said["keep"].to_numpy(object)[with_keep].astype(bool)
    overridden = shot.differ(verdicts.shot) | (keep != good)
    return Decisions(shot, score, reason, issues, keep, verdicts.shot, overridden)


def spread_to_copies(decisions: Decisions, cluster: NDArray[np.int64]) -> Decisions:
    """A person's override of one copy holds for the others too; where people differ, the others are unclear.

    Args:
        decisions: of N pictures.
        cluster: int64 (N,): the lowest row of each picture's near duplicates; -1 where it has none.
    """
    by_a_person = decisions.reason.equal(BY_A_PERSON)
    said: dict[int, str | None] = {}  # by a cluster's lowest row
    for row in np.flatnonzero(by_a_person & (cluster >= 0)).tolist():
        of_it, now = int(cluster[row]), decisions.shot[row]
        said[of_it] = now if said.get(of_it) in (None, now) else UNCLEAR
    copies = np.isin(cluster, np.fromiter(said, np.int64, len(said)))
    changed = np.flatnonzero(copies & ~by_a_person)
    of_copies = np.array([said[of_it] for of_it in cluster[changed].tolist()], object)
    shot, score, reason = decisions.shot.copy(), decisions.score.copy(), decisions.reason.copy()
    shot.put(changed, of_copies)
    score[changed] = of_copies == FULL
    reason.put(changed, OF_A_COPY)
    overridden = decisions.overridden.copy()
    overridden[changed] |= shot.differ(decisions.machine_shot)[changed]
    return replace(decisions, shot=shot, score=score, reason=reason, overridden=overridden)
