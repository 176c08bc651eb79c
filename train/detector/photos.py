"""Garments in photos of one's own, one after the other: no workspace is needed, and a folder may be of any size."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont

from fullshot.core.boxes import Box, Picture
from fullshot.core.engines import cores
from fullshot.core.errors import UserError
from fullshot.core.interfaces import Detector
from fullshot.core.pictures import NotAnImage, read_rgb

SUFFIXES = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif"})
"""Of the files in a folder that are looked at; a file that is named is looked at whatever it is called."""

COLOURS = {"top": "#d1495b", "long": "#8f2d56", "bottom": "#00798c", "foot": "#b7791f"}
"""A wear's, round its boxes and wherever else it is shown."""
_OTHER_COLOUR = "#222222"

_AT_ONCE = 16
"""Photos that are decoded and looked at together: a camera's has 36 MB."""

_DIGITS = 1
_SCORE_DIGITS = 4


@dataclass(frozen=True)
class Photo:
    """A photo to be looked at.

    Attributes:
        path: its file.
        name: of what is drawn of it, relative to the folder that it goes to; no two photos have one.
    """

    path: Path
    name: Path

    def drawn_in(self, folder: Path) -> Path:
        """The file in a folder that it is drawn in, a JPEG; no two photos share one.

        Raises:
            UserError: that would be the photo itself.
        """
        is_free = self.name.suffix == ".jpg" and Path(self.name.stem).suffix.lower() not in SUFFIXES
        file = folder / (self.name if is_free else self.name.with_name(f"{self.name.name}.jpg"))
        if file.exists() and file.samefile(self.path):
            raise UserError(f"{file} would be drawn over: name another folder than that of the photos")
        return file


@dataclass(frozen=True)
class Detected:
    """What was found in a photo.

    Attributes:
        photo: looked at.
        boxes: in pixels of the upright picture, best score first.
        picture: shape (height, width, 3), uint8, RGB; None: it cannot be read.
        reason: why it cannot be read; empty where it can.
    """

    photo: Photo
    boxes: Sequence[Box] = ()
    picture: Picture | None = None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """``path``, and ``boxes``: each ``label``, ``x_min, y_min, x_max, y_max`` and ``score``."""
        boxes = [
            {
                "label": box.label,
                "x_min": round(box.x_min, _DIGITS),
                "y_min": round(box.y_min, _DIGITS),
                "x_max": round(box.x_max, _DIGITS),
                "y_max": round(box.y_max, _DIGITS),
                "score": round(box.score or 0.0, _SCORE_DIGITS),
            }
            for box in self.boxes
        ]
        return {"path": str(self.photo.path), "boxes": boxes}


class Photos:
    """The photos that some files and folders are or hold; to be gone through once.

    Args:
        places: files and folders.
        output: a folder that is left out, because what is drawn goes there.

    Attributes:
        passed_over: files of folders that are no pictures, counted by suffix as they are met.

    Raises:
        UserError: one of the places is not there.
    """

    def __init__(self, places: Sequence[Path], output: Path | None = None) -> None:
        for place in places:
            if not place.exists():
                raise UserError(f"expected a photo or a folder of photos, but there is no file at {place}")
        self.passed_over = Counter[str]()
        self._places, self._output = places, output and output.resolve()

    def __iter__(self) -> Iterator[Photo]:
        """Each photo, folder by folder, by name; hidden files are left out."""
        names: set[str] = set()
        for place in self._places:
            name, number = place.resolve().name, 1
            while name in names:
                number += 1
                name = f"{place.stem}-{number}{place.suffix}"
            names.add(name)
            own = Path(name)
            if not place.is_dir():
                yield Photo(place, own)
            else:
                yield from self._below(place, place, Path() if len(self._places) == 1 else own)

    def _below(self, folder: Path, top: Path, name: Path) -> Iterator[Photo]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            yield Photo(folder, name / folder.relative_to(top))  # it is then said why it cannot be read
            return
        for entry in entries:
            path = Path(entry.path)
            if self._output and path.resolve() == self._output:
                continue  # what was drawn before
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(path, top, name)
            elif path.suffix.lower() in SUFFIXES:
                yield Photo(path, name / path.relative_to(top))
            else:
                self.passed_over[path.suffix.lower() or path.name] += 1


def detect_photos(photos: Iterable[Photo], detector: Detector) -> Iterator[Detected]:
    """Look for garments in photos, in their order; few are in memory at a time.

    Args:
        photos: each is read upright, as its EXIF orientation says.
        detector: looks.

    Yields:
        What was found in each; those that cannot be read say why.
    """
    waiting: list[Photo] = []
    with ThreadPoolExecutor(cores()) as pool:  # the decoder lets go of the interpreter
        for photo in photos:
            waiting.append(photo)
            if len(waiting) == _AT_ONCE:
                yield from _looked_at(waiting, detector, pool)
                waiting = []
        yield from _looked_at(waiting, detector, pool)


def _looked_at(photos: Sequence[Photo], detector: Detector, pool: ThreadPoolExecutor) -> Iterator[Detected]:
    read = list(pool.map(_read, photos))
    boxes = iter(detector.predict([one.picture for one in read if one.picture is not None]))
    for one in read:
        yield one if one.picture is None else Detected(one.photo, next(boxes), one.picture)


def _read(photo: Photo) -> Detected:
    try:
        return Detected(photo, picture=read_rgb(photo.path, upright=True))
    except (NotAnImage, OSError) as error:
        return Detected(photo, reason=" ".join(str(error).split()))


def draw_boxes(picture: Picture, boxes: Sequence[Box]) -> Image.Image:
    """A picture with its boxes, each with its label and score.

    Args:
        picture: shape (height, width, 3), uint8, RGB.
        boxes: in its pixels; the best come first, and lie on top.
    """
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    longest = max(image.size)
    line, letters = max(2, round(longest / 300)), max(11, round(longest / 45))
    font = ImageFont.load_default(letters)
    for box in reversed(boxes):
        colour = COLOURS.get(box.label, _OTHER_COLOUR)
        pen.rectangle(box.corners, outline=colour, width=line)
        words = box.label if box.score is None else f"{box.label} {box.score:.2f}"
        left, _, right, bottom = pen.textbbox((0, 0), words, font=font)
        width, height = right - left + 2 * line, bottom + 2 * line
        x = min(max(0, box.x_min), max(0, image.width - width))
        y = box.y_min - height if box.y_min >= height else box.y_min
        pen.rectangle((x, y, x + width, y + height), fill=colour)
        pen.text((x + line, y + line), words, fill=ImageColor.getrgb("white"), font=font)
    return image
