"""The report of a workspace: one HTML file with counts, charts and pictures, which opens without a network."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullshot.core.errors import UserError

if TYPE_CHECKING:
    from fullshot.core.settings import Settings
    from fullshot.core.workspace import Workspace


def write_report(
    workspace: "Workspace", settings: "Settings", *, truth: Path | None = None, output: Path | None = None
) -> dict[str, Any]:
    """Write ``report.html`` of a curated workspace: :func:`fullshot.curation.report.run.write_report`."""
    workspace.must_have("images", "products", "curated")
    if truth is not None and not truth.is_file():
        raise UserError(f"expected a CSV of what is known, got no such file: {truth}")
    from fullshot.curation.report.run import write_report as work

    return work(workspace, settings, truth=truth, output=output)
