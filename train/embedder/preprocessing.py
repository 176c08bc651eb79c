"""From a picture to what a network sees: the product without its plain background, brought to a square."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.boxes import Picture

if TYPE_CHECKING:
    import pandas as pd

VERSION = "1"
"""Of what is done here: crops of another version are cut anew."""

_BORDER = 0.02
"""Width of the border whose colour is taken for the background, as a share of the picture's shorter side."""

_PLAIN = 0.6
"""The share of the border that has the background's colour where it is cut away."""

_EDGE = 0.9
"""The share of each edge of the border that has the background's colour in a picture of a product alone. Of the
built-in shop's 720 item shots that tells all pictures of a product alone from all that show it worn, or cut off."""

_TOLERANCE = 18
"""The largest difference in a channel (of 255) that still counts as background: JPEG noise and soft shadows."""

_MARGIN = 0.01
"""What is left around the product, as a share of the picture's longer side."""


def has_plain_background(picture: Picture) -> bool:
    """Whether a picture is a packshot: a product alone on plain ground that no edge cuts off.

    Args:
        picture: shape (height, width, 3), uint8, RGB.
    """
    edges = _edges(picture)
    background = np.median(np.concatenate(edges), axis=0)
    return all(float(np.mean(_differs(edge, background))) <= 1 - _EDGE for edge in edges)


def preferred_item_shots(products: "pd.Series[str]", packshots: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which item shots to learn from and to search in.

    A picture of shoes that shows the legs, the trousers and the street as well says little about the shoes, and it is
    near to whoever wears such trousers. So a product that has packshots is known by these, and any other by all the
    item shots that it has.

    Args:
        products: the product of each item shot; N of them.
        packshots: shape (N,), see :func:`has_plain_background`.

    Returns:
        Shape (N,).
    """
    import pandas as pd  # not above: who opens an embedder to embed one picture has no table

    has_one = pd.Series(packshots, index=products.index).groupby(products).transform("any").to_numpy(bool)
    return np.asarray(packshots | ~has_one)


def crop_to_foreground(picture: Picture) -> Picture:
    """An item shot without its plain background, as tight around the product as a box drawn by hand.

    Args:
        picture: shape (height, width, 3), uint8, RGB.

    Returns:
        The part that differs from the border's colour; the whole picture where its border is not plain, or where
        next to nothing differs from it (a close-up of cloth).
    """
    height, width = picture.shape[:2]
    border = np.concatenate(_edges(picture))
    background = np.median(border, axis=0)
    if np.mean(_differs(border, background)) > 1 - _PLAIN:
        return picture
    differs = _differs(picture, background)
    rows = np.flatnonzero(differs.mean(axis=1) > _MARGIN)
    columns = np.flatnonzero(differs.mean(axis=0) > _MARGIN)
    if len(rows) < height * 0.1 or len(columns) < width * 0.1:
        return picture
    margin = round(max(height, width) * _MARGIN)
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    return picture[top : rows[-1] + 1 + margin, left : columns[-1] + 1 + margin]


def resize(picture: Picture, side: int) -> NDArray[np.uint8]:
    """A crop brought to a square, whatever its proportions: shape (side, side, 3), uint8, RGB."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((side, side), Image.Resampling.BILINEAR))


def resize_all(pictures: Sequence[Picture], side: int) -> NDArray[np.uint8]:
    """Crops brought to squares, see :func:`resize`: shape (N, side, side, 3), uint8, RGB."""
    if not len(pictures):
        return np.zeros((0, side, side, 3), np.uint8)
    return np.stack([resize(picture, side) for picture in pictures])


def _edges(picture: Picture) -> list[NDArray[np.uint8]]:
    """The pixels of the upper, lower, left and right edge of the border, each of shape (n, 3)."""
    width = max(1, round(min(picture.shape[:2]) * _BORDER))
    strips = (picture[:width], picture[-width:], picture[:, :width], picture[:, -width:])
    return [strip.reshape(-1, 3) for strip in strips]


def _differs(pixels: NDArray[np.uint8], background: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(pixels.astype(np.int16) - background.astype(np.int16)).max(axis=-1) > _TOLERANCE)
