"""Write the workspace's boxes, with their pictures, as a data set of another format."""

import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from fullshot.annotate.formats import BOX_FORMATS
from fullshot.annotate.formats import labels as label_maps
from fullshot.annotate.formats.annotated import SUFFIXES, UNSPLIT, Annotated
from fullshot.annotate.formats.labels import LabelMap
from fullshot.annotate.readable import look_at
from fullshot.core import files
from fullshot.core.annotations import TRUSTED, create_trusted_boxes
from fullshot.core.boxes import Corners, area
from fullshot.core.dataset import Dataset
from fullshot.core.errors import UserError
from fullshot.core.image_store import materialize
from fullshot.core.settings import Settings
from fullshot.core.tables import SPLITS
from fullshot.core.tables.cells import literal
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace

RECORD = ".fullshot-export"
"""Written last into an export: its format, and a digest that tells whether somebody changed it since."""

_COLUMNS = {
    "images": ("image_id", "product_id", "path", "width", "height"),
    "curated": ("image_id", "split", "keep"),
    "boxes": ("image_id", "label", "x_min", "y_min", "x_max", "y_max", "source", "revision"),
}
"""What is read of the tables."""

_EXPORTED = """
SELECT row_number() OVER (ORDER BY list_position({splits}, split), image_id) AS number, *
FROM (
    SELECT coalesce(split, '{unsplit}') AS split, image_id, path, width, height,
        list(label ORDER BY label, x_min, y_min, x_max, y_max) AS labels,
        list([x_min, y_min, x_max, y_max] ORDER BY label, x_min, y_min, x_max, y_max) AS corners
    FROM trusted_boxes GROUP BY ALL
) WHERE split IN {asked} ORDER BY number
"""

_AT_ONCE = 10_000
"""Pictures that are read of the tables at a time."""


def export_boxes(
    workspace: Workspace,
    settings: Settings,
    folder: Path,
    format: str,
    *,
    split: str | None = None,
    source: str | None = None,
    labels: Path | None = None,
    link: bool = False,
) -> dict[str, Any]:
    """Write boxes and pictures into a folder of their own.

    Boxes are in pixels of the picture as it is stored. A picture whose EXIF asks to turn it is written anew, as PNG and
    without EXIF, because readers disagree whether they turn it.

    Args:
        workspace: with ``images.csv`` and ``boxes.csv``; with ``curated.csv``, splits are known.
        settings: recorded with the run.
        folder: not there, empty, or an earlier export in this format that nobody changed, which is replaced.
        format: a key of :data:`fullshot.annotate.formats.BOX_FORMATS`.
        split: only this one's pictures.
        source: only boxes of this source; see :func:`choose`.
        labels: a file of categories for labels, see :func:`fullshot.annotate.formats.labels.load`.
        link: pictures are links into the workspace, where the system has them. They take no room, but some readers
            (supervision, of COCO) refuse pictures from outside the folder, and some (Ultralytics) mend them in place.

    Returns:
        ``pictures`` and ``boxes`` written, and their numbers by ``splits`` and ``labels``; ``left_out``, boxes that the
        format cannot carry, by reason; ``pictures_left_out``, those of which nothing was left; ``rounded``, boxes moved
        to whole pixels; ``written_anew``, pictures that lost their EXIF orientation; ``unreadable``, pictures that are
        missing or do not decode, which are left out.

    Raises:
        MissingInput: a table is not there; says which command makes it.
        UserError: no such format, nothing to export, or the folder holds something else.
    """
    box_format = BOX_FORMATS.get(format)()
    label_map = label_maps.load(format, workspace.taxonomy(), labels)
    inputs = ("images", "boxes", "curated", "annotations")
    with workspace.stage("boxes export", settings, inputs) as stats, workspace.open(_COLUMNS) as data:
        carried = _Carried(format, label_map)
        paths = choose(data, split, source)
        broken, turned = look_at("boxes export", workspace.root, paths)
        if len(broken) == len(paths):
            raise UserError(_nothing(workspace, split, source, carried, broken))
        del paths
        by_split: Counter[str] = Counter()
        suffixes: dict[str, str] = {}
        with _replaced(folder, format) as unfinished:
            for picture in _exported(data, carried, broken):
                by_split[picture.split] += 1
                place = unfinished / picture.place
                is_turned = picture.path in turned
                file, is_anew = materialize(workspace / picture.path, place, link=link, turned=is_turned)
                if is_anew:
                    suffixes[picture.place] = file.suffix
            if not by_split:
                raise UserError(_nothing(workspace, split, source, carried, broken))
            pictures = {name: _Split(data, name, _Carried(format, label_map), broken, suffixes) for name in by_split}
            box_format.save(unfinished, pictures, label_map.categories)
        stats.update(
            pictures=by_split.total(),
            boxes=sum(carried.labels.values()),
            splits=dict(by_split),
            labels={str(label): carried.labels[label] for label in GARMENTS if carried.labels[label]},
            left_out=dict(carried.left_out),
            pictures_left_out=carried.empty,
            rounded=carried.rounded,
            written_anew=len(suffixes),
            unreadable=len(broken),
        )
    return stats


