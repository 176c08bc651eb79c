"""``fullshot curate``."""

from typing import Annotated

import typer

from fullshot.cli.console import command, print_stats
from fullshot.cli.options import JsonFlag, WorkspaceArgument
from fullshot.core.errors import StageFailed


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
    from fullshot.index import check_splits

    stats = check_splits(place, settings)
    print_stats(stats, as_json)
    if stats["leaks"]:
        neighbours = any(leak["share"] == "neighbour" for leak in stats["leaks"])
        advice = "; of neighbours, say keep=false of one in verdicts.csv first" if neighbours else ""
        raise StageFailed(
            f"{len(stats['leaks'])} leaks between the splits: `fullshot curate {workspace}` removes them{advice}"
        )
