"""What every box format is read into and written from, and the checks that they share."""

import math
from dataclasses import dataclass
from pathlib import Path

from fullshot.core.boxes import Corners
from fullshot.core.errors import UserError

UNSPLIT = "unsplit"
"""Stands in place of a split for pictures that have none."""

BESIDE = ("", "images", "photos", "../images", "../photos")
"""Where pictures lie when nobody says so, relative to the file or the folder of annotations."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif")
"""What the files of pictures end with, in lower case."""

FARTHEST = 1_000_000.0
"""No place in a picture lies as far as this from its corner, in pixels: a JPEG's side ends at 65,535."""


@dataclass(frozen=True, slots=True)
class Annotated:
    """A picture and its boxes, as a file of annotations tells of them.

    ``file_name`` is the picture's, as the annotations have it, without suffix where they have none; ``width`` and
    ``height`` are in pixels, None where the format does not say them; ``boxes`` holds a category's name and
    ``(x_min, y_min, x_max, y_max)`` for each box: in pixels, or ``in_shares`` of the picture's width and height, as it
    is shown, that is turned as its EXIF orientation asks. ``split`` is the data set's own, None where it says none.
    """

    file_name: str
    width: int | None
    height: int | None
    boxes: tuple[tuple[str, Corners], ...] = ()
    in_shares: bool = False
    split: str | None = None


def number(text: str, where: str) -> float:
    """A finite number that somebody wrote.

    Raises:
        UserError: it is none, or too far from any picture; begins with ``where``.
    """
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{where}: expected a number, got {short(text)}") from None
    # Python reads 1_0 as 10; nobody who writes boxes means that.
    if "_" in text or not math.isfinite(value):
        raise UserError(f"{where}: expected a finite number, got {short(text)}")
    return value


def in_order(corners: Corners, where: str) -> Corners:
    """The corners of a box in pixels, checked; a box may lie outside the picture and may have no area.

    Raises:
        UserError: a number is not finite or absurd, or a side is negative; begins with ``where``.
    """
    for value in corners:
        if not abs(value) < FARTHEST:  # so that NaN is refused as well
            raise UserError(f"{where}: expected pixels, less than {FARTHEST:,.0f}, got {value:g}")
    x_min, y_min, x_max, y_max = corners
    if x_max < x_min or y_max < y_min:
        told = ", ".join(f"{value:g}" for value in corners)
        raise UserError(f"{where}: expected x_min, y_min, x_max, y_max of an upright box, got {told}")
    return corners


def read_lines(path: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        UserError: it is not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path}:{line}: expected UTF-8 text, got the byte {error.object[error.start]:#04x}") from None


def plain(value: float, digits: int) -> str:
    """A number as people write it: no exponent, no zeros at its end."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def short(value: object) -> str:
    """A value as it is quoted in an error: in one line that is not too long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
