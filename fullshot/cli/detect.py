"""``fullshot detect``: the garments in photos of one's own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fullshot.cli.console import command

if TYPE_CHECKING:
    from fullshot.train.detector import Detected


@command
def detect(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO|FOLDER…", help="photos, and folders of photos")],
    weights: Annotated[
        str, typer.Option(help="starter, a .safetensors or .onnx file, the folder of a run, or a workspace")
    ] = "starter",
    threshold: Annotated[float | None, typer.Option(min=0, max=1, help="the least score of a box")] = None,
    output: Annotated[Path | None, typer.Option(metavar="FOLDER", help="draw the boxes on the photos, in here")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps, …; the best there is if not given")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print a JSON object a photo")] = False,
) -> None:
    """Find the garments in photos: a line each, as JSON, or drawn; works without a workspace."""
    from fullshot.core import settings
    from fullshot.core.errors import StageFailed, UserError
    from fullshot.core.progress import bar, say
    from fullshot.train import detector

    section = settings.load(detector={"device": device, "confidence": threshold}).detector
    if output is not None and output.exists() and not output.is_dir():
        raise UserError(f"expected a folder to draw into, got {output}")
    found = detector.Photos(photos, output)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    opened = detector.open_detector(weights, section)
    say(f"detect: weights {weights}, {opened.digest}")
    seen = unreadable = boxes = 0
    with bar("detect", "photos") as advance:
        for one in detector.detect_photos(found, opened):
            seen += 1
            boxes += len(one.boxes)
            if one.picture is None:
                unreadable += 1
                say(f"detect: {one.photo.path} is not a picture that can be read: {one.reason}")
            elif output is not None:
                place = one.photo.drawn_in(output)
                place.parent.mkdir(parents=True, exist_ok=True)
                detector.draw_boxes(one.picture, one.boxes).save(place, quality=90)
            if one.picture is not None and as_json:
                print(json.dumps(one.as_json(), ensure_ascii=False), flush=True)
            elif one.picture is not None:
                print(_line(one), flush=True)
            advance(seen, 0)
    words = f"detect: {boxes} boxes in {seen - unreadable} photos"
    if found.passed_over:
        words += f"; {found.passed_over.total()} files that are no pictures were left out"
    say(f"{words}; drawn in {output}" if output is not None else words)
    if unreadable:
        raise StageFailed(f"{unreadable} of {seen} photos cannot be read, see above")
    if not seen:
        raise StageFailed(f"no photo in {', '.join(map(str, photos))}")


def _line(one: "Detected") -> str:
    boxes = ", ".join(
        f"{box.label} {box.score or 0:.2f} ({box.x_min:.0f} {box.y_min:.0f} {box.x_max:.0f} {box.y_max:.0f})"
        for box in one.boxes
    )
    return f"{one.photo.path}: {boxes or 'nothing'}"
