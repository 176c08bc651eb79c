"""``fullshot boxes``: bring boxes in, or take them out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from fullshot.cli.console import command, print_stats
from fullshot.cli.options import JsonFlag, NamingCommand, WorkspaceArgument

app = typer.Typer(help="Bring boxes in, or take them out.", no_args_is_help=True)

FormatOption = Annotated[str, typer.Option("--format", help="{formats}")]
LabelsOption = Annotated[
    Path | None, typer.Option("--labels", metavar="TOML", help="labels of categories; wins over those that come along")
]


class BoxesCommand(NamingCommand):
    """Its help names the formats."""

    registries: ClassVar = {"{formats}": "fullshot.annotate:BOX_FORMATS"}


class Split(StrEnum):
    """Whose pictures to export."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class Source(StrEnum):
    """Whose boxes to export."""

    HUMAN = "human"
    IMPORT = "import"
    SHOP = "shop"
    MODEL = "model"


@app.command("import", cls=BoxesCommand)
@command
def boxes_import(
    workspace: WorkspaceArgument,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="the file or the folder with the boxes")],
    box_format: FormatOption = "coco",
    images: Annotated[Path | None, typer.Option(help="folder of its pictures; beside the file if not given")] = None,
    labels: LabelsOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring boxes in; they are matched to the workspace's pictures by content.

    The table "labels" of a labels file has a line a category, such as Tee = "top": top, bottom, foot, long or other.
    """
    from fullshot import annotate
    from fullshot.core.workspace import Workspace

    place = Workspace(workspace)
    settings = place.settings()
    place.must_have("images")
    annotate.check_boxes(box_format, path, labels)
    print_stats(annotate.import_boxes(place, settings, path, box_format, images, labels), as_json)


@app.command("export", cls=BoxesCommand)
@command
def boxes_export(
    workspace: WorkspaceArgument,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="the folder to write; an earlier export is replaced")],
    box_format: FormatOption = "coco",
    split: Annotated[Split | None, typer.Option(help="only this one's pictures")] = None,
    source: Annotated[
        Source | None, typer.Option(help="only boxes of this source; else each picture's best, no model's")
    ] = None,
    labels: LabelsOption = None,
    link: Annotated[bool, typer.Option("--link", help="links to the pictures in place of copies")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write boxes and their pictures as a data set; rejected pictures are left out.

    Pictures that cannot be read are left out too: they are named, and the exit code is 1.

    The table "export" of a labels file has the category that a label is written as, such as top = "Blouse".
    """
    from fullshot import annotate
    from fullshot.core.workspace import Workspace

    place = Workspace(workspace)
    settings = place.settings()
    annotate.check_boxes(box_format, labels=labels)
    place.must_have("images", "boxes")
    stats = annotate.export_boxes(
        place, settings, path, box_format, split=split, source=source, labels=labels, link=link
    )
    print_stats(stats, as_json)
    if stats["unreadable"]:
        # Who goes on with an export must know that pictures are missing in it; which, is said on stderr.
        raise typer.Exit(1)
