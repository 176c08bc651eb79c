"""Pictures by content address: a picture's name is the sha256 of its bytes."""

import contextlib
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from fullshot.files import write_bytes

MAX_PIXELS = 50_000_000
"""A picture with more pixels is refused before it is decoded (a 50,000 × 50,000 PNG can be 200 kB)."""

_open = Image.open
"""Pillow's own: Ultralytics puts another in its place, which tries to install a package for what does not decode."""

_SUFFIX = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "AVIF": ".avif",
}


class NotAnImage(ValueError):
    """The bytes do not decode to a picture, or to one too large to be decoded."""


@dataclass(frozen=True)
class Stored:
    """A picture that is there: ``path`` is relative to the workspace, sizes are in pixels and bytes."""

    image_id: str
    path: str
    width: int
    height: int
    bytes: int


def image_id(content: bytes) -> str:
    """The sha256 of a picture's bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def _decoding() -> Iterator[None]:
    """Say of whatever a decoder stumbles over that this is no picture."""
    try:
        yield
    except (NotAnImage, MemoryError):
        raise
    except UnidentifiedImageError:  # its own words name an address in memory, another one each time
        raise NotAnImage("no picture of a known kind") from None
    except Exception as error:  # each decoder has its own: AVIF's raises RuntimeError, TIFF's OverflowError
        raise NotAnImage(str(error) or type(error).__name__) from None


def measure(content: bytes) -> tuple[int, int, str]:
    """Width and height in pixels, and the suffix, of a picture that decodes whole.

    Raises:
        NotAnImage: it does not decode, is cut off, or has more than :data:`MAX_PIXELS`.
    """
    with _decoding(), _open(io.BytesIO(content)) as picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise NotAnImage(f"{width}×{height} pixels, more than {MAX_PIXELS:,}")
        suffix = _SUFFIX.get(picture.format or "")
        if suffix is None:
            raise NotAnImage(f"a picture of kind {picture.format}")
        picture.load()
    return width, height, suffix


def put(root: Path, content: bytes) -> Stored:
    """Store a picture under ``<root>/images/ab/abcd….jpg``; storing it again changes nothing.

    A file of another size lies there in part, and is written again.

    Raises:
        NotAnImage: see :func:`measure`; nothing is written.
    """
    width, height, suffix = measure(content)
    identity = image_id(content)
    path = f"images/{identity[:2]}/{identity}{suffix}"
    file = root / path
    if not file.is_file() or file.stat().st_size != len(content):
        write_bytes(file, content)
    return Stored(identity, path, width, height, len(content))


def is_turned(path: Path) -> bool:
    """Whether a picture's EXIF asks to show it in another orientation than it is stored in.

    Raises:
        NotAnImage: it does not decode.
    """
    with _decoding(), _open(path) as picture:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1)) != 1


def read_rgb(path: Path, *, upright: bool = False) -> NDArray[np.uint8]:
    """Decode a picture.

    Args:
        path: the file.
        upright: turn it as its EXIF orientation says; boxes are in pixels of the picture as it is stored, so this is
            for photos that come from outside.

    Returns:
        Shape (height, width, 3), uint8, RGB.

    Raises:
        NotAnImage: see :func:`measure`.
    """
    content = path.read_bytes()
    measure(content)
    with _decoding(), _open(io.BytesIO(content)) as picture:
        turned = ImageOps.exif_transpose(picture) if upright else picture
        return np.asarray(turned.convert("RGB"))
