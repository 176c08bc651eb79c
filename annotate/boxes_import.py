"""Bring boxes of one's own into the workspace."""

import itertools
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow

from fullshot.annotate import formats
from fullshot.annotate.formats import BOX_FORMATS
from fullshot.annotate.formats import labels as label_maps
from fullshot.annotate.formats.annotated import SUFFIXES, Annotated
from fullshot.annotate.formats.labels import LabelMap
from fullshot.annotate.imported_boxes import COLUMNS, replace_imported
from fullshot.annotate.imported_splits import keep_splits
from fullshot.core import image_store
from fullshot.core import pictures as storage
from fullshot.core.boxes import Corners
from fullshot.core.dataset import Dataset
from fullshot.core.errors import UserError
from fullshot.core.geometry import ImageGeometry
from fullshot.core.progress import say, say_unreadable
from fullshot.core.settings import Settings
from fullshot.core.tables.schemas import SPLITS
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace

_LISTED = 10
"""Names in a list that is printed; their number is told in full."""

_ROUNDING = 0.01
"""Pixels that a box may lie outside its picture by without being told of as clipped."""

_COLUMNS = {
    "images": ("image_id", "product_id", "path", "width", "height"),
    "curated": ("image_id", "split", "keep"),
}
"""What is read of the tables that are not written."""

_AT_ONCE = 30_000
"""Pictures that are looked for at a time: each time the names of all pictures of the workspace are read."""

_NO_SPLIT = -1

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
        ``pictures`` and ``boxes`` of the workspace's; ``known``, those of the boxes that are not added again, because
        all boxes of their picture are there already, each side within half a pixel; ``without_boxes``, those of the
        pictures that have no box in the file and keep those that they have here; ``not_in_workspace``,
        ``missing_files`` and ``unreadable``, pictures left out;
        ``clipped``, boxes cut at the picture's edge; ``empty``, boxes dropped because nothing of them lies inside;
        ``splits``, how many pictures were given each of the file's splits;
        ``other``, boxes on what the taxonomy knows as no garment; ``unknown``, boxes of unknown categories, by name;
        ``missing``, the first file names that were not found.

    Raises:
        MissingInput: the workspace has no ``images.csv``.
        UserError: no such format, file or folder, or the file is not what its format says.
    """
    inputs = ["images"]
    with workspace.stage("boxes import", settings, inputs) as stats, workspace.open(_COLUMNS) as data:
        data.rows("SELECT image_id FROM images LIMIT 0")  # says what to run first
        label_map = label_maps.load(format, workspace.taxonomy(), labels)
        matched = _match(formats.load_boxes(path, format), _folders(path, format, images), data)
        say_unreadable("boxes import", matched.unreadable)
        counts, bare, rows = _told(matched, label_map)
        pictures = pyarrow.array(matched.pictures(), pyarrow.string())
        boxes, splits = rows.table(), matched.splits()
        if matched.foreign:
            say(
                f"boxes import: {len(matched.foreign)} of the file's pictures are not in the workspace: "
                f"`fullshot add {workspace.root} …` brings pictures"
            )
        del matched, rows  # DuckDB needs the memory
        known, without = replace_imported(data, pictures, bare, boxes, label_map, format)
        stats.update(counts, known=known, without_boxes=without, splits=keep_splits(data, splits))
    return stats


def _told(matched: "_Matched", label_map: LabelMap) -> tuple[dict[str, Any], list[str], "_Rows"]:
    """What an import tells of the pictures that were found; those of them without boxes; and the boxes as rows."""
    count: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    rows = _Rows()
    bare: list[str] = []
    for identity, size, boxes in matched.found():
        if not boxes:
            bare.append(identity)
        rows.add(identity, boxes, size, label_map, count, unknown)
    counts = {
        "pictures": len(matched.pictures()),
        "boxes": len(rows.labels),
        "known": 0,
        "without_boxes": 0,
        "not_in_workspace": len(matched.foreign),
        "missing_files": len(matched.missing),
        "unreadable": len(matched.unreadable),
        "splits": {},
        "clipped": count["clipped"],
        "empty": count["empty"],
        "other": count["other"],
        "unknown": dict(unknown.most_common()),
        "missing": matched.missing[:_LISTED],
    }
    return counts, bare, rows


def _folders(path: Path, format: str, images: Path | None) -> list[Path]:
    """Where to look for pictures."""
    if images is None:
        return [(path if path.is_dir() else path.parent) / name for name in BOX_FORMATS.get(format).beside]
    if not images.is_dir():
        raise UserError(f"no folder {images} to look for the pictures of {path.name} in")
    return [images]


@dataclass
class _Matched:
    """The boxes of the workspace's pictures, in pixels as they are stored, in arrays; and what was left out.

    Attributes:
        foreign: the ``image_id`` of pictures that are not in the workspace.
        missing: names of pictures whose file is not there.
        unreadable: names of pictures that do not decode.
    """

    foreign: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    _rows: dict[str, int] = field(default_factory=dict)  # of pictures, by their image_id
    _sizes: "array[int]" = field(default_factory=lambda: array("q"))
    _names: dict[str, int] = field(default_factory=dict)  # of categories, and their numbers
    _kinds: "array[int]" = field(default_factory=lambda: array("q"))  # the number of each box's category
    _corners: "array[float]" = field(default_factory=lambda: array("d"))
    _first: "array[int]" = field(default_factory=lambda: array("q"))  # of a picture, its first box
    _splits: "array[int]" = field(default_factory=lambda: array("b"))  # of a picture, the place in SPLITS; or _NO_SPLIT
    _again: dict[int, list[_Box]] = field(default_factory=dict)  # of pictures with several names, the further boxes

    def add(self, identity: str, size: _Size, boxes: list[_Box], split: str | None) -> None:
        """Add a picture's boxes. The same picture under two names: its boxes belong together, each once.

        Of two splits it has the one nearer to the test.
        """
        row = self._rows.setdefault(identity, len(self._first))
        place = _NO_SPLIT if split is None else SPLITS.index(split)
        if row < len(self._first):
            self._splits[row] = max(self._splits[row], place)
            known = self._again.setdefault(row, [])
            before = [*self._boxes(row), *known]
            known += [box for box in boxes if box not in before]
            return
        self._first.append(len(self._kinds))
        self._splits.append(place)
        self._sizes.extend(size)
        for name, corners in boxes:
            self._kinds.append(self._names.setdefault(name, len(self._names)))
            self._corners.extend(corners)

    def _boxes(self, row: int) -> list[_Box]:
        """The boxes that a picture's first name came with."""
        names = list(self._names)
        last = self._first[row + 1] if row + 1 < len(self._first) else len(self._kinds)
        found: list[_Box] = []
        for box in range(self._first[row], last):
            x_min, y_min, x_max, y_max = self._corners[4 * box : 4 * box + 4]
            found.append((names[self._kinds[box]], (x_min, y_min, x_max, y_max)))
        return found

    def pictures(self) -> Collection[str]:
        """Their ``image_id``, in order."""
        return self._rows.keys()

    def splits(self) -> pyarrow.Table:
        """The ``image_id`` and ``split`` of those that have one."""
        places = np.frombuffer(self._splits, np.int8)
        names = pyarrow.array(SPLITS).take(pyarrow.array(places, mask=places == _NO_SPLIT))
        return pyarrow.table({"image_id": pyarrow.array(self._rows, pyarrow.string()), "split": names}).drop_null()

    def found(self) -> Iterator[tuple[str, _Size, list[_Box]]]:
        """Each picture, its width and height in pixels as it is stored, and its boxes."""
        for identity, row in self._rows.items():
            width, height = self._sizes[2 * row : 2 * row + 2]
            yield identity, (width, height), [*self._boxes(row), *self._again.get(row, ())]


