"""What a training tells of itself as it goes, to be looked at in TensorBoard: ``tensorboard --logdir models``.

Its figures go to MLflow too, where the settings name a server.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from fullshot.train import tracking

FOLDER = "tensorboard"
"""In the folder of a run."""


class Journal:
    """Figures and pictures of a run, by epoch.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._run, self._folder = folder, folder / FOLDER

    def scalars(self, row: Mapping[str, float]) -> None:
        """Write the figures of an epoch; those of a run that was killed and goes on are written again.

        Args:
            row: its ``epoch``, and figures by name.
        """
        # Opened anew each time: what is written is there when the process is killed.
        with SummaryWriter(str(self._folder), purge_step=int(row["epoch"])) as writer:
            for name, value in row.items():
                if name != "epoch":
                    writer.add_scalar(name, value, int(row["epoch"]))
        tracking.log(self._run, row)

    def picture(self, name: str, pixels: NDArray[np.uint8], epoch: int) -> None:
        """Write a picture.

        Args:
            name: under which it is found.
            pixels: shape (height, width, 3), uint8, RGB.
            epoch: that it belongs to.
        """
        with SummaryWriter(str(self._folder)) as writer:
            writer.add_image(name, pixels, epoch, dataformats="HWC")

    def embeddings(
        self, vectors: NDArray[np.float32], thumbnails: NDArray[np.uint8], labels: Sequence[str], epoch: int
    ) -> None:
        """Write vectors for the projector, in place of those of the epoch before: of each epoch they take megabytes.

        Args:
            vectors: shape (N, d), float32.
            thumbnails: shape (N, side, side, 3), uint8, RGB.
            labels: N of them, a line each.
            epoch: that they belong to.
        """
        for folder in self._folder.glob("[0-9]*"):
            shutil.rmtree(folder)
        pixels = torch.from_numpy(np.ascontiguousarray(thumbnails)).permute(0, 3, 1, 2).float().div(255)
        lines = [" ".join(label.split()) or "not known" for label in labels]
        with SummaryWriter(str(self._folder)) as writer:
            writer.add_embedding(torch.from_numpy(vectors), lines, pixels, epoch, "embeddings")
