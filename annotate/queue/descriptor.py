"""What a picture looks like, in few numbers, where no network has been trained yet."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.boxes import Picture

SIDE = 64
"""Longer side in pixels that a picture is decoded to; colours and outlines need no more."""

VERSION = "colours-edges-1"
"""Of what is measured; numbers of another version do not compare."""

_COLOURS = 8
_CELLS = 4
_DIRECTIONS = 8
_EDGES_WEIGHT = 2.0  # outlines have fewer and smaller numbers than colours; so both weigh about the same


def describe(picture: Picture) -> NDArray[np.float32]:
    """Colours and outlines.

    The picture at 8 by 8 pixels, as in Torralba, Fergus and Freeman's "80 million tiny images" (2008) but smaller, and
    a histogram of 8 directions of edges in each of 4 by 4 cells, as in Dalal and Triggs (2005).

    Args:
        picture: shape (height, width, 3), uint8, RGB, of any size.

    Returns:
        Shape (320,), float32.
    """
    square = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    tiny = np.asarray(square.resize((_COLOURS, _COLOURS), Image.Resampling.BOX), np.float32) / 255
    down, right = np.gradient(np.asarray(square.convert("L"), np.float32) / 255)
    strength = np.hypot(down, right)
    # An edge has a direction without sense: dark on light is light on dark.
    angle = np.mod(np.arctan2(down, right), np.pi)
    direction = np.minimum((angle / np.pi * _DIRECTIONS).astype(int), _DIRECTIONS - 1)
    cell = np.arange(SIDE) * _CELLS // SIDE
    place = (cell[:, None] * _CELLS + cell) * _DIRECTIONS + direction
    edges = np.bincount(place.ravel(), strength.ravel(), _CELLS**2 * _DIRECTIONS)
    scale = _EDGES_WEIGHT / max(float(np.linalg.norm(edges)), 1.0)
    return np.concatenate([tiny.ravel(), edges * scale]).astype(np.float32)