def choose(data: Dataset, split: str | None = None, source: str | None = None) -> list[str]:
    """Let queries of a data set find what is exported: the boxes that count, by :mod:`fullshot.core.annotations`.

    ``exported`` has a row a picture, in the order of ``number``: ``split`` (``unsplit`` where it is not known),
    ``image_id, path, width, height``, ``labels``, and ``corners``, those of the boxes in the order of the labels.
    ``number`` sorts by split, as they are told, and by picture.

    Args:
        data: with ``images`` and ``boxes``.
        split: only this one's pictures.
        source: boxes of this source alone; a model's are exported only when asked for.

    Returns:
        The paths of the pictures' files, in order.

    Raises:
        MissingInput: a table is not there; says which command makes it.
    """
    create_trusted_boxes(data, (source,) if source else TRUSTED)
    splits = [*map(str, SPLITS), UNSPLIT]
    asked = [str(split)] if split else splits
    data.create("exported", _EXPORTED.format(splits=splits, asked=asked, unsplit=UNSPLIT))
    return [path for (path,) in data.rows("SELECT path FROM exported")]


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture that is exported: ``place`` is where it goes, without suffix, ``path`` where it lies."""

    split: str
    place: str
    path: str
    width: int
    height: int
    boxes: tuple[tuple[str, Corners], ...]


def _exported(data: Dataset, carried: "_Carried", broken: Set[str], split: str | None = None) -> Iterator[_Picture]:
    """The pictures that the format can carry something of, few of them in memory; all splits', or one's."""
    box_format = BOX_FORMATS.get(carried.format)()
    numbers: Counter[str] = Counter()
    columns = "split, image_id, path, width, height, labels, corners"
    asked = "" if split is None else f"WHERE split = {literal(split)}"
    for batch in data.batches(f"SELECT {columns} FROM exported {asked}", _AT_ONCE):
        for found, image_id, path, width, height, labels, corners in zip(
            *(column.to_pylist() for column in batch.columns), strict=True
        ):
            boxes = () if path in broken else carried.boxes(labels, corners)
            if not boxes:
                carried.empty += path not in broken
                continue
            numbers[found] += 1
            yield _Picture(found, box_format.picture(found, image_id, numbers[found]), path, width, height, boxes)


@dataclass(frozen=True)
class _Split(Iterable[Annotated]):
    """A split's pictures as they were written: read of the tables each time that somebody goes through them.

    Attributes:
        data: after :func:`choose`.
        name: of the split.
        carried: what the format can carry; its counts are of no use.
        broken: paths of the pictures that cannot be read.
        suffixes: of the files that were written anew, by their places.
    """

    data: Dataset
    name: str
    carried: "_Carried"
    broken: Set[str]
    suffixes: Mapping[str, str]

    def __iter__(self) -> Iterator[Annotated]:
        for picture in _exported(self.data, self.carried, self.broken, self.name):
            suffix = self.suffixes.get(picture.place) or PurePosixPath(picture.path).suffix
            yield Annotated(picture.place + suffix, picture.width, picture.height, picture.boxes)


@dataclass
class _Carried:
    """What a format can carry, and counts of what it cannot."""

    format: str
    label_map: LabelMap
    labels: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    rounded: int = 0

    def boxes(self, labels: Sequence[str], corners: Sequence[Sequence[float]]) -> tuple[tuple[str, Corners], ...]:
        """A picture's boxes in the format's categories; those that it cannot carry are counted."""
        box_format = BOX_FORMATS.get(self.format)
        boxes: list[tuple[str, Corners]] = []
        for label, (x_min, y_min, x_max, y_max) in zip(labels, corners, strict=True):
            if label in self.label_map.export:
                boxes.append((label, (x_min, y_min, x_max, y_max)))
            else:
                self.left_out[f"{label}, which {self.format} has no category for"] += 1
        if box_format.one_box and len(boxes) > 1:
            self.left_out[f"smaller ones, {self.format} has one box a picture"] += len(boxes) - 1
            boxes = [max(boxes, key=lambda box: area(box[1]))]
        self.labels.update(label for label, _ in boxes)
        if box_format.whole_pixels:
            self.rounded += sum(any(value != int(value) for value in corners) for _, corners in boxes)
        return tuple((self.label_map.export[label], corners) for label, corners in boxes)


def _nothing(
    workspace: Workspace, split: str | None, source: str | None, carried: _Carried, broken: Collection[str]
) -> str:
    if broken and not carried.empty:
        return f"nothing to export: of {len(broken)} pictures, such as {min(broken)}, none can be read"
    if carried.left_out:
        reasons = ", ".join(f"{count} on {reason}" for reason, count in carried.left_out.items())
        return f"nothing to export of {carried.empty} pictures: boxes {reasons}"
    where = f" in the split {split}" if split else ""
    return f"no boxes of {source or ', '.join(TRUSTED)} on kept pictures{where} in {workspace.root}"


@contextlib.contextmanager
def _replaced(folder: Path, format: str) -> Iterator[Path]:
    """A folder to write an export into, which takes its place when all of it is there."""
    place = folder.resolve()
    files.bring_back(place)
    _must_be_free(folder, format)
    with files.replaced_folder(place) as unfinished:
        yield unfinished
        record = {"format": format, "digest": _digest(unfinished)}
        files.write_text(unfinished / RECORD, json.dumps(record) + "\n")


def _must_be_free(folder: Path, format: str) -> None:
    if not folder.is_dir():
        if folder.exists() or folder.suffix.lower() in (".json", ".yaml", ".yml", ".xml", ".txt"):
            raise UserError(f"expected a folder to export into, got {folder}")
        return
    if not any(folder.iterdir()):
        return
    try:
        record = files.read_json(folder / RECORD)
        before, digest = record["format"], record["digest"]
    except KeyError:
        raise UserError(f"{folder} holds something else: export into a new folder") from None
    if before != format:
        raise UserError(f"{folder} holds an export in the format {before}: export into a new folder")
    if digest != _digest(folder):
        raise UserError(f"{folder} was changed since it was exported: import it first, or export into a new folder")


def _digest(folder: Path) -> str:
    """Of the names of all files and the contents of those that are no pictures."""
    digest = hashlib.sha256()
    for name in _files(folder, ""):
        file = PurePosixPath(name)
        # Ultralytics leaves its cache beside the labels.
        if file.name == RECORD or file.suffix == ".cache":
            continue
        digest.update(f"{name}\n".encode())
        if file.suffix.lower() not in SUFFIXES:
            digest.update(f"{files.digest(folder / name)}\n".encode())
    return digest.hexdigest()


def _files(folder: Path, within: str) -> Iterator[str]:
    """The names of all files below a folder, sorted, a folder's at a time; links to folders are not followed."""
    with os.scandir(folder / within) as entries:
        found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    for name, is_folder in found:
        if is_folder:
            yield from _files(folder, f"{within}{name}/")
        elif not (folder / within / name).is_dir():
            yield within + name
