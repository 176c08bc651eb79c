"""``fullshot annotate``: a Label Studio, and the workspace's pictures in it and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fullshot.cli.console import command, print_stats
from fullshot.cli.options import JsonFlag, WorkspaceArgument
from fullshot.core.process import tidy_up_when_terminated

if TYPE_CHECKING:
    from fullshot.core.settings import Settings
    from fullshot.core.workspace import Workspace

app = typer.Typer(help="Let people draw boxes, in Label Studio.", no_args_is_help=True)

UrlFlag = Annotated[str | None, typer.Option(help="a Label Studio that runs elsewhere; else the workspace's own")]
TokenFlag = Annotated[str | None, typer.Option(help="for that one; better in FULLSHOT_ANNOTATE_TOKEN")]
ProjectFlag = Annotated[str | None, typer.Option(help="title of the project")]


@app.command()
@command
def serve(
    workspace: WorkspaceArgument,
    port: Annotated[int | None, typer.Option(help="where it listens, on this machine only; 0: any free one")] = None,
) -> None:
    """Start the workspace's own Label Studio, and keep it until Ctrl-C."""
    from fullshot.annotate import served_label_studio
    from fullshot.core.workspace import Workspace

    tidy_up_when_terminated()
    place = Workspace(workspace)
    settings = place.settings(annotate={"port": port})
    with served_label_studio(place, settings.annotate.port) as server:
        print(f"Label Studio answers at {server.url}", flush=True)
        print(f"user {server.credentials.user}, password in {server.user_file}", flush=True)
        print(f"`fullshot annotate push {workspace}` brings the pictures; Ctrl-C ends it", flush=True)
        server.wait()


@app.command()
@command
def push(
    workspace: WorkspaceArgument,
    url: UrlFlag = None,
    token: TokenFlag = None,
    project: ProjectFlag = None,
    pictures: Annotated[
        str | None, typer.Option(help="where browsers find the pictures: http(s)://…, s3://…; else served locally")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring pictures and the machine's boxes to annotators; run again, it brings what changed."""
    from fullshot import annotate

    place, settings = _place(workspace, url=url, token=token, project=project, pictures=pictures)
    with annotate.connected(place, settings.annotate) as client:
        place.must_have("images", "curated")
        print_stats(annotate.push(place, settings, client), as_json)


@app.command()
@command
def queue(workspace: WorkspaceArgument, as_json: JsonFlag = False) -> None:
    """Decide what to annotate next, and why; `push` passes it on to the annotators."""
    from fullshot import annotate

    place, settings = _place(workspace)
    place.must_have("images", "curated")
    print_stats(annotate.prioritise(place, settings), as_json)


@app.command()
@command
def pull(
    workspace: WorkspaceArgument,
    url: UrlFlag = None,
    token: TokenFlag = None,
    project: ProjectFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring what annotators drew and said into boxes.csv, annotations.csv and verdicts.csv."""
    from fullshot import annotate

    place, settings = _place(workspace, url=url, token=token, project=project)
    with annotate.connected(place, settings.annotate) as client:
        place.must_have("images")
        print_stats(annotate.pull(place, settings, client), as_json)


@app.command()
@command
def backend(
    workspace: WorkspaceArgument,
    port: Annotated[int | None, typer.Option(help="where it listens; 0: any free one")] = None,
    url: UrlFlag = None,
    token: TokenFlag = None,
    project: ProjectFlag = None,
) -> None:
    """Draw boxes for the task that is open, and train again as annotations come, until Ctrl-C."""
    from fullshot import annotate

    tidy_up_when_terminated()
    place, settings = _place(workspace, url=url, token=token, project=project, backend_port=port)
    with annotate.connected(place, settings.annotate) as client:
        annotate.serve_backend(place, settings, client)


def _place(workspace: Path, **flags: Any) -> "tuple[Workspace, Settings]":
    from fullshot.core.workspace import Workspace

    place = Workspace(workspace)
    return place, place.settings(annotate=flags)
