"""Curation: pose, the full-shot rule, splits and the exported CSVs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullshot.settings import Settings
    from fullshot.workspace import Workspace


def curate(workspace: "Workspace", settings: "Settings") -> dict[str, Any]:
    """Judge every picture of a workspace, split its products, export the CSVs: :func:`curation.run.curate`."""
    from curation.run import curate as work

    return work(workspace, settings)
