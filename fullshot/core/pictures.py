"""Pictures decoded: upright or as they are stored, whole or reduced, and none that is too large."""

import contextlib
import io
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from fullshot.core.boxes import Corners, crop
from fullshot.core.geometry import ON_THEIR_SIDE, ImageGeometry

MAX_PIXELS = 50_000_000
"""A picture with more pixels is refused before it is decoded (a 50,000 × 50,000 PNG can be 200 kB)."""

Decoded = TypeVar("Decoded")

_open = Image.open
"""Pillow's own: Ultralytics puts another in its place, which tries to install a package for what does not decode."""

# What a shop's pages show. Pillow knows some forty more kinds; their decoders never see bytes from the network.
_SUFFIX = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "AVIF": ".avif",
}
_KINDS = tuple(_SUFFIX)

# What turns a stored picture upright, by its EXIF orientation; see PIL.ImageOps.exif_transpose.
_UPRIGHT: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}

# What pictures are re-encoded as, and the longest side in pixels that the kind can hold: JPEG_MAX_DIMENSION in libjpeg,
# WEBP_MAX_DIMENSION in libwebp (14 bits), 31 bits in a PNG.
_LONGEST_SIDE = {"jpeg": 65_500, "webp": 16_383, "png": 2**31 - 1}

# Pillow warns from 90 million pixels on; such a picture is refused here, in this module's words.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# What is broken in EXIF data costs the orientation at most; the warning names a line of Pillow's.
warnings.filterwarnings("ignore", message=".*(EXIF|Metadata Warning).*", module="PIL")


class NotAnImage(ValueError):
    """The bytes do not decode to a picture, or to one too large to be decoded."""


class TooLarge(NotAnImage):
    """A picture of more pixels than are decoded, or than a kind of file can hold."""


@contextlib.contextmanager
def _decoding() -> Iterator[None]:
    """Say of whatever a decoder stumbles over that this is no picture."""
    try:
        yield
    except (NotAnImage, MemoryError):
        raise
    except Image.DecompressionBombError:  # Pillow's own limit is higher, but it looks first
        raise TooLarge(f"more than {MAX_PIXELS:,} pixels") from None
    except UnidentifiedImageError:  # its own words name an address in memory, another one each time
        raise NotAnImage("no picture of a known kind") from None
    except Exception as error:  # each decoder has its own: AVIF's raises RuntimeError, TIFF's OverflowError
        raise NotAnImage(str(error) or type(error).__name__) from None


@contextlib.contextmanager
def _opened(source: io.BytesIO | Path) -> Iterator[Image.Image]:
    """A picture of a known kind, with its size checked and none of its pixels decoded yet.

    Of an animation, only the first frame is ever decoded.

    Raises:
        NotAnImage: it is none, or what is done with it fails.
        TooLarge: it has more than :data:`MAX_PIXELS`.
    """
    with _decoding(), _open(source, formats=_KINDS) as picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise TooLarge(f"{width}×{height} pixels, more than {MAX_PIXELS:,}")
        yield picture


def measure(content: bytes) -> tuple[int, int, str]:
    """Width and height in pixels, and the suffix, of a picture that decodes whole.

    Raises:
        NotAnImage: it is of no known kind, does not decode, or is cut off.
        TooLarge: it has more than :data:`MAX_PIXELS`; it was not decoded.
    """
    with _opened(io.BytesIO(content)) as picture:
        # A camera's JPEG with more pictures behind the first is an MPO to Pillow.
        suffix = _SUFFIX["JPEG" if picture.format == "MPO" else str(picture.format)]
        picture.load()
        return *picture.size, suffix


def read_geometry(path: Path) -> ImageGeometry:
    """A picture's size, and the orientation that its EXIF asks to show it in; no pixel is decoded.

    Raises:
        NotAnImage: it is no picture.
        OSError: the file cannot be read.
    """
    with _opened(path) as picture:
        return ImageGeometry(*picture.size, _orientation(picture))


def _orientation(picture: Image.Image) -> int:
    asked = picture.getexif().get(ExifTags.Base.Orientation, 1)
    # A broken tag holds what no number can be made of.
    return int(asked) if asked in _UPRIGHT else 1


def _pixels(picture: Image.Image) -> NDArray[np.uint8]:
    """A picture's pixels as RGB: what is transparent over white, 16 bits a channel brought to 8."""
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        # Pillow would cut off what is above 255. Its modes I and F come from 16-bit files too.
        deep = np.clip(np.asarray(picture), 0, 65_535).astype(np.uint32)
        if deep.max(initial=0) > np.iinfo(np.uint8).max:
            deep = (deep + 128) // 257
        picture = Image.fromarray(deep.astype(np.uint8))
    if picture.has_transparency_data:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))


def read_rgb(path: Path, *, upright: bool = False) -> NDArray[np.uint8]:
    """Decode a picture.

    Args:
        path: the file.
        upright: turn it as its EXIF orientation says; boxes are in pixels of the picture as it is stored, so this is
            for photos that come from outside.

    Returns:
        Shape (height, width, 3), uint8, RGB; what is transparent lies over white.

    Raises:
        NotAnImage: see :func:`measure`.
        OSError: the file cannot be read.
    """
    with _opened(io.BytesIO(path.read_bytes())) as picture:
        return _pixels(ImageOps.exif_transpose(picture) if upright else picture)


