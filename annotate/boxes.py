"""Bring boxes of one's own into the workspace."""

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from annotate import formats
from annotate.formats.annotated import Annotated
from fullshot import tables
from fullshot.clock import now
from fullshot.errors import UserError
from fullshot.settings import Settings
from fullshot.storage import image_id
from fullshot.taxonomy import GARMENTS, Taxonomy
from fullshot.workspace import Workspace

SOURCE = "import"

_BESIDE = ("", "images", "photos")
"""Where pictures lie when nobody says so, relative to the file of annotations."""

_LISTED = 10
"""Names in a list that is printed; their number is told in full."""


def import_boxes(
    workspace: Workspace, settings: Settings, path: Path, format: str, images: Path | None = None
) -> dict[str, Any]:
    """Import a file of boxes into ``boxes.csv``.

    A picture belongs to the workspace when its bytes do: its file name does not matter. Importing again replaces what
    was imported for the same pictures; boxes of other sources stay.

    Args:
        workspace: with ``images.csv``.
        settings: recorded with the run.
        path: the file of annotations.
        format: its format, such as ``coco``.
        images: folder of its pictures; None: beside the file, or in ``images/`` or ``photos/`` there.

    Returns:
        ``pictures`` and ``boxes`` imported; ``not_in_workspace`` and ``missing_files``, pictures left out;
        ``clipped``, boxes cut at the picture's edge; ``empty``, boxes dropped because nothing of them lies inside;
        ``other``, boxes on what the taxonomy knows as no garment; ``unknown``, boxes of unknown categories, by name;
        ``missing``, the first file names that were not found.

    Raises:
        MissingInput: the workspace has no ``images.csv``.
        UserError: no such format, file or folder, or the file is not what its format says.
    """
    with workspace.stage("boxes import", settings, [workspace.table("images")]) as stats:
        images_table = workspace.read("images").drop_duplicates("image_id")
        cells = zip(images_table["image_id"], images_table["width"], images_table["height"], strict=True)
        sizes = {str(identity): (float(width), float(height)) for identity, width, height in cells}
        annotated = formats.load(path, format)
        found, missing = _find(annotated, path, images)
        here = {identity: picture for identity, picture in found.items() if identity in sizes}
        count: Counter[str] = Counter()
        unknown: Counter[str] = Counter()
        rows: list[dict[str, Any]] = []
        for identity, picture in here.items():
            rows += _rows(identity, picture, sizes[identity], workspace.taxonomy(), count, unknown)
        _replace(workspace, set(here), rows)
        stats.update(
            pictures=len(here),
            boxes=len(rows),
            not_in_workspace=len(found) - len(here),
            missing_files=len(missing),
            clipped=count["clipped"],
            empty=count["empty"],
            other=count["other"],
            unknown=dict(unknown.most_common()),
            missing=missing[:_LISTED],
        )
    return stats


def _find(annotated: list[Annotated], path: Path, images: Path | None) -> tuple[dict[str, Annotated], list[str]]:
    """Pictures by content, and the names of those whose file is not there."""
    if images is not None and not images.is_dir():
        raise UserError(f"no folder {images} to look for the pictures of {path.name} in")
    folders = [images] if images is not None else [path.parent / name for name in _BESIDE]
    found: dict[str, Annotated] = {}
    missing = []
    for picture in annotated:
        file = next((folder / picture.file_name for folder in folders if (folder / picture.file_name).is_file()), None)
        if file is None:
            missing.append(picture.file_name)
            continue
        identity = image_id(file.read_bytes())
        # The same picture under two names: its boxes belong together.
        boxes = found[identity].boxes if identity in found else ()
        extra = tuple(box for box in picture.boxes if box not in boxes)
        found[identity] = Annotated(picture.file_name, picture.width, picture.height, boxes + extra)
    return found, missing


def _rows(
    identity: str,
    picture: Annotated,
    size: tuple[float, float],
    taxonomy: Taxonomy,
    count: "Counter[str]",
    unknown: "Counter[str]",
) -> list[dict[str, Any]]:
    """A picture's rows of ``boxes.csv``; what is left out is counted."""
    if (picture.width, picture.height) != size:
        raise UserError(
            f"{picture.file_name}: the annotations say {picture.width}×{picture.height} pixels, "
            f"the picture has {size[0]:g}×{size[1]:g}: boxes would not fit"
        )
    rows = []
    for name, corners in picture.boxes:
        label = taxonomy.wear(name) if name not in GARMENTS else name
        if label is None:
            unknown[name] += 1
            continue
        if label not in GARMENTS:
            count["other"] += 1
            continue
        x_min, y_min = max(0.0, corners[0]), max(0.0, corners[1])
        x_max, y_max = min(size[0], corners[2]), min(size[1], corners[3])
        if x_min >= x_max or y_min >= y_max:
            count["empty"] += 1
            continue
        count["clipped"] += (x_min, y_min, x_max, y_max) != corners
        corner_cells = {"x_min": x_min, "y_min": y_min, "x_max": x_max, "y_max": y_max}
        rows.append({"image_id": identity, "label": str(label), **corner_cells, "source": SOURCE})
    return rows


def _replace(workspace: Workspace, pictures: set[str], rows: list[dict[str, Any]]) -> None:
    """Put the imported rows in place of those imported before for the same pictures."""
    before = workspace.read_if_there("boxes")
    ours = (before["source"] == SOURCE) & before["image_id"].isin(pictures)
    fresh = tables.frame("boxes", rows)
    columns = ["image_id", "label", "x_min", "y_min", "x_max", "y_max"]
    same = [sorted(table[columns].itertuples(index=False, name=None)) for table in (before[ours], fresh)]
    if same[0] == same[1] and workspace.table("boxes").is_file():
        return
    fresh["updated_at"] = now()
    workspace.write("boxes", pd.concat([before[~ours], fresh], ignore_index=True))
