"""A trained embedder, ready to embed crops."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fullshot.core.boxes import Picture
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import digest, write_bytes
from fullshot.core.workspace import Workspace
from fullshot.train import runs
from fullshot.train.embedder.backbones.small import Network
from fullshot.train.embedder.crops import squares

WEIGHTS = "weights.pt"
"""A finished run's weights, in its folder."""

BATCH = 256
"""Crops that go through the network at once."""


def device_of(name: str) -> torch.device:
    """The device of this name; for an empty one the best there is.

    Raises:
        UserError: there is no such device.
    """
    if name:
        try:
            return torch.zeros(1, device=name).device
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"setting embedder.device: expected cpu, cuda or mps, got {name!r}: {reason}") from None
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def as_input(crops: NDArray[np.uint8]) -> Tensor:
    """Squares (N, side, side, 3), uint8, as the network's input (N, 3, side, side), float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2).float().div(255)


@torch.inference_mode()
def embedded(network: Network, crops: NDArray[np.uint8], rows: NDArray[np.int64] | None = None) -> Tensor:
    """Embed squares by a network as it is.

    Args:
        network: in training mode it is put into evaluation mode, and back at the end.
        crops: shape (N, side, side, 3), uint8, RGB.
        rows: which of them, shape (M,); None: all.

    Returns:
        Shape (M, d), float32, on the CPU.
    """
    device, training = network.embed.weight.device, network.training
    chosen = np.arange(len(crops)) if rows is None else rows
    network.eval()
    parts = [
        network(as_input(crops[chosen[start : start + BATCH]]).to(device)).cpu()
        for start in range(0, len(chosen), BATCH)
    ]
    network.train(training)
    return torch.cat(parts) if parts else torch.zeros(0, network.embed.out_features)


@dataclass(frozen=True)
class Embedder:
    """A network with the size of its input, and the digest of its weights: vectors of two digests do not compare."""

    network: Network
    image_size: int
    digest: str

    @property
    def dimension(self) -> int:
        """d, the length of an embedding."""
        return self.network.embed.out_features

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        """Embed crops of any size.

        Args:
            crops: pictures of one garment each, tight around it; an item shot goes through
                :func:`fullshot.train.embedder.crops.trimmed` first.

        Returns:
            Shape (N, d), float32; not normalised, to be compared by squared Euclidean distance.
        """
        parts = [
            embedded(self.network, squares(crops[start : start + BATCH], self.image_size)).numpy()
            for start in range(0, len(crops), BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)


def save(path: Path, weights: dict[str, Tensor], dimension: int, image_size: int) -> None:
    """Write a network's weights, and what is needed to build it again, in one step."""
    content = io.BytesIO()
    torch.save({"weights": weights, "dimension": dimension, "image_size": image_size}, content)
    write_bytes(path, content.getvalue())


def load(workspace: Workspace, run: str | None = None, *, device: str = "") -> Embedder:
    """The embedder in use, or that of a finished run.

    Raises:
        MissingInput: there is none yet; says what to run first.
        UserError: there is no such run, or it is not finished.
        StageFailed: its weights do not load.
    """
    found = runs.latest_run(workspace, "embedder", run)
    path = found.folder / WEIGHTS
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        network = Network(saved["dimension"])
        network.load_state_dict(saved["weights"])
    except Exception as error:  # torch raises whatever a broken file makes its readers stumble over
        raise StageFailed(
            f"cannot load {path} ({type(error).__name__}): delete {found.folder} and run "
            f"`fullshot train embedder {workspace.root}` again"
        ) from None
    return Embedder(network.to(device_of(device)).eval(), int(saved["image_size"]), digest(path))