def read_crops(path: Path, boxes: Sequence[Corners | None]) -> list[NDArray[np.uint8]]:
    """Decode a picture, and cut pieces out of it that stand upright.

    Boxes are in pixels of the picture as it is stored, and models look at upright pictures: so each piece is cut out
    of the stored picture first, and turned then as the EXIF orientation says.

    Args:
        path: the file.
        boxes: ``(x_min, y_min, x_max, y_max)`` in pixels of the picture as it is stored; None: the whole picture.

    Returns:
        A piece for each box, of shape (height, width, 3), uint8, RGB; what is transparent lies over white.

    Raises:
        NotAnImage: see :func:`measure`.
        OSError: the file cannot be read.
        ValueError: a box lies outside the picture.
    """
    with _opened(io.BytesIO(path.read_bytes())) as picture:
        stored, turn = _pixels(picture), _UPRIGHT[_orientation(picture)]
    return [turn(stored if corners is None else crop(stored, corners)) for corners in boxes]


def read_or_none(path: Path, read: Callable[[Path], Decoded]) -> Decoded | None:
    """What a reader of this module makes of a file; None where that is missing or no picture.

    For work over many pictures, which one that is broken must not stop: whoever asks counts and names it.

    Args:
        path: the file.
        read: such as :func:`read_rgb`.
    """
    try:
        return read(path)
    except (NotAnImage, OSError):
        return None


@dataclass(frozen=True, eq=False)
class Reduced:
    """A picture that was decoded smaller than it is.

    Args:
        pixels: shape (h, w, 3), uint8, RGB; upright.
        width: of the whole picture, upright, in pixels.
        height: of the whole picture, upright, in pixels.
        orientation: that its EXIF asks to show it in: 1 to 8, 1 where it is stored upright.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    orientation: int = 1

    @property
    def geometry(self) -> ImageGeometry:
        """Of the picture as it is stored."""
        sides = (self.height, self.width) if self.orientation in ON_THEIR_SIDE else (self.width, self.height)
        return ImageGeometry(*sides, self.orientation)


DecodeJpeg = Callable[[bytes, int], NDArray[np.uint8] | None]
"""Decodes the bytes of a JPEG, reduced to 1/1, 1/2, 1/4 or 1/8 by libjpeg: RGB, as it is stored, each pixel as Pillow
has it; None: Pillow is to do it, and to say what is wrong."""


def read_reduced(path: Path, longest: int, decode_jpeg: DecodeJpeg | None = None) -> Reduced:
    """Decode a picture for measures that need no more than so many pixels; upright, as its EXIF orientation says.

    A JPEG is reduced while it is decoded (libjpeg's scaling by 1/2, 1/4 or 1/8), never below ``longest``; any picture
    of more than twice that is reduced after it was decoded.

    Args:
        path: the file.
        longest: of the longer side, in pixels.
        decode_jpeg: of another library, which takes half of the time; None: Pillow's.

    Raises:
        NotAnImage: see :func:`measure`.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    with _opened(io.BytesIO(content)) as picture:
        width, height = picture.size
        share = longest / max(width, height)
        if share < 1:
            picture.draft("RGB", (max(1, math.ceil(width * share)), max(1, math.ceil(height * share))))
        orientation = _orientation(picture)
        pixels = None
        if decode_jpeg and (picture.format, picture.mode, orientation) == ("JPEG", "RGB", 1):
            pixels = decode_jpeg(content, round(max(width, height) / max(picture.size)))
        if pixels is None:
            # To turn a picture is to copy it, also where there is nothing to turn.
            pixels = _pixels(picture if orientation == 1 else ImageOps.exif_transpose(picture))
        if max(pixels.shape) > 2 * longest:
            pixels = np.asarray(Image.fromarray(pixels).reduce(max(pixels.shape) // longest))
        sides = (height, width) if orientation in ON_THEIR_SIDE else (width, height)
        return Reduced(pixels, *sides, orientation)


def reencoded(content: bytes, kind: str, quality: int = 90) -> bytes:
    """A picture's bytes, encoded anew.

    The picture keeps its size and is turned as its EXIF orientation says, so that it needs no such tag. All else that
    is not pixels is dropped: the rest of the EXIF data, comments, a thumbnail, the colour profile (the stages read
    pixels as they are stored), frames after the first. What is transparent stays so, but in a JPEG, which cannot hold
    it: there it is laid over white.

    Args:
        content: the bytes of a picture.
        kind: ``jpeg``, ``webp`` (lossy) or ``png`` (lossless).
        quality: 1 to 100, as libjpeg and libwebp understand it; without effect on a PNG.

    Raises:
        NotAnImage: see :func:`measure`.
        TooLarge: it has more than :data:`MAX_PIXELS`, or a longer side than the kind can hold.
        ValueError: the kind is not known, or the quality is out of range.
    """
    if kind not in _LONGEST_SIDE:
        raise ValueError(f"expected one of {', '.join(_LONGEST_SIDE)}, got {kind!r}")
    if not 1 <= quality <= 100:
        raise ValueError(f"expected a quality of 1 to 100, got {quality}")
    with _opened(io.BytesIO(content)) as picture:
        width, height = picture.size
        if max(width, height) > _LONGEST_SIDE[kind]:
            raise TooLarge(f"{width}×{height} pixels, a longer side than the {_LONGEST_SIDE[kind]:,} of a {kind}")
        upright = ImageOps.exif_transpose(picture)
        pixels = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        if kind == "jpeg" and pixels.mode == "RGBA":
            white = Image.new("RGBA", pixels.size, "white")
            pixels = Image.alpha_composite(white, pixels).convert("RGB")
        pixels.info.clear()  # Pillow writes from it what it is not given: the colour profile, comments, XMP
        file = io.BytesIO()
        pixels.save(file, kind, quality=quality)
        return file.getvalue()
