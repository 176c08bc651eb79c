"""``fullshot embed``: vectors of pictures, as Parquet."""

from pathlib import Path
from typing import Annotated

import typer

from fullshot.cli.console import command, print_stats


@command
def embed(
    places: Annotated[list[Path], typer.Argument(metavar="WS|FOLDER|PHOTO…", help="a workspace, or photos")],
    output: Annotated[Path, typer.Option(metavar="FILE.parquet", help="the file to write")],
    weights: Annotated[
        str, typer.Option(help="a run, a .safetensors file, starter, imagenet, hf-hub:ORG/NAME, open_clip:ARCH/TAG")
    ] = "",
    size: Annotated[int, typer.Option(min=0, help="the first numbers of each vector; 0: all")] = 0,
    boxes: Annotated[bool, typer.Option("--boxes", help="of a workspace: the crops of its boxes as well")] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps, …; the best there is if not given")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the stats as one JSON object")] = False,
) -> None:
    """Turn pictures into vectors, in a Parquet file; works without a workspace."""
    from fullshot.core.errors import StageFailed, UserError
    from fullshot.core.progress import say
    from fullshot.core.workspace import Workspace
    from fullshot.train import detector, embedder

    if output.is_dir():
        raise UserError(f"expected a file to write, got the folder {output}")
    place = Workspace(places[0]) if len(places) == 1 and embedder.is_workspace(places[0]) else None
    if boxes and place is None:
        raise UserError("--boxes are those of a workspace: name one, and nothing else")
    if place is None:
        detector.Photos(places)  # says which is not there
    from fullshot.core import settings as settings_module

    given = {"device": device}
    settings = place.settings(embedder=given) if place else settings_module.load(embedder=given)
    if place and not weights:
        source = embedder.source_in_use(place, settings)
    elif place:
        source = embedder.find_source(weights, place, settings)
    else:
        source = embedder.open_source(weights or embedder.STARTER, settings)
    wanted = embedder.Wanted(source, output, size, settings.embedder.device)
    say(f"embed: weights {source.name}, {source.digest[:16]}")
    if place:
        stats = embedder.embed_workspace(place, settings, wanted, boxes=boxes)
    else:
        stats = embedder.embed_photos(places, wanted)
    print_stats(stats, as_json)
    if stats["unreadable"]:
        total = stats["vectors"] + stats["unreadable"]
        raise StageFailed(f"{stats['unreadable']} of {total} pictures cannot be read, see above")
