"""The report of a workspace: one HTML file with counts, charts and pictures, which opens without a network."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullshot.settings import Settings
    from fullshot.workspace import Workspace


def report(
    workspace: "Workspace", settings: "Settings", *, truth: Path | None = None, output: Path | None = None
) -> dict[str, Any]:
    """Write ``report.html`` of a curated workspace: :func:`curation.report.run.report`."""
    from curation.report.run import report as work

    return work(workspace, settings, truth=truth, output=output)
