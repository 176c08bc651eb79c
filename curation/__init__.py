"""Curation: pose, the full-shot rule, quality, copies, splits, the exported CSVs and the report."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullshot.core.settings import Settings
    from fullshot.core.workspace import Workspace


def curate(workspace: "Workspace", settings: "Settings", *, overlays: bool = False) -> dict[str, Any]:
    """Judge every picture, find copies, split the products, export the CSVs: :func:`pipeline.curate`."""
    import functools

    from fullshot.core.engines import open_engine
    from fullshot.curation.features import versions as kept
    from fullshot.curation.pose import estimators

    with open_engine(settings.engine.name, settings.curate.processes) as workers:
        # To load MediaPipe takes each of them as long as fifty pictures: they do it while this process loads pandas.
        if kept.is_all_new(workspace):
            workers.start(functools.partial(estimators.prepare, estimators.chosen(settings)))
        from fullshot.curation.pipeline import curate as work

        return work(workspace, settings, workers, overlays=overlays)
