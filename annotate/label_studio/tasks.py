"""What a workspace has for annotators: its pictures as Label Studio's tasks, with the boxes that machines drew."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fullshot.annotate.label_studio.regions import PICTURE, from_boxes
from fullshot.annotate.queue.numbering import DIGITS
from fullshot.core.boxes import Box
from fullshot.core.dataset import Dataset
from fullshot.core.geometry import ImageGeometry
from fullshot.core.pictures import read_geometry, read_or_none
from fullshot.core.settings import AnnotateSettings

SHOP = "shop"
"""Version of the boxes that come from the shop's own pages."""

COLUMNS = {
    "curated": ("image_id", "full_shot", "shot", "keep", "duplicate_of"),
    "images": ("image_id", "product_id", "path", "width", "height"),
    "products": ("product_id", "product_type", "url"),
    "priorities": ("image_id", "priority", "reason"),
    "boxes": ("image_id", "label", "x_min", "y_min", "x_max", "y_max", "source"),
}
"""What is read of the tables."""

_WANTED = """
SELECT row_number() OVER (ORDER BY coalesce(priority, 0) DESC, image_id) - 1 AS number, image_id, path, width, height,
    coalesce(priority, 0)::DOUBLE AS priority, reason, shot, product_id, product_type, products.url AS page
FROM curated JOIN pictures USING (image_id) LEFT JOIN products USING (product_id) LEFT JOIN priorities USING (image_id)
WHERE coalesce(keep, true) AND duplicate_of IS NULL
    AND coalesce(shot IN ('full', 'unclear'), full_shot, false) -- version 0.1 had full_shot and no shot
ORDER BY number
"""
_GIVEN = """
SELECT number, list([source, label] ORDER BY place) AS names,
    list([x_min, y_min, x_max, y_max]::DOUBLE[] ORDER BY place) AS corners
FROM (SELECT *, row_number() OVER () AS place FROM boxes) JOIN wanted USING (image_id)
WHERE source IN ('shop', 'import') GROUP BY number ORDER BY number
"""
_ROWS = """
SELECT wanted.*, names, corners FROM (FROM wanted WHERE number BETWEEN $low AND $high) AS wanted
LEFT JOIN (FROM given WHERE number BETWEEN $low AND $high) AS given USING (number)
"""

_AT_ONCE = 30_000
"""Pictures that are read of the tables at a time: each time the part of the tables that they stand in is read."""

_LOCAL = "/data/local-files/?d="


@dataclass(frozen=True)
class Picture:
    """A picture that goes to annotators.

    Attributes:
        number: see :func:`create_wanted`.
        data: of its task: the picture's address, ``image_id``, ``priority``, ``reason``, and cells of the
            tables; ``given`` is a digest of the boxes that it came with.
        path: relative to the workspace.
        width: in pixels, as it is stored.
        height: in pixels, as it is stored.
        given: boxes of the shop and of imported files, by their version; in pixels of the picture as it is stored.
    """

    number: int
    data: dict[str, Any]
    path: str
    width: int
    height: int
    given: Mapping[str, Sequence[Box]]

    @property
    def image_id(self) -> str:
        """Its name."""
        return str(self.data["image_id"])


def geometry_of(root: Path, path: str, width: int, height: int) -> ImageGeometry:
    """The geometry of a stored picture; one that cannot be read is taken to be stored upright."""
    read = read_or_none(root / path, read_geometry)
    return ImageGeometry(width, height) if read is None else ImageGeometry(width, height, read.orientation)


def as_stored(boxes: Iterable[Box], geometry: ImageGeometry) -> list[Box]:
    """Boxes that were found in the upright picture, in pixels of the picture as it is stored."""
    return [Box(box.label, *geometry.to_stored(box.corners), box.score, box.source) for box in boxes]


def prediction(version: str, boxes: Sequence[Box], geometry: ImageGeometry) -> dict[str, Any]:
    """A machine's boxes as Label Studio takes them; the score is that of the least sure box."""
    scores = [box.score for box in boxes if box.score is not None]
    return {
        "model_version": version,
        "result": from_boxes(boxes, geometry),
        **({"score": round(min(scores), 4)} if scores else {}),
    }


def create_wanted(data: Dataset) -> int:
    """Let queries of a data set find the pictures that people should see, as ``wanted``; returns how many they are.

    They are the full shots, and those of which the rule is not sure; ``number`` counts them, what leads first, from 0.

    Raises:
        MissingInput: the workspace was not curated yet.
    """
    for name in ("priorities", "boxes"):
        data.make_if_missing(name)
    data.create("wanted", _WANTED)
    data.create("given", _GIVEN)
    data.drop("pictures")
    return int(data.rows("SELECT count(*) FROM wanted")[0][0])


def versions(data: Dataset) -> list[str]:
    """The versions of boxes that the pictures come with; what most have first."""
    rows = data.rows(
        "SELECT source, count(DISTINCT number) AS pictures FROM (SELECT number, unnest(names)[1] AS source FROM given) "
        "GROUP BY source ORDER BY pictures DESC, source"
    )
    return [source for source, _ in rows]


def pictures(data: Dataset, settings: AnnotateSettings, numbers: Sequence[int]) -> Iterator[Picture]:
    """The pictures of these numbers, see :func:`create_wanted`, which ascend; few are in memory at once."""
    for first in range(0, len(numbers), _AT_ONCE):
        some = numbers[first : first + _AT_ONCE]
        between = {"low": some[0], "high": some[-1]}
        if isinstance(some, range):
            rows = data.rows(f"{_ROWS} ORDER BY number", **between)
        else:
            asked = "WHERE number IN (SELECT unnest($some))"
            rows = data.rows(f"{_ROWS} {asked} ORDER BY number", **between, some=list(some))
        for row in rows:
            yield _picture(row, settings)


def paths(data: Dataset, numbers: Sequence[int]) -> list[str]:
    """The files of the pictures of these numbers, relative to the workspace."""
    if isinstance(numbers, range):
        return [path for (path,) in data.rows("SELECT path FROM wanted")]
    sql = "SELECT path FROM wanted WHERE number IN (SELECT unnest($numbers))"
    return [path for (path,) in data.rows(sql, numbers=list(numbers))]


def _picture(row: Sequence[Any], settings: AnnotateSettings) -> Picture:
    number, identity, path, width, height, priority, reason, shot, product, kind, page, names, corners = row
    given: dict[str, list[Box]] = {}
    for (source, label), box in zip(names or (), corners or (), strict=True):
        given.setdefault(source, []).append(Box(label, *box))
    data = {
        PICTURE: address(settings.pictures, path),
        "image_id": identity,
        "priority": round(priority, DIGITS),
        "reason": reason or ("is it a full shot?" if shot == "unclear" else ""),
        "shot": shot,
        "product": product or "",
        "product_type": kind or "",
        "page": page or "",
        "given": _digest(given),
    }
    return Picture(number, data, path, width, height, given)


def address(base: str, path: str) -> str:
    """Where an annotator's browser finds a picture: below ``base``, or from Label Studio's own disk."""
    place = quote(path)
    return f"{base.rstrip('/')}/{place}" if base else f"{_LOCAL}{place}"


def _digest(given: Mapping[str, Sequence[Box]]) -> str:
    """A short digest of boxes; empty where there are none."""
    content = [(version, [(box.label, box.corners) for box in boxes]) for version, boxes in sorted(given.items())]
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16] if content else ""
