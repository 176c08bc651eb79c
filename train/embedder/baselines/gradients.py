"""The baseline of shape."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Picture
from fullshot.train.embedder.preprocessing import resize

_SIDE = 64
_CELL = 8
_ORIENTATIONS = 9
_CLIP = 0.2
_TINY = 1e-6

_CELLS = _SIDE // _CELL


class GradientHistograms:
    """Histograms of oriented gradients (Dalal and Triggs, 2005) of a crop brought to 64 × 64 pixels.

    Cells of 8 × 8 pixels, 9 orientations without a sign, blocks of 2 × 2 cells normalised by L2-Hys (clipped at 0.2);
    of each pixel the channel with the steepest gradient counts, and its vote goes to the two nearest orientations.
    """

    digest = sha256(b"fullshot baseline hog 1").hexdigest()
    dimension = (_CELLS - 1) ** 2 * 4 * _ORIENTATIONS
    image_size = _SIDE

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        """See :meth:`fullshot.core.interfaces.Embedder.embed`."""
        vectors = np.zeros((len(crops), self.dimension), np.float32)
        for row, crop in enumerate(crops):
            vectors[row] = _described(resize(crop, _SIDE))
        return vectors


def _described(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The features of one crop.

    Args:
        pixels: shape (64, 64, 3), uint8.
    """
    light = np.sqrt(pixels.astype(np.float64) / 255)
    down, across = np.zeros_like(light), np.zeros_like(light)
    down[1:-1], across[:, 1:-1] = light[2:] - light[:-2], light[:, 2:] - light[:, :-2]
    steepness = np.hypot(down, across)
    steepest = steepness.argmax(axis=2)[..., None]
    size, y, x = (np.take_along_axis(each, steepest, axis=2)[..., 0] for each in (steepness, down, across))
    place = np.arctan2(y, x) % np.pi / np.pi * _ORIENTATIONS - 0.5
    lower = np.floor(place)
    cells = np.zeros((_CELLS, _CELLS, _ORIENTATIONS))
    row, column = (part // _CELL for part in np.indices(size.shape))
    for bins, share in ((lower, 1 - (place - lower)), (lower + 1, place - lower)):
        np.add.at(cells, (row, column, bins.astype(np.int64) % _ORIENTATIONS), size * share)
    blocks = np.concatenate([cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]], axis=2)
    blocks = np.minimum(_normalised(blocks), _CLIP)
    return np.asarray(_normalised(blocks).reshape(-1))


def _normalised(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(blocks / np.sqrt(np.square(blocks).sum(axis=2, keepdims=True) + _TINY))
