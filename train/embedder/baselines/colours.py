"""The baseline of colour."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fullshot.core.boxes import Picture
from fullshot.train.embedder.preprocessing import resize

_BINS = (16, 4, 4)
"""Of hue, saturation and value."""


class ColourHistogram:
    """How much of a crop has which colour, by hue, saturation and value.

    Square roots of shares: their squared distance is that of Hellinger, in which a large plain background does not
    outweigh all else.
    """

    digest = sha256(b"fullshot baseline hsv 1").hexdigest()
    dimension = int(np.prod(_BINS))
    image_size = 64

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        """See :meth:`fullshot.core.interfaces.Embedder.embed`."""
        vectors = np.zeros((len(crops), self.dimension), np.float32)
        for row, crop in enumerate(crops):
            pixels = np.asarray(Image.fromarray(resize(crop, self.image_size)).convert("HSV"), np.int64).reshape(-1, 3)
            places = np.ravel_multi_index(tuple((pixels * _BINS // 256).T), _BINS)
            shares = np.bincount(places, minlength=self.dimension) / len(pixels)
            vectors[row] = np.sqrt(shares)
        return vectors
