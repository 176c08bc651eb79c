"""Bring boxes of one's own into the workspace."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from fullshot.annotate import formats
from fullshot.annotate.formats import BOX_FORMATS
from fullshot.annotate.formats import labels as label_maps
from fullshot.annotate.formats.annotated import SUFFIXES, Annotated
from fullshot.annotate.formats.labels import LabelMap
from fullshot.core import image_store, tables
from fullshot.core import pictures as storage
from fullshot.core.boxes import Corners
from fullshot.core.clock import now
from fullshot.core.errors import UserError
from fullshot.core.geometry import ImageGeometry
from fullshot.core.progress import say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace

SOURCE = "import"

_LISTED = 10
"""Names in a list that is printed; their number is told in full."""

_ROUNDING = 0.01
"""Pixels that a box may lie outside its picture by without being told of as clipped."""

_Box = tuple[str, Corners]
_Size = tuple[int, int]


def import_boxes(
    workspace: Workspace,
    settings: Settings,
    path: Path,
    format: str,
    images: Path | None = None,
    labels: Path | None = None,
) -> dict[str, Any]:
    """Import a file or a folder of boxes into ``boxes.csv``.

    A picture belongs to the workspace when its bytes do: its file name does not matter. Only where an export had to
    change the bytes, to get rid of an EXIF orientation, the name does, which is the picture's ``image_id`` there.
    Importing again replaces what was imported for the same pictures; boxes of other sources stay.

    Args:
        workspace: with ``images.csv``.
        settings: recorded with the run.
        path: the file or the folder of annotations.
        format: its format, a key of :data:`fullshot.annotate.formats.BOX_FORMATS`.
        images: folder of its pictures; None: beside the file, or where the format has them, such as ``images/``.
        labels: a file of labels for categories, see :func:`fullshot.annotate.formats.labels.load`.

    Returns:
        ``pictures`` and ``boxes`` imported; ``not_in_workspace``, ``missing_files`` and ``unreadable``, pictures left
        out;
        ``clipped``, boxes cut at the picture's edge; ``empty``, boxes dropped because nothing of them lies inside;
        ``other``, boxes on what the taxonomy knows as no garment; ``unknown``, boxes of unknown categories, by name;
        ``missing``, the first file names that were not found.

    Raises:
        MissingInput: the workspace has no ``images.csv``.
        UserError: no such format, file or folder, or the file is not what its format says.
    """
    with workspace.stage("boxes import", settings, ["images"]) as stats:
        images_table = workspace.read("images").drop_duplicates("image_id")
        cells = zip(images_table["image_id"], images_table["width"], images_table["height"], strict=True)
        sizes = {str(identity): (int(width), int(height)) for identity, width, height in cells}
        annotated = formats.load_boxes(path, format)
        label_map = label_maps.load(format, workspace.taxonomy(), labels)
        matched = _match(annotated, _folders(path, format, images), sizes)
        say_unreadable("boxes import", matched.unreadable)
        count: Counter[str] = Counter()
        unknown: Counter[str] = Counter()
        rows: list[dict[str, Any]] = []
        for identity, boxes in matched.boxes.items():
            rows += _rows(identity, boxes, sizes[identity], label_map, count, unknown)
        _replace(workspace, set(matched.boxes), rows)
        stats.update(
            pictures=len(matched.boxes),
            boxes=len(rows),
            not_in_workspace=len(matched.foreign),
            missing_files=len(matched.missing),
            unreadable=len(matched.unreadable),
            clipped=count["clipped"],
            empty=count["empty"],
            other=count["other"],
            unknown=dict(unknown.most_common()),
            missing=matched.missing[:_LISTED],
        )
    return stats


def _folders(path: Path, format: str, images: Path | None) -> list[Path]:
    """Where to look for pictures."""
    if images is None:
        return [(path if path.is_dir() else path.parent) / name for name in BOX_FORMATS.get(format).beside]
    if not images.is_dir():
        raise UserError(f"no folder {images} to look for the pictures of {path.name} in")
    return [images]


@dataclass
class _Matched:
    """The boxes of the workspace's pictures by ``image_id``, in pixels as they are stored, and what was left out.

    Attributes:
        boxes: of each picture.
        foreign: the ``image_id`` of pictures that are not in the workspace.
        missing: names of pictures whose file is not there.
        unreadable: names of pictures that do not decode.
    """

    boxes: dict[str, list[_Box]] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def _match(annotated: list[Annotated], folders: list[Path], sizes: Mapping[str, _Size]) -> _Matched:
    """Find the workspace's pictures among those of the annotations."""
    matched = _Matched()
    for picture in annotated:
        file = next((file for file in _candidates(picture.file_name, folders) if file.is_file()), None)
        if file is None:
            matched.missing.append(picture.file_name)
            continue
        identity = _identity(file, sizes)
        if identity not in sizes:
            matched.foreign.add(identity)
            continue
        try:
            boxes = _in_pixels(picture, file, sizes[identity])
        except storage.NotAnImage:
            matched.unreadable.append(picture.file_name)
            continue
        # The same picture under two names: its boxes belong together.
        known = matched.boxes.setdefault(identity, [])
        known += [box for box in boxes if box not in known]
    return matched


