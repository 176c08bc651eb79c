"""``fullshot report``."""

from pathlib import Path
from typing import Annotated

import typer

from fullshot.cli.console import command, print_stats
from fullshot.cli.options import JsonFlag, WorkspaceArgument


@command
def report(
    workspace: WorkspaceArgument,
    truth: Annotated[Path | None, typer.Option(help="a CSV that says which pictures are full shots")] = None,
    output: Annotated[Path | None, typer.Option(help="the page's file; else report.html in WS")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make report.html: counts, charts, sample grids, and what to look at, in one file that opens offline."""
    from fullshot.core.workspace import Workspace
    from fullshot.curation import write_report

    place = Workspace(workspace)
    print_stats(write_report(place, place.settings(), truth=truth, output=output), as_json)
