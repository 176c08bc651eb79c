"""Pictures and boxes as batches of tensors: which pictures, in which size, is drawn anew each epoch."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from fullshot.train.detector.data import DetectionData
from fullshot.train.detector.sampling import pictures_an_epoch, rows_of_epoch
from fullshot.train.detector.torchvision.augment import Sample, drawn
from fullshot.train.detector.torchvision.networks import STRIDE
from fullshot.train.detector.torchvision.pixels import DecodedPictures

_DECODED = 1.5
"""A picture is decoded at so many times the side that a batch has: a crop of it still shows enough."""

_STEPS = (-1, 0, 1)
"""Multiples of the stride by which a batch is smaller or larger than the settings' size."""

_WIDTHS = (0.67, 0.75, 1.0)
"""Of a batch, as a share of its height: people stand upright."""


class TrainingPictures(Dataset[tuple[Tensor, dict[str, Tensor]]]):
    """Pictures as a training sees them; asked for with a :class:`Sample` in place of a row number.

    Args:
        data: its split train, in crops where it says so.
        first_label: number of the first class; the others follow in the data's order.
        image_size: longer side in pixels.
    """

    def __init__(self, data: DetectionData, *, first_label: int, image_size: int) -> None:
        self._pictures, self._in_crops = data.splits["train"], data.in_crops
        self._numbers = {label: number for number, label in enumerate(data.labels, first_label)}
        self._decoded = DecodedPictures(self._pictures, round(image_size * _DECODED))

    def __len__(self) -> int:
        return len(self._pictures)

    def fill(self) -> None:
        """Hold as many pictures as fit, for worker processes to come to share."""
        self._decoded.fill()

    def __getitem__(self, sample: Any) -> tuple[Tensor, dict[str, Tensor]]:
        pixels, corners = self._decoded[sample.row]
        numbers = torch.tensor(
            [self._numbers[box.label] for box in self._pictures[sample.row].boxes], dtype=torch.int64
        )
        seen, target = drawn(pixels, corners, numbers, sample, in_crops=self._in_crops)
        return seen, dict(target)


class Batches:
    """Batches of :class:`Sample`: of every picture, in another order each epoch; each batch in a size of its own.

    Args:
        repeats: shape (N,), how often each picture comes in an epoch, on average; 1 or more.
        batch: pictures in a batch.
        image_size: longer side in pixels, about which the sizes of batches lie.
        seed: the same seed and epoch make the same batches, in a run that was stopped and in one that was not.
        share: the number of this process, and how many there are: a batch is shared out among them.

    Attributes:
        epoch: that the next iteration is of.
    """

    def __init__(
        self, repeats: NDArray[np.float64], batch: int, image_size: int, seed: int, share: tuple[int, int] = (0, 1)
    ) -> None:
        self.epoch = 0
        self._repeats, self._batch, self._image_size, self._seed, self._share = repeats, batch, image_size, seed, share

    def __len__(self) -> int:
        return -(-pictures_an_epoch(self._repeats) // self._batch)

    def __iter__(self) -> Iterator[list[Sample]]:
        dice = np.random.default_rng([self._seed, self.epoch])
        self.epoch += 1
        order = dice.permutation(rows_of_epoch(self._repeats, dice))
        first, processes = self._share
        for start in range(len(self)):
            height = STRIDE * max(1, round(self._image_size / STRIDE) + int(dice.choice(_STEPS)))
            width = STRIDE * max(1, round(height / STRIDE * dice.choice(_WIDTHS)))
            rows = order[start * self._batch : (start + 1) * self._batch]
            rows = np.resize(rows, max(len(rows), processes))  # each has something to compute
            seeds = dice.integers(2**62, size=len(rows))
            samples = [Sample(int(row), int(seed), height, width) for row, seed in zip(rows, seeds, strict=True)]
            yield samples[first::processes]


def together(batch: Sequence[tuple[Tensor, dict[str, Tensor]]]) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """A batch as torchvision's detectors take it."""
    return [picture for picture, _ in batch], [target for _, target in batch]
