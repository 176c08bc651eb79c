"""Curate a workspace: the workers start before this process loads what only the tables need."""

import functools
from typing import Any

from fullshot.core.engines import ENGINES, open_engine
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.features import versions, worker
from fullshot.curation.pose import POSE_ESTIMATORS, open_pose_estimator


def curate(workspace: Workspace, settings: Settings, *, overlays: bool = False) -> dict[str, Any]:
    """Classify every picture, find duplicates, split the products, export the CSVs: :func:`pipeline.curate`."""
    workspace.must_have("images", "products")
    ENGINES.check(settings.engine.name)
    POSE_ESTIMATORS.check(settings.curate.pose)
    with open_engine(settings.engine.name, settings.curate.processes) as workers:
        # To load MediaPipe takes each of them as long as fifty pictures: they do it while this process loads pandas.
        if versions.is_all_new(workspace):
            workers.start(worker.load_libraries)
            workers.start(functools.partial(worker.load_model, open_pose_estimator(settings)))
        from fullshot.curation.pipeline import curate as work

        return work(workspace, settings, workers, overlays=overlays)
