"""``fullshot runs``: the training runs of a workspace, and which of them is in use."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from fullshot.cli.console import command, print_stats, print_whole
from fullshot.cli.options import JsonFlag, WorkspaceArgument


class Kind(StrEnum):
    """What was trained."""

    DETECTOR = "detector"
    EMBEDDER = "embedder"


@command
def runs(
    workspace: WorkspaceArgument,
    kind: Annotated[Kind | None, typer.Argument(help="those of one kind alone")] = None,
    use: Annotated[str | None, typer.Option("--use", metavar="RUN", help="put this finished run in use")] = None,
    delete: Annotated[
        str | None, typer.Option("--delete", metavar="RUN", help="delete this run, which is not in use")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the training runs, newest first; --use puts one in use, --delete removes one that is not."""
    from fullshot.core.errors import UserError
    from fullshot.core.progress import say
    from fullshot.core.workspace import Workspace
    from fullshot.train import delete_run, list_runs, table_of_runs, use_run

    place = Workspace(workspace)
    place.must_be_there()
    if use is not None and delete is not None:
        raise UserError("expected one of --use and --delete, got both")
    chosen = None if kind is None else str(kind)
    if use is not None:
        told = use_run(place, use, chosen)
        print_stats(told, as_json)
        if told["kind"] == Kind.EMBEDDER and told["in_use_before"] != use and place.catalog.is_dir():
            say(f"runs: the catalog is of the embedder before: run `fullshot index build {workspace}`")
        return
    if delete is not None:
        print_stats(delete_run(place, delete, chosen), as_json)
        return
    rows = list_runs(place, chosen)
    if as_json:
        print(json.dumps({"runs": [row.as_json() for row in rows]}, ensure_ascii=False))
    elif rows:
        print_whole(table_of_runs(rows))
    else:
        say(f"runs: none in {workspace} yet: run `fullshot train {chosen or 'detector'} {workspace}` first")
