"""Boxes as Label Studio has them: rectangles in percent of the picture as a browser shows it.

A browser turns a picture as its EXIF orientation says; ``boxes.csv`` has pixels of the picture as it is stored.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fullshot.core.boxes import Box, Corners
from fullshot.core.geometry import ImageGeometry

LABELS, SHOT, COMMENT, PICTURE = "label", "shot", "comment", "image"
"""Names of the project's controls, and of what they are about."""


def from_boxes(boxes: Sequence[Box], geometry: ImageGeometry) -> list[dict[str, Any]]:
    """Boxes as the ``result`` of a prediction or an annotation.

    Args:
        boxes: in pixels of the picture as it is stored.
        geometry: of the picture.
    """
    width, height = geometry.upright_size
    result = []
    for number, box in enumerate(boxes):
        left, top, right, bottom = geometry.to_upright(box.corners)
        region = {
            "id": f"box{number}",
            "type": "rectanglelabels",
            "from_name": LABELS,
            "to_name": PICTURE,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {
                "x": 100 * left / width,
                "y": 100 * top / height,
                "width": 100 * (right - left) / width,
                "height": 100 * (bottom - top) / height,
                "rotation": 0,
                "rectanglelabels": [box.label],
            },
        }
        result.append(region if box.score is None else {**region, "score": box.score})
    return result


@dataclass(frozen=True)
class Region:
    """A rectangle that somebody drew.

    Attributes:
        labels: none, one, or more.
        corners: ``(x_min, y_min, x_max, y_max)`` in pixels of the picture as it is stored; they may lie outside it.
        is_rotated: it was turned; the corners are of the box around it.
    """

    labels: tuple[str, ...]
    corners: Corners
    is_rotated: bool = False


def read(result: Iterable[Mapping[str, Any]], geometry: ImageGeometry) -> list[Region]:
    """The rectangles in the ``result`` of an annotation or a prediction.

    Args:
        result: as Label Studio has it.
        geometry: of the picture.

    Raises:
        ValueError: a rectangle lacks a part, or a number of it is none.
    """
    regions = []
    for part in result:
        if part.get("type") not in ("rectanglelabels", "rectangle"):
            continue
        value = part.get("value", {})
        try:
            rectangle = tuple(float(value[name]) for name in ("x", "y", "width", "height"))
            rotation = float(value.get("rotation") or 0)
        except (KeyError, TypeError, ValueError):
            raise ValueError("a rectangle needs x, y, width and height") from None
        if not all(map(math.isfinite, (*rectangle, rotation))):
            raise ValueError("a rectangle needs finite numbers")
        corners = geometry.to_stored(_around(rectangle, rotation, geometry.upright_size))
        regions.append(Region(tuple(value.get("rectanglelabels") or ()), corners, rotation % 360 != 0))
    return regions


def _around(rectangle: Sequence[float], rotation: float, size: tuple[int, int]) -> Corners:
    """The upright box around a rectangle, in pixels.

    Args:
        rectangle: left, top, width and height, in percent of the picture's sides.
        rotation: in degrees, clockwise, about the rectangle's top left corner.
        size: the picture's width and height in pixels.
    """
    left, top = rectangle[0] / 100 * size[0], rectangle[1] / 100 * size[1]
    width, height = rectangle[2] / 100 * size[0], rectangle[3] / 100 * size[1]
    if rotation % 360 == 0:
        return left, top, left + width, top + height
    cosine, sine = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    corners = ((0.0, 0.0), (width, 0.0), (0.0, height), (width, height))
    xs = [left + x * cosine - y * sine for x, y in corners]
    ys = [top + x * sine + y * cosine for x, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def answer(result: Iterable[Mapping[str, Any]], control: str) -> str | None:
    """What was chosen or written in a control, if anything."""
    for part in result:
        if part.get("from_name") == control:
            value = part.get("value", {})
            words = value.get("choices") or value.get("text") or []
            return "\n".join([words] if isinstance(words, str) else map(str, words)) or None
    return None
