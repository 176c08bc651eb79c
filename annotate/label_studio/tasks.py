"""What a workspace has for annotators: its pictures as Label Studio's tasks, with the boxes that machines drew."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from fullshot.annotate.label_studio.regions import PICTURE, from_boxes
from fullshot.annotate.queue.numbering import DIGITS
from fullshot.core.boxes import Box
from fullshot.core.geometry import ImageGeometry
from fullshot.core.pictures import read_geometry, read_or_none
from fullshot.core.settings import AnnotateSettings
from fullshot.core.workspace import Workspace

SHOP = "shop"
"""Version of the boxes that come from the shop's own pages."""

_MACHINE = ("shop", "import")
_COLUMNS = (
    *("image_id", "path", "width", "height", "priority", "reason", "shot"),
    *("product_id", "product_type", "url_product"),
)
"""Columns that tasks are made of."""

_LOCAL = "/data/local-files/?d="


@dataclass(frozen=True)
class Picture:
    """A picture that goes to annotators.

    Attributes:
        data: of its task: the picture's address, ``image_id``, ``priority``, ``reason``, and cells of the
            tables; ``given`` is a digest of the boxes that it came with.
        path: relative to the workspace.
        width: in pixels, as it is stored.
        height: in pixels, as it is stored.
        given: boxes of the shop and of imported files, by their version; in pixels of the picture as it is stored.
    """

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


def wanted(workspace: Workspace, settings: AnnotateSettings) -> Iterator[Picture]:
    """The pictures that people should see: full shots, and those of which the rule is not sure; first what leads.

    Raises:
        MissingInput: the workspace was not curated yet.
    """
    curated, images, products = (workspace.read(name) for name in ("curated", "images", "products"))
    kept = curated["keep"].fillna(True).astype(bool) & curated["duplicate_of"].isna()
    # Version 0.1 had full_shot and no shot.
    full = curated["shot"].isin(("full", "unclear")) | (curated["shot"].isna() & curated["full_shot"].eq(True))
    asked = curated[kept & full.fillna(False)]
    places = images.drop_duplicates("image_id").merge(products, on="product_id", how="left", suffixes=("", "_product"))
    order = workspace.read_if_there("priorities")[["image_id", "priority", "reason"]]
    rows = asked.merge(places, on="image_id").merge(order, on="image_id", how="left")
    rows["priority"] = rows["priority"].astype("float64").fillna(0.0)
    rows = rows.sort_values(["priority", "image_id"], ascending=[False, True], kind="stable")[list(_COLUMNS)]
    given = _given(workspace)
    for row in rows.to_dict("records"):
        boxes = given.get(row["image_id"], {})
        data = {
            PICTURE: address(settings.pictures, str(row["path"])),
            "image_id": row["image_id"],
            "priority": round(float(row["priority"]), DIGITS),
            "reason": _words(row["reason"]) or _why(row),
            "shot": row["shot"],
            "product": _words(row["product_id"]),
            "product_type": _words(row["product_type"]),
            "page": _words(row["url_product"]),
            "given": _digest(boxes),
        }
        yield Picture(data, str(row["path"]), int(row["width"]), int(row["height"]), boxes)


def address(base: str, path: str) -> str:
    """Where an annotator's browser finds a picture: below ``base``, or from Label Studio's own disk."""
    place = quote(path)
    return f"{base.rstrip('/')}/{place}" if base else f"{_LOCAL}{place}"


def _given(workspace: Workspace) -> dict[str, dict[str, list[Box]]]:
    """Boxes of the shop and of files, by picture and by version."""
    boxes = workspace.read_if_there("boxes")
    boxes = boxes[boxes["source"].isin(_MACHINE)]
    found: dict[str, dict[str, list[Box]]] = {}
    names = (boxes[name].to_list() for name in ("image_id", "source", "label"))
    corners = boxes[["x_min", "y_min", "x_max", "y_max"]].to_numpy(float).tolist()
    for identity, source, label, (x_min, y_min, x_max, y_max) in zip(*names, corners, strict=True):
        found.setdefault(identity, {}).setdefault(source, []).append(Box(label, x_min, y_min, x_max, y_max))
    return found


def _digest(given: Mapping[str, Sequence[Box]]) -> str:
    """A short digest of boxes; empty where there are none."""
    content = [(version, [(box.label, box.corners) for box in boxes]) for version, boxes in sorted(given.items())]
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16] if content else ""


def _why(row: Mapping[Any, Any]) -> str:
    return "is it a full shot?" if row["shot"] == "unclear" else ""


def _words(cell: Any) -> str:
    return "" if pd.isna(cell) else str(cell)
