"""The answer to a photo as one picture: the photo with its boxes, and a row of look-alikes for each garment."""

import io
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fullshot.core.boxes import Box, Picture, crop
from fullshot.core.pictures import NotAnImage, read_reduced
from fullshot.train.detector import COLOURS

_INK, _PALE = "#222222", "#888888"
_TILE = 1.55
"""Inches of a look-alike's picture."""
_PIXELS = 640
"""Of the longer side of a look-alike, at least: nobody sees more of it, also where the page is enlarged."""
_WORDS = 0.78
"""Inches of the lines below it."""
_LINE = 24
"""Characters in a line below a look-alike."""


@dataclass(frozen=True)
class Tile:
    """A look-alike as it is drawn: its picture's file, name, and further line."""

    path: Path
    name: str
    line: str


def draw_answer(
    photo: Picture, rows: Sequence[tuple[Box, Sequence[Tile]]], notes: Sequence[str], image_format: str
) -> bytes:
    """Draw an answer to a photo.

    Args:
        photo: shape (height, width, 3), uint8, RGB.
        rows: the garments and their look-alikes.
        notes: lines for the foot of the picture.
        image_format: see :func:`fullshot.index.answer.format_of`.

    Returns:
        The file's content.
    """
    columns = max((len(tiles) for _, tiles in rows), default=1) + 1
    count = max(1, len(rows))
    height = count * (_TILE + _WORDS) + 0.35 + 0.2 * len(notes)
    # As high as the rows, but a panorama or a strip does not push them off the page.
    photo_width = min(max((height - 0.5) * photo.shape[1] / photo.shape[0], 2.0), 6.0)
    width = photo_width + columns * (_TILE + 0.15) + 0.5
    # A figure of its own, not pyplot's: it needs no display and is gone with this function.
    figure = Figure(figsize=(width, height), facecolor="white")
    bottom = (0.1 + 0.2 * len(notes)) / height
    left = figure.add_axes((0.1 / width, bottom, photo_width / width, 1 - bottom - 0.1 / height))
    _photo(left, photo, [box for box, _ in rows])
    for row, (box, tiles) in enumerate(rows):
        y = 1 - (0.25 + row * (_TILE + _WORDS) + _TILE) / height
        for column in range(len(tiles) + 1):
            x = (photo_width + 0.35 + column * (_TILE + 0.15)) / width
            axes = figure.add_axes((x, y, _TILE / width, _TILE / height))
            if column == 0:
                _query(axes, photo, box)
            else:
                _look_alike(axes, tiles[column - 1])
    for number, note in enumerate(reversed(notes)):
        figure.text(0.1 / width, (0.08 + 0.2 * number) / height, note, fontsize=8, color=_PALE, parse_math=False)
    content = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; the table has it in full.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(content, format=image_format, dpi=110)
    return content.getvalue()


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _photo(axes: Axes, photo: Picture, boxes: Sequence[Box]) -> None:
    axes.imshow(photo)
    axes.set_anchor("NW")
    _bare(axes)
    for box in boxes:
        colour = COLOURS.get(box.label, _INK)
        size = box.x_max - box.x_min, box.y_max - box.y_min
        style = "--" if box.source == "pose" else "-"
        axes.add_patch(
            Rectangle((box.x_min, box.y_min), *size, fill=False, edgecolor=colour, linewidth=2.2, linestyle=style)
        )
        axes.text(
            box.x_min,
            box.y_min,
            f" {_caption(box)} ",
            fontsize=8,
            color="white",
            backgroundcolor=colour,
            verticalalignment="bottom",
            clip_on=True,
        )


def _caption(box: Box) -> str:
    return f"{box.label} (pose)" if box.source == "pose" or box.score is None else f"{box.label} {box.score:.2f}"


def _query(axes: Axes, photo: Picture, box: Box) -> None:
    _whole(axes, crop(photo, box.corners))
    axes.set_title(box.label, fontsize=10, color=COLOURS.get(box.label, _INK), fontweight="bold", pad=3)
    for spine in axes.spines.values():
        spine.set(visible=True, color=COLOURS.get(box.label, _INK), linewidth=2.2)
    axes.text(0.5, -0.06, "in the photo", **_below(_PALE), transform=axes.transAxes)


def _look_alike(axes: Axes, tile: Tile) -> None:
    try:
        _whole(axes, read_reduced(tile.path, _PIXELS).pixels)
    except (NotAnImage, OSError):
        # The catalog outlives its pictures; the answer, with its link, still holds.
        axes.text(0.5, 0.5, "no picture", transform=axes.transAxes, ha="center", fontsize=8, color=_PALE)
        _bare(axes)
    name = textwrap.wrap(tile.name, _LINE, max_lines=2, placeholder=" …") or [""]
    axes.text(0.5, -0.06, "\n".join(name), **_below(_INK), transform=axes.transAxes)
    axes.text(0.5, -0.06 - 0.115 * len(name), tile.line, **_below(_PALE), transform=axes.transAxes)


def _below(colour: str) -> dict[str, Any]:
    return {"ha": "center", "va": "top", "fontsize": 7.5, "color": colour, "parse_math": False}


def _whole(axes: Axes, picture: Picture) -> None:
    """A picture of any shape, whole, in the middle of a square."""
    height, width = picture.shape[:2]
    side = max(height, width)
    axes.imshow(picture, extent=(-width / 2, width / 2, -height / 2, height / 2))
    axes.set_xlim(-side / 2, side / 2)
    axes.set_ylim(-side / 2, side / 2)
    _bare(axes)
