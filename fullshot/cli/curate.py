"""``fullshot curate``."""

from typing import Annotated

import typer

from fullshot.cli.options import JsonFlag, WorkspaceArgument
from fullshot.console import print_stats, verb


@verb
def curate(
    workspace: WorkspaceArgument,
    processes: Annotated[int | None, typer.Option(help="worker processes; 0: one a core")] = None,
    pose_model: Annotated[str | None, typer.Option(help="a MediaPipe pose .task file")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell full shots from item shots, split by product, export the CSVs."""
    import curation
    from fullshot.workspace import Workspace

    place = Workspace(workspace)
    settings = place.settings(curate={"processes": processes, "pose_model": pose_model})
    print_stats(curation.curate(place, settings), as_json)
