"""Pictures decoded as small as they are looked at, and held in memory while they fit."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2.functional import resize

from fullshot.core.errors import StageFailed
from fullshot.core.pictures import read_reduced
from fullshot.train.detector.data import DetectionPicture

_MOST_BYTES = 1 << 30
"""Of decoded pictures that are held; those beyond are read again each time."""


class DecodedPictures:
    """Pictures by their row.

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

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        """A picture, shape (3, height, width), uint8, RGB; and its boxes, shape (M, 4), float32, corners in its pixels.

        Raises:
            StageFailed: its file can no longer be read.
        """
        picture = self._pictures[row]
        pixels = self._held.get(row)
        if pixels is None:
            pixels = self._decoded(picture)
            if self._bytes + pixels.nbytes <= _MOST_BYTES:
                self._held[row] = pixels
                self._bytes += pixels.nbytes
        height, width = pixels.shape[-2:]
        corners = torch.tensor([box.corners for box in picture.boxes], dtype=torch.float32).reshape(-1, 4)
        return pixels, corners * torch.tensor([width / picture.width, height / picture.height] * 2)

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