def _candidates(name: str, folders: list[Path]) -> Iterator[Path]:
    """Files that a picture's name may mean: some formats do not say the suffix, YOLO's names begin with ``images``."""
    parts = PurePosixPath(name).parts
    names = [name]
    if "images" in parts[:-1]:
        names.append("/".join(parts[parts.index("images") + 1 :]))
    suffixes = [""]
    if PurePosixPath(name).suffix.lower() not in SUFFIXES:
        suffixes += [*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES)]
    yield from (folder / (name + suffix) for folder in folders for name in names for suffix in suffixes)


def _identity(file: Path, sizes: Mapping[str, _Size]) -> str:
    content = file.read_bytes()
    identity = image_store.image_id(content)
    if identity in sizes or file.stem not in sizes:
        return identity
    try:
        return file.stem if storage.measure(content)[:2] == sizes[file.stem] else identity
    except storage.NotAnImage:
        return identity


def _in_pixels(picture: Annotated, file: Path, size: _Size) -> list[_Box]:
    """A picture's boxes in pixels of the picture as it is stored.

    Raises:
        NotAnImage: the file has to be opened to tell, and is no picture.
        UserError: the annotations are of a picture of another size.
    """
    expected = (picture.width or size[0], picture.height or size[1])
    if not picture.in_shares and expected == size:
        return list(picture.boxes)
    # Whoever annotated it may have seen it turned.
    geometry = ImageGeometry(*size, storage.read_geometry(file).orientation)
    across, down = geometry.upright_size
    if picture.in_shares:
        boxes = [(name, (a * across, b * down, c * across, d * down)) for name, (a, b, c, d) in picture.boxes]
    elif expected == (across, down):
        boxes = list(picture.boxes)
    else:
        raise UserError(
            f"{picture.file_name}: the annotations say {expected[0]}×{expected[1]} pixels, "
            f"the picture has {size[0]}×{size[1]}: boxes would not fit"
        )
    return [(name, geometry.to_stored(corners)) for name, corners in boxes]


def _rows(
    identity: str,
    boxes: list[_Box],
    size: _Size,
    label_map: LabelMap,
    count: "Counter[str]",
    unknown: "Counter[str]",
) -> list[dict[str, Any]]:
    """A picture's rows of ``boxes.csv``; what is left out is counted."""
    rows = []
    for name, corners in boxes:
        label = label_map.label(name)
        if label is None:
            unknown[name] += 1
            continue
        if label not in GARMENTS:
            count["other"] += 1
            continue
        x_min, y_min = max(0.0, corners[0]), max(0.0, corners[1])
        x_max, y_max = min(float(size[0]), corners[2]), min(float(size[1]), corners[3])
        if x_min >= x_max or y_min >= y_max:
            count["empty"] += 1
            continue
        inside = (x_min, y_min, x_max, y_max)
        count["clipped"] += any(abs(a - b) > _ROUNDING for a, b in zip(inside, corners, strict=True))
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
