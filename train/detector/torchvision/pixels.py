"""Pictures decoded as small as they are looked at, and held in memory while they fit."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info
from torchvision.transforms.v2.functional import resize

from fullshot.core.engines import cores
from fullshot.core.errors import StageFailed
from fullshot.core.pictures import read_reduced
from fullshot.train import torchrun
from fullshot.train.detector.data import DetectionPicture

_MOST_BYTES = 1 << 30
"""Of decoded pictures that a machine's processes hold together; those beyond are read again each time."""

_AT_ONCE = 64
"""Pictures that are decoded before it is asked whether more fit."""


class DecodedPictures:
    """Pictures by their row.

    Worker processes that are forked after :meth:`fill` share what it holds; others hold their part of as much.

    Args:
        pictures: whose files are read.
        longest: side in pixels that larger ones are brought to.
    """

    def __init__(self, pictures: Sequence[DetectionPicture], longest: int) -> None:
        self._pictures, self._longest = pictures, longest
        self._held: dict[int, Tensor] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._pictures)

    def __getstate__(self) -> dict[str, Any]:
        """A process that is not forked would get a copy."""
        return {**self.__dict__, "_held": {}, "_bytes": 0}

    def fill(self) -> None:
        """Decode as many as fit, for worker processes to come.

        Raises:
            StageFailed: a file can no longer be read.
        """
        rows = range(len(self))
        with ThreadPoolExecutor(cores()) as pool:  # the decoder lets go of the interpreter
            for some in (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)):
                for row, pixels in zip(
                    some, pool.map(self._decoded, (self._pictures[row] for row in some)), strict=True
                ):
                    self._hold(row, pixels)
                if self._bytes + pixels.nbytes > self._most():
                    return

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        """A picture, shape (3, height, width), uint8, RGB; and its boxes, shape (M, 4), float32, corners in its pixels.

        Raises:
            StageFailed: its file can no longer be read.
        """
        picture = self._pictures[row]
        pixels = self._held.get(row)
        if pixels is None:
            pixels = self._decoded(picture)
            self._hold(row, pixels)
        height, width = pixels.shape[-2:]
        corners = torch.tensor([box.corners for box in picture.boxes], dtype=torch.float32).reshape(-1, 4)
        return pixels, corners * torch.tensor([width / picture.width, height / picture.height] * 2)

    def _hold(self, row: int, pixels: Tensor) -> None:
        if self._bytes + pixels.nbytes <= self._most():
            self._held[row] = pixels
            self._bytes += pixels.nbytes

    def _most(self) -> int:
        """Bytes that this process may hold."""
        most = _MOST_BYTES // (torchrun.local()[1] if torchrun.processes() > 1 else 1)
        worker = get_worker_info()
        return most if worker is None else most // worker.num_workers

    def _decoded(self, picture: DetectionPicture) -> Tensor:
        try:
            decoded = read_reduced(picture.path, self._longest).pixels
        except (OSError, ValueError) as error:
            raise StageFailed(f"the training broke off: {picture.path} can no longer be read ({error})") from None
        pixels = torch.from_numpy(np.ascontiguousarray(decoded.transpose(2, 0, 1)))
        share = self._longest / max(pixels.shape)
        if share < 1:
            pixels = resize(pixels, [max(1, round(side * share)) for side in pixels.shape[-2:]], antialias=True)
        return pixels