def _match(annotated: Iterable[Annotated], folders: list[Path], data: Dataset) -> _Matched:
    """Find the workspace's pictures among those of the annotations."""
    matched = _Matched()
    rest = iter(annotated)
    while some := list(itertools.islice(rest, _AT_ONCE)):
        named: list[tuple[Annotated, Path, str]] = []
        for picture in some:
            file = next((file for file in _candidates(picture.file_name, folders) if file.is_file()), None)
            if file is None:
                matched.missing.append(picture.file_name)
            else:
                named.append((picture, file, image_store.image_id(file.read_bytes())))
        sizes = _sizes(data, {name for _, file, digest in named for name in (digest, file.stem)})
        for picture, file, digest in named:
            _add(matched, picture, file, _identity(file, digest, sizes), sizes)
    return matched


def _sizes(data: Dataset, identities: Set[str]) -> dict[str, _Size]:
    """The sizes of those of some pictures that the workspace has."""
    sql = "SELECT image_id, width, height FROM images WHERE image_id IN (SELECT unnest($asked))"
    return {identity: (width, height) for identity, width, height in data.rows(sql, asked=list(identities))}


def _add(matched: _Matched, picture: Annotated, file: Path, identity: str, sizes: Mapping[str, _Size]) -> None:
    if identity not in sizes:
        matched.foreign.add(identity)
        return
    try:
        boxes = _in_pixels(picture, file, sizes[identity])
    except storage.NotAnImage:
        matched.unreadable.append(picture.file_name)
        return
    matched.add(identity, sizes[identity], boxes, picture.split)


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


def _identity(file: Path, digest: str, sizes: Mapping[str, _Size]) -> str:
    if digest in sizes or file.stem not in sizes:
        return digest
    try:
        return file.stem if storage.measure(file.read_bytes())[:2] == sizes[file.stem] else digest
    except storage.NotAnImage:
        return digest


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


class _Rows:
    """New rows of ``boxes``, column by column.

    Attributes:
        identities: of their pictures.
        labels: of the boxes.
        product_types: of the boxes; None where the file does not say more than the label.
        corners: ``x_min, y_min, x_max, y_max`` of one after another.
    """

    def __init__(self) -> None:
        self.identities: list[str] = []
        self.labels: list[str] = []
        self.product_types: list[str | None] = []
        self.corners = array("d")

    def add(
        self,
        identity: str,
        boxes: list[_Box],
        size: _Size,
        label_map: LabelMap,
        count: "Counter[str]",
        unknown: "Counter[str]",
    ) -> None:
        """Add a picture's boxes; what is left out is counted."""
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
            self.identities.append(identity)
            self.labels.append(str(label))
            self.product_types.append(label_map.product_type(name))
            self.corners.extend(inside)

    def table(self) -> pyarrow.Table:
        """As :data:`fullshot.annotate.imported_boxes.COLUMNS`."""
        corners = np.frombuffer(self.corners, np.float64).reshape(-1, 4)
        identities, labels, types = (
            pyarrow.array(texts, pyarrow.string()) for texts in (self.identities, self.labels, self.product_types)
        )
        return pyarrow.table([identities, labels, *map(pyarrow.array, corners.T.copy()), types], names=[*COLUMNS])
