"""Curation: pose, the full-shot rule, quality, copies, splits, the exported CSVs and the report."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullshot.settings import Settings
    from fullshot.workspace import Workspace


def curate(workspace: "Workspace", settings: "Settings", *, overlays: bool = False) -> dict[str, Any]:
    """Judge every picture, find copies, split the products, export the CSVs: :func:`curation.run.curate`."""
    from curation.run import curate as work

    return work(workspace, settings, overlays=overlays)
