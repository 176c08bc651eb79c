"""Overlay pictures of a workspace: what the pose model saw, and what the rule made of it."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core import engines
from fullshot.core import pictures as storage
from fullshot.core.files import write_bytes
from fullshot.core.progress import bar
from fullshot.core.settings import CurateSettings
from fullshot.core.workspace import Workspace
from fullshot.curation.features.extract import LONGEST
from fullshot.curation.features.store import ImageFeatures
from fullshot.curation.pose.people import People
from fullshot.curation.pose.skeletons import Skeleton
from fullshot.curation.shots import overlay

FOLDER = "overlays"

_SHARD = 64


@dataclass(frozen=True, eq=False)
class Job:
    """A picture, the people on it, and the words for its foot."""

    image_id: str
    path: str
    people: People
    caption: str


def write_all(
    workspace: Workspace, pictures: pd.DataFrame, features: ImageFeatures, curated: pd.DataFrame, limits: CurateSettings
) -> int:
    """Draw every readable picture's overlay into ``overlays/ab/abcd….jpg``.

    Args:
        workspace: where to.
        pictures: columns ``image_id`` and ``path``.
        features: the people.
        curated: the verdicts.
        limits: a joint counts where its visibility is what the rule asks of a head, an ankle or a body.

    Returns:
        How many were drawn.
    """
    paths = dict(zip(pictures["image_id"], pictures["path"], strict=True))
    said = curated.set_index("image_id")
    jobs = []
    for row, identity in enumerate(features.frame["image_id"]):
        verdict = said.loc[identity]
        caption = f"{verdict['shot']} {verdict['shot_score']:.2f}: {verdict['shot_reason']}"
        jobs.append(Job(identity, paths[identity], features.people_of(row), caption))
    parts = engines.shards(jobs, _SHARD)
    work = functools.partial(_draw, root=workspace.root, least=_least(features.people.skeleton, limits))
    with bar("overlays", "pictures") as advance:
        done = 0
        for number, _ in engines.map_shards(work, parts, limits.processes):
            done += len(parts[number])
            advance(done, len(jobs))
    return len(jobs)


def _least(skeleton: Skeleton, limits: CurateSettings) -> NDArray[np.float64]:
    """The visibility from which on each joint counts; shape (J,)."""
    least = np.full(len(skeleton.joints), limits.body_visibility)
    least[skeleton.rows(skeleton.head)] = limits.visibility
    least[skeleton.rows(skeleton.ankles)] = limits.ankle_visibility
    return least


def _draw(jobs: Sequence[Job], *, root: Path, least: NDArray[np.float64]) -> None:
    for job in jobs:
        try:
            picture = storage.read_reduced(root / job.path, LONGEST).pixels
        except (storage.NotAnImage, OSError):
            continue  # it went away since it was looked at
        drawn = overlay.draw(picture, job.people, overlay.counting(job.people, least), job.caption)
        write_bytes(root / FOLDER / job.image_id[:2] / f"{job.image_id}.jpg", overlay.encode(drawn))
