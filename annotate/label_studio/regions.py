"""Boxes as Label Studio has them: rectangles in percent of the picture as a browser shows it.

A browser turns a picture as its EXIF orientation says; ``boxes.csv`` has pixels of the picture as it is stored.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fullshot.core.boxes import Box, Corners

LABELS, SHOT, COMMENT, PICTURE = "label", "shot", "comment", "image"
"""Names of the project's controls, and of what they are about."""

_TURNED: dict[int, Callable[[float, float], tuple[float, float]]] = {
    # EXIF orientation: a place in the stored picture, as shares of its sides → the place where it is shown.
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (1 - y, x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (y, 1 - x),
}
_BACK = {orientation: {6: 8, 8: 6}.get(orientation, orientation) for orientation in _TURNED}
ON_THEIR_SIDE = (5, 6, 7, 8)
"""EXIF orientations whose picture is shown as wide as it is stored high."""


@dataclass(frozen=True)
class Sheet:
    """A picture's ``width`` and ``height`` in pixels as it is stored, and its EXIF ``orientation``, 1 to 8."""

    width: int
    height: int
    orientation: int = 1

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height in pixels as a browser shows it."""
        return (self.height, self.width) if self.orientation in ON_THEIR_SIDE else (self.width, self.height)


def _turned(corners: Corners, orientation: int) -> Corners:
    """A box in shares of the sides, after its picture was turned."""
    turn = _TURNED[orientation]
    (x_1, y_1), (x_2, y_2) = turn(*corners[:2]), turn(*corners[2:])
    return min(x_1, x_2), min(y_1, y_2), max(x_1, x_2), max(y_1, y_2)


def written(boxes: Sequence[Box], sheet: Sheet) -> list[dict[str, Any]]:
    """Boxes as a prediction's or an annotation's ``result``.

    Args:
        boxes: in pixels of the picture as it is stored.
        sheet: of the picture.
    """
    width, height = sheet.shown
    result = []
    for number, box in enumerate(boxes):
        x_min, y_min, x_max, y_max = box.corners
        shares = (x_min / sheet.width, y_min / sheet.height, x_max / sheet.width, y_max / sheet.height)
        left, top, right, bottom = (100 * share for share in _turned(shares, sheet.orientation))
        region = {
            "id": f"box{number}",
            "type": "rectanglelabels",
            "from_name": LABELS,
            "to_name": PICTURE,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {
                "x": left,
                "y": top,
                "width": right - left,
                "height": bottom - top,
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


def read(result: Iterable[Mapping[str, Any]], sheet: Sheet) -> list[Region]:
    """The rectangles of an annotation's or a prediction's ``result``.

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
        left, top, right, bottom = _around(rectangle, rotation, sheet)
        corners = _turned((left / 100, top / 100, right / 100, bottom / 100), _BACK[sheet.orientation])
        pixels = (
            corners[0] * sheet.width,
            corners[1] * sheet.height,
            corners[2] * sheet.width,
            corners[3] * sheet.height,
        )
        regions.append(Region(tuple(value.get("rectanglelabels") or ()), pixels, rotation % 360 != 0))
    return regions


def _around(rectangle: tuple[float, ...], rotation: float, sheet: Sheet) -> Corners:
    """The upright box around a rectangle that is turned about its top left corner, clockwise, by degrees; percents."""
    left, top, width, height = rectangle
    if rotation % 360 == 0:
        return left, top, left + width, top + height
    # Degrees are of pixels: percents of width and of height are not as long as each other.
    across, down = sheet.shown
    cosine, sine = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    xs, ys = [], []
    for right, lower in ((0.0, 0.0), (width, 0.0), (0.0, height), (width, height)):
        x, y = right * across, lower * down
        xs.append(left + (x * cosine - y * sine) / across)
        ys.append(top + (x * sine + y * cosine) / down)
    return min(xs), min(ys), max(xs), max(ys)


def chosen(result: Iterable[Mapping[str, Any]], control: str) -> str | None:
    """What was chosen or written in a control, if anything."""
    for part in result:
        if part.get("from_name") == control:
            value = part.get("value", {})
            words = value.get("choices") or value.get("text") or []
            return "\n".join([words] if isinstance(words, str) else map(str, words)) or None
    return None
