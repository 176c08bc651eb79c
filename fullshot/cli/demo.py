"""``fullshot demo``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fullshot.cli.console import command
from fullshot.cli.options import JsonFlag


@command
def demo(
    workspace: Annotated[Path, typer.Argument(metavar="[WS]", help="where to put it")] = Path("datasets/demo"),
    fresh: Annotated[bool, typer.Option("--fresh", help="throw away what an earlier demo left there")] = False,
    seed: Annotated[int, typer.Option(help="another seed, another shop")] = 7,
    collections: Annotated[
        int,
        typer.Option(
            help="size of the shop: six or seven products each", min=3, max=38, envvar="FULLSHOT_DEMO_COLLECTIONS"
        ),
    ] = 38,
    port: Annotated[int, typer.Option(help="port of the shop on this machine; 0: 8765, or a free one")] = 0,
    serve: Annotated[bool, typer.Option("--serve", help="only open the shop again, until Ctrl-C")] = False,
    as_json: JsonFlag = False,
) -> None:
    """The whole way, against the built-in shop: crawl, curate, train, index, recommend. Run again, it goes on."""
    from fullshot.demo import keep_open, run_demo

    if serve:
        keep_open(workspace)
        return
    card = run_demo(workspace, seed=seed, collections=collections, port=port, fresh=fresh)
    if as_json:
        print(json.dumps(card.as_json(), ensure_ascii=False))
    else:
        card.print()
