"""Curate a workspace: the workers start before this process loads what only the tables need."""

import functools
from typing import TYPE_CHECKING, Any

from fullshot.core.engines import ENGINES, open_engine
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.features import versions
from fullshot.curation.pose import POSE_ESTIMATORS, open_pose_estimator

if TYPE_CHECKING:
    from fullshot.curation.pose import PoseEstimator


def prepare(estimator: "PoseEstimator") -> None:
    """Load what a worker process needs, its estimator's model included."""
    import numpy as np

    from fullshot.curation.features.extract import resident

    resident(estimator).predict(np.zeros((64, 64, 3), np.uint8))


def curate(workspace: Workspace, settings: Settings, *, overlays: bool = False) -> dict[str, Any]:
    """Classify every picture, find duplicates, split the products, export the CSVs: :func:`pipeline.curate`."""
    workspace.must_have("images", "products")
    ENGINES.check(settings.engine.name)
    POSE_ESTIMATORS.check(settings.curate.pose)
    with open_engine(settings.engine.name, settings.curate.processes) as workers:
        # To load MediaPipe takes each of them as long as fifty pictures: they do it while this process loads pandas.
        if versions.is_all_new(workspace):
            workers.start(functools.partial(prepare, open_pose_estimator(settings)))
        from fullshot.curation.pipeline import curate as work

        return work(workspace, settings, workers, overlays=overlays)
