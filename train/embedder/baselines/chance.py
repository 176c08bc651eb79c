"""The baseline of chance."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Picture


class RandomEmbedder:
    """Vectors that say nothing of a crop, but are the same for the same pixels: what chance finds."""

    digest = sha256(b"fullshot baseline random 1").hexdigest()
    dimension = 32
    image_size = 64

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        """See :meth:`fullshot.core.interfaces.Embedder.embed`."""
        vectors = np.zeros((len(crops), self.dimension), np.float32)
        for row, crop in enumerate(crops):
            seed = sha256(np.ascontiguousarray(crop).tobytes()).digest()
            vectors[row] = np.random.default_rng(list(seed)).standard_normal(self.dimension)
        return vectors
