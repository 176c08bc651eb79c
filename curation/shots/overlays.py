"""Overlay pictures of a workspace: what the pose estimator found, and what the rule made of it."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fullshot.core.engines import map_shards, shards
from fullshot.core.files import write_bytes
from fullshot.core.pictures import read_or_none
from fullshot.core.progress import bar, say_unreadable
from fullshot.core.settings import CurateSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.features.extract import read_for_features
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


def write_overlays(
    workspace: Workspace, pictures: pd.DataFrame, features: ImageFeatures, curated: pd.DataFrame, settings: Settings
) -> None:
    """Draw the overlay of every picture that has features into ``overlays/ab/abcd….jpg``.

    A picture that cannot be read by now is named on stderr.

    Args:
        workspace: where to.
        pictures: columns ``image_id`` and ``path``.
        features: the people.
        curated: what was decided of the pictures.
        settings: a joint counts where its visibility is what the rule asks of a head, an ankle or a body.
    """
    limits = settings.curate
    paths = dict(zip(pictures["image_id"], pictures["path"], strict=True))
    decisions = curated.set_index("image_id")
    jobs = []
    for row, identity in enumerate(features.image_ids.to_pylist()):
        decision = decisions.loc[identity]
        caption = f"{decision['shot']} {decision['shot_score']:.2f}: {decision['shot_reason']}"
        jobs.append(Job(identity, paths[identity], features.people_of(row), caption))
    parts = shards(jobs, _SHARD)
    least = _least_visibility(features.people.skeleton, limits)
    work = functools.partial(_draw, root=workspace.root, least=least)
    unreadable: list[str] = []
    with bar("overlays", "pictures") as advance:
        done = 0
        for number, failed in map_shards(work, parts, limits.processes, settings.engine.name):
            unreadable += failed
            done += len(parts[number])
            advance(done, len(jobs))
    say_unreadable("overlays", sorted(unreadable))


def _least_visibility(skeleton: Skeleton, limits: CurateSettings) -> NDArray[np.float64]:
    """The visibility from which on each joint counts; shape (J,)."""
    least = np.full(len(skeleton.joints), limits.body_visibility)
    least[skeleton.rows(skeleton.head)] = limits.visibility
    least[skeleton.rows(skeleton.ankles)] = limits.ankle_visibility
    return least


def _draw(jobs: Sequence[Job], *, root: Path, least: NDArray[np.float64]) -> list[str]:
    """Draw some overlays; returns the paths of pictures that cannot be read."""
    unreadable = []
    for job in jobs:
        picture = read_or_none(root / job.path, read_for_features)
        if picture is None:
            unreadable.append(job.path)
            continue
        drawn = overlay.draw(picture.pixels, job.people, overlay.counting(job.people, least), job.caption)
        write_bytes(root / FOLDER / job.image_id[:2] / f"{job.image_id}.jpg", overlay.encode(drawn))
    return unreadable
