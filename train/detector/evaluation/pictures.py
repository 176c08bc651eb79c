"""Pictures that lie in a page's own file."""

import base64
import io
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from fullshot.core.pictures import NotAnImage, read_reduced

SIDE = 320
"""The longer one of a picture in a page, in pixels: so much is needed to see a box that is a little off."""

_QUALITY = 70
_SPEED = 2  # of libwebp, 0 the fastest and 6 the smallest: beyond 2 a file gets little smaller


def addresses(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Small pictures, upright, as addresses that hold their bytes.

    Args:
        root: that the paths are relative to.
        paths: of pictures.

    Returns:
        By path; without those that cannot be read any more.
    """
    made = {}
    for path in dict.fromkeys(paths):
        try:
            small = Image.fromarray(read_reduced(root / path, SIDE).pixels)
        except (NotAnImage, OSError):
            continue
        small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        memory = io.BytesIO()
        small.save(memory, "WEBP", quality=_QUALITY, method=_SPEED)
        made[path] = f"data:image/webp;base64,{base64.b64encode(memory.getvalue()).decode('ascii')}"
    return made
