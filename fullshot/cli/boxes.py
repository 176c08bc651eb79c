"""``fullshot boxes``: bring boxes in."""

from pathlib import Path
from typing import Annotated

import typer

from fullshot.cli.options import JsonFlag, WorkspaceArgument
from fullshot.console import print_stats, verb

app = typer.Typer(help="Bring boxes in.", no_args_is_help=True)


@app.command("import")
@verb
def boxes_import(
    workspace: WorkspaceArgument,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="the file with the boxes")],
    box_format: Annotated[str, typer.Option("--format", help="its format")] = "coco",
    images: Annotated[Path | None, typer.Option(help="folder of its pictures; beside the file if not given")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring boxes in; they are matched to the workspace's pictures by content."""
    from annotate.boxes import import_boxes
    from fullshot.workspace import Workspace

    place = Workspace(workspace)
    print_stats(import_boxes(place, place.settings(), path, box_format, images), as_json)
