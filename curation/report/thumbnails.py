"""Pictures small enough for hundreds of them to lie in one file."""

import base64
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fullshot.core.pictures import read_or_none, read_reduced
from fullshot.core.progress import Advance

HEIGHT = 144
"""Of a thumbnail, in pixels, at most."""
WIDTH = 200
"""Likewise: a banner's would be longer than the page is wide."""
BUDGET = 8_000_000
"""Characters that all of them may take: a page of 10 MB is sent by mail and opens at once."""

_QUALITY = 72
_SPEED = 2  # of libwebp, 0 the fastest and 6 the smallest: beyond 2 a file gets little smaller


@dataclass(frozen=True)
class Thumbnail:
    """A picture for an ``img`` element: the address, which holds the bytes, and the size in pixels."""

    address: str
    width: int
    height: int


def thumbnails(root: Path, paths: Iterable[str], advance: Advance) -> tuple[dict[str, Thumbnail], list[str]]:
    """Thumbnails of pictures, as many as :data:`BUDGET` allows.

    Args:
        root: the workspace's folder.
        paths: of pictures, relative to it, in the order of their importance; as often as each is shown.
        advance: told how far the work is.

    Returns:
        Thumbnails by path, without those beyond the budget; and the paths of pictures that cannot be read.
    """
    uses = Counter(paths)
    left = BUDGET
    made: dict[str, Thumbnail] = {}
    unreadable = []
    for number, (path, times) in enumerate(uses.items(), start=1):
        thumbnail = read_or_none(root / path, _thumbnail)
        if thumbnail is None:
            unreadable.append(path)
        elif len(thumbnail.address) * times <= left:
            left -= len(thumbnail.address) * times
            made[path] = thumbnail
        advance(number, len(uses))
    return made, unreadable


def _thumbnail(path: Path) -> Thumbnail:
    """A picture within :data:`WIDTH` × :data:`HEIGHT`, upright.

    Raises:
        NotAnImage: it does not decode.
        OSError: the file cannot be read.
    """
    small = Image.fromarray(read_reduced(path, 2 * WIDTH).pixels)
    small.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    memory = io.BytesIO()
    small.save(memory, "WEBP", quality=_QUALITY, method=_SPEED)
    encoded = base64.b64encode(memory.getvalue()).decode("ascii")
    return Thumbnail(f"data:image/webp;base64,{encoded}", *small.size)
