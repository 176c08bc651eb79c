"""``fullshot add``, ``curate`` and ``report``: pictures in, what they show, and how the data set looks."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fullshot.cli.console import command, print_stats
from fullshot.cli.options import JsonFlag, WorkspaceArgument
from fullshot.core.errors import StageFailed

_COLUMNS = "Columns of a CSV"


def _column(what: str, flag: str) -> Any:
    return typer.Option(f"--{flag}", metavar="COLUMN", help=what, rich_help_panel=_COLUMNS)


@command
def add(
    workspace: WorkspaceArgument,
    source: Annotated[Path, typer.Argument(metavar="FOLDER|CSV", help="the pictures, or a CSV that names them")],
    shop: Annotated[str, typer.Option(help="the first part of each product_id; one for each collection")] = "own",
    constants: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="true of all pictures, such as gender=women or type=Jeans; repeatable"
        ),
    ] = None,
    root: Annotated[Path | None, typer.Option(help="folder of a CSV's paths; its own if not given")] = None,
    image: Annotated[str | None, _column("path of the picture", "image")] = None,
    product: Annotated[str | None, _column("id of the product; else each picture is one", "product")] = None,
    product_type: Annotated[str | None, _column("product type", "type")] = None,
    wear: Annotated[str | None, _column("top, bottom, foot, long, other; else by type", "wear")] = None,
    gender: Annotated[str | None, _column("whom it is for", "gender")] = None,
    colour: Annotated[str | None, _column("colour", "colour")] = None,
    name: Annotated[str | None, _column("name", "name")] = None,
    brand: Annotated[str | None, _column("brand", "brand")] = None,
    price: Annotated[str | None, _column("price", "price")] = None,
    mrp: Annotated[str | None, _column("price before a discount", "mrp")] = None,
    currency: Annotated[str | None, _column("currency", "currency")] = None,
    sizes: Annotated[str | None, _column("sizes", "sizes")] = None,
    style: Annotated[str | None, _column("the same for all colours of a product", "style")] = None,
    link: Annotated[str | None, _column("page of the product", "link")] = None,
    processes: Annotated[int | None, typer.Option(help="worker processes; 0: one a core")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring a folder or a CSV of pictures of one's own into a workspace.

    FOLDER/CLASS/…/x.jpg is of the product type CLASS. In FOLDER/train, val or test the class is the next level; that
    split is not taken over: `fullshot curate` makes its own. Hidden files are left out.

    A CSV has a row a picture. Where no flag names a column, one of a usual name is taken, such as image, path,
    product_id, product_type, label, gender, color, url.
    """
    from fullshot import curation
    from fullshot.core.workspace import Workspace

    named = {
        "image": image,
        "product": product,
        "type": product_type,
        "wear": wear,
        "gender": gender,
        "colour": colour,
        "name": name,
        "brand": brand,
        "price": price,
        "mrp": mrp,
        "currency": currency,
        "sizes": sizes,
        "style": style,
        "link": link,
    }
    columns = {what: column for what, column in named.items() if column is not None}
    place = Workspace(workspace)
    settings = place.settings(curate={"processes": processes})
    options = curation.AddOptions(shop, columns, root, curation.parse_constants(constants or []))
    stats = curation.add_pictures(place, settings, source, options)
    print_stats(stats, as_json)
    if stats["failed"]:
        raise StageFailed(f"{stats['failed']} of what {source} names could not be added: failures.csv says why")


@command
def curate(
    workspace: WorkspaceArgument,
    check: Annotated[
        bool, typer.Option("--check", help="only prove that the splits do not leak; change nothing")
    ] = False,
    overlays: Annotated[
        bool, typer.Option("--overlays", help="draw what the pose model saw on every picture, into overlays/")
    ] = False,
    processes: Annotated[int | None, typer.Option(help="worker processes; 0: one a core")] = None,
    pose: Annotated[str | None, typer.Option(help="which estimator finds people: mediapipe, openpose")] = None,
    pose_model: Annotated[str | None, typer.Option(help="a MediaPipe pose .task file")] = None,
    pose_network: Annotated[str | None, typer.Option(help="an OpenPose network that OpenCV reads (.onnx, .pb)")] = None,
    pose_layout: Annotated[str | None, typer.Option(help="its joints: coco (18) or mpi (15)")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell full shots from item shots, find junk and copies, split by product, export the CSVs."""
    from fullshot import curation
    from fullshot.core.workspace import Workspace

    place = Workspace(workspace)
    given = {
        "processes": processes,
        "pose": pose,
        "pose_model": pose_model,
        "pose_network": pose_network,
        "pose_layout": pose_layout,
    }
    settings = place.settings(curate=given)
    if not check:
        print_stats(curation.curate(place, settings, overlays=overlays), as_json)
        return
    from fullshot import index

    place.must_have("images", "products", "curated")
    stats = index.check_splits(place, settings)
    print_stats(stats, as_json)
    if stats["leaks"]:
        neighbours = any(leak["share"] == "neighbour" for leak in stats["leaks"])
        advice = "; of neighbours, say keep=false of one in verdicts.csv first" if neighbours else ""
        raise StageFailed(
            f"{len(stats['leaks'])} leaks between the splits: `fullshot curate {workspace}` removes them{advice}"
        )


@command
def report(
    workspace: WorkspaceArgument,
    truth: Annotated[Path | None, typer.Option(help="a CSV that says which pictures are full shots")] = None,
    output: Annotated[Path | None, typer.Option(help="the page's file; else report.html in WS")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make report.html: counts, charts, sample grids, and what to look at, in one file that opens offline."""
    from fullshot import curation
    from fullshot.core.workspace import Workspace

    place = Workspace(workspace)
    print_stats(curation.write_report(place, place.settings(), truth=truth, output=output), as_json)
