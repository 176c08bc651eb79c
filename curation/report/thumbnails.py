"""Pictures small enough for hundreds of them to lie in one file."""

import base64
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from fullshot.core.pictures import MAX_PIXELS
from fullshot.core.progress import Advance

HEIGHT = 144
"""Of a thumbnail, in pixels, at most."""
WIDTH = 200
"""Likewise: a banner's would be longer than the page is wide."""
BUDGET = 8_000_000
"""Characters that all of them may take: a page of 10 MB is sent by mail and opens at once."""

_QUALITY = 72
_SPEED = 2  # of libwebp, 0 the fastest and 6 the smallest: beyond 2 a file gets little smaller
# The kinds that a workspace stores (fullshot.storage); Pillow's other decoders are not tried on what came from a shop.
_KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
# Pillow's own: Ultralytics puts another in its place, which tries to install a package for what does not decode.
_open = Image.open


@dataclass(frozen=True)
class Thumbnail:
    """A picture for an ``img`` element: the address, which holds the bytes, and the size in pixels."""

    address: str
    width: int
    height: int


def thumbnails(root: Path, paths: Iterable[str], advance: Advance) -> dict[str, Thumbnail]:
    """Thumbnails of pictures, as many as :data:`BUDGET` allows.

    Args:
        root: the workspace's folder.
        paths: of pictures, relative to it, in the order of their importance; as often as each is shown.
        advance: told how far the work is.

    Returns:
        By path; without those that cannot be read, or are beyond the budget.
    """
    uses = Counter(paths)
    left = BUDGET
    made: dict[str, Thumbnail] = {}
    for number, (path, times) in enumerate(uses.items(), start=1):
        thumbnail = _thumbnail(root / path)
        if thumbnail and len(thumbnail.address) * times <= left:
            left -= len(thumbnail.address) * times
            made[path] = thumbnail
        advance(number, len(uses))
    return made


def _thumbnail(path: Path) -> Thumbnail | None:
    try:
        with _open(path, formats=_KINDS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return None
            # A JPEG decodes to an eighth of its size about ten times as fast as whole.
            picture.draft("RGB", (2 * WIDTH, 2 * HEIGHT))
            small = _shrunk(_eight_bits(picture))
    except Exception:  # each decoder has errors of its own, and the page says of any that there is no picture
        return None
    memory = io.BytesIO()
    small.save(memory, "WEBP", quality=_QUALITY, method=_SPEED)
    encoded = base64.b64encode(memory.getvalue()).decode("ascii")
    return Thumbnail(f"data:image/webp;base64,{encoded}", *small.size)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """A picture with 8 bits a channel: Pillow cuts those of 16 off, which makes them white."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))


def _shrunk(picture: Image.Image) -> Image.Image:
    """Upright, laid over white where it is transparent, within :data:`WIDTH` × :data:`HEIGHT`."""
    # Shrunk first: to turn and blend a large picture would take longer than all else.
    small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small.thumbnail((2 * WIDTH, 2 * HEIGHT), Image.Resampling.BOX)
    upright = ImageOps.exif_transpose(small)
    upright.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    if upright.mode == "RGBA":
        white = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(white, upright).convert("RGB")
    upright.info.clear()
    return upright
