"""``fullshot gc``: what is kept of pictures and no command needs any more."""

from typing import Annotated

import typer

from fullshot.cli.console import command, print_stats
from fullshot.cli.options import JsonFlag, WorkspaceArgument


@command
def gc(
    workspace: WorkspaceArgument,
    yes: Annotated[bool, typer.Option("--yes", help="remove it; without this, it is only told")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Tell what no command needs of what was kept of pictures, such as another detector's boxes; --yes removes it."""
    from fullshot.core.workspace import Workspace

    place = Workspace(workspace)
    place.must_have("images")
    settings = place.settings()
    from fullshot import annotate, curation, index
    from fullshot.core.features import collect_garbage
    from fullshot.core.progress import say
    from fullshot.train import embedder, unknown_runs

    for kind in ("detector", "embedder"):
        for file in unknown_runs(place, kind):
            say(f"fullshot gc: {file} cannot be read: all that {kind}s made is kept")
    in_use = [
        curation.features_in_use(place, settings),
        annotate.features_in_use(place),
        embedder.features_in_use(place, settings),
        index.features_in_use(place),
    ]
    stats = collect_garbage(place, in_use, remove=yes)
    print_stats(stats, as_json)
    if stats["waste"] and not yes:
        say(f"nothing was removed: `fullshot gc {workspace} --yes` removes it")
