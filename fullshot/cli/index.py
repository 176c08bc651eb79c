"""``fullshot index``, ``recommend`` and ``trace``: the catalog, and what is asked of it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fullshot.cli.console import command, print_stats, print_whole
from fullshot.cli.options import JsonFlag, WorkspaceArgument

app = typer.Typer(help="The searchable catalog.", no_args_is_help=True)


@app.command("build")
@command
def index_build(
    workspace: WorkspaceArgument,
    store: Annotated[
        str | None, typer.Option(help="where the vectors lie: faiss, or what another package brings")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Embed the item shots of every product into the catalog."""
    from fullshot import index
    from fullshot.core.workspace import Workspace
    from fullshot.train import latest_run

    place = Workspace(workspace)
    settings = place.settings(index={"store": store})
    index.VECTOR_STORES.check(settings.index.store)
    place.must_have("products", "images", "curated")
    latest_run(place, "embedder")
    print_stats(index.build_catalog(place, settings), as_json)


@app.command("map")
@command
def index_map(
    workspace: WorkspaceArgument,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="the page; map.html in the workspace")] = None,
    most: Annotated[int, typer.Option(help="items to show; of a larger catalog an even sample")] = 5_000,
    as_json: JsonFlag = False,
) -> None:
    """Draw a map of the catalog, look-alikes side by side: one page that opens offline."""
    from fullshot import index
    from fullshot.core.workspace import Workspace

    place = Workspace(workspace)
    settings = place.settings()
    index.must_be_drawable(place, output, most)
    print_stats(index.draw_map(place, settings, output=output, most=most), as_json)


@command
def recommend(
    workspace: WorkspaceArgument,
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="a photo of a dressed person")],
    output: Annotated[Path, typer.Option(help="where the picture of the answer goes")] = Path("recommendation.png"),
    neighbours: Annotated[int | None, typer.Option(help="look-alikes a garment")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Answer a photo with five look-alikes a garment, with links; also as a picture."""
    from fullshot.core.workspace import Workspace
    from fullshot.index import recommend as answer_photo

    place = Workspace(workspace)
    answer = answer_photo(place, photo, place.settings(recommend={"neighbours": neighbours}), output)
    if as_json:
        print(json.dumps(answer.as_json(), ensure_ascii=False))
    else:
        print_whole(answer.table())
        print(f"picture: {output}")


@command
def trace(
    workspace: WorkspaceArgument,
    image_id: Annotated[str, typer.Argument(metavar="IMAGE_ID", help="a picture, or the first digits of its id")],
    as_json: JsonFlag = False,
) -> None:
    """Where a picture, its boxes and its vector come from."""
    from fullshot.core.workspace import Workspace
    from fullshot.index import trace as trace_image

    print_stats(trace_image(Workspace(workspace), image_id), as_json)
