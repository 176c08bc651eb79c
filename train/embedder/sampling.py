"""Which examples make up a batch."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_metric_learning.samplers import MPerClassSampler
from torch import Tensor

PER_PRODUCT = 4
"""Pictures of one product in a batch."""


class ProductBatches:
    """Batches of row numbers, :data:`PER_PRODUCT` of each product in it; another order in each epoch.

    A product with fewer pictures gives the same one several times, each time augmented anew.

    Args:
        products: the product of each row, as a number; shape (N,).
        rows: the rows to choose from; shape (M,).
        batch: rows in a batch.
        seed: the same seed and epoch make the same batches, in a run that was stopped and in one that was not.
    """

    def __init__(self, products: NDArray[np.int64], rows: NDArray[np.int64], batch: int, seed: int) -> None:
        self.epoch = 0
        self._products, self._rows, self._seed = products[rows], torch.from_numpy(rows), seed
        most = PER_PRODUCT * len(np.unique(self._products))
        self._batch = max(PER_PRODUCT, min(batch, most) // PER_PRODUCT * PER_PRODUCT)

    def __len__(self) -> int:
        return max(1, round(len(self._products) / self._batch))

    def __iter__(self) -> Iterator[Tensor]:
        # The library's sampler draws from NumPy's global numbers: they get a seed, and are put back.
        before = np.random.get_state()
        np.random.seed([self._seed, self.epoch])
        try:
            chosen = list(MPerClassSampler(self._products, PER_PRODUCT, self._batch, len(self) * self._batch))
        finally:
            np.random.set_state(before)
        self.epoch += 1
        yield from self._rows[torch.tensor(chosen)].reshape(-1, self._batch)
