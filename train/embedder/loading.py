"""How the weights of an embedder are opened to embed crops: by ONNX Runtime or OpenVINO, else by torch."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Picture
from fullshot.core.files import digest
from fullshot.core.interfaces import Embedder
from fullshot.train import exported
from fullshot.train.embedder.preprocessing import KEEP, STRETCH, Preparation
from fullshot.train.runtimes import RunningNetwork

if TYPE_CHECKING:
    from fullshot.train.embedder.model import NetworkEmbedder

WHAT = "the embedder"

_BATCH = 64
"""Crops that go through the network at once: more take more memory, and are not faster."""


class ExportedEmbedder:
    """An embedder that a runtime runs; see :class:`fullshot.core.interfaces.Embedder`.

    Args:
        network: made by :func:`fullshot.train.embedder.model.export_of`.

    Attributes:
        digest: of the weights.
        dimension: d, the length of an embedding.
        preparation: of its crops.
    """

    def __init__(self, network: RunningNetwork) -> None:
        self._network = network
        facts = network.facts
        self.digest = facts["weights"]
        self.dimension = int(facts["dimension"])
        # Exports of before do not say how crops are made: there was one way.
        self.preparation = Preparation(
            int(facts["image_size"]), facts.get("fit", STRETCH), facts.get("background", KEEP)
        )

    @property
    def image_size(self) -> int:
        """Side in pixels of its crops."""
        return self.preparation.side

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        """See :meth:`fullshot.core.interfaces.Embedder.embed`."""
        return self._embedded(crops, self.preparation.all_of)

    def embed_prepared(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embed crops that are prepared already, each of shape (side, side, 3), uint8, RGB."""
        return self._embedded(crops, np.stack)

    def _embedded(
        self, crops: Sequence[Picture], prepare: Callable[[Sequence[Picture]], NDArray[np.uint8]]
    ) -> NDArray[np.float32]:
        vectors = [np.zeros((0, self.dimension), np.float32)]
        for start in range(0, len(crops), _BATCH):
            pixels = prepare(crops[start : start + _BATCH])
            pictures = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32)
            pictures /= 255
            vectors += self._network(pictures)
        return np.concatenate(vectors)


def opened(export: Path, key: str, device: str, make: "Callable[[str], NetworkEmbedder]") -> Embedder:
    """An embedder, run as its device asks for.

    Args:
        export: where its export lies, or is to lie.
        key: the digest of its weights.
        device: see :func:`fullshot.train.devices.device_of`.
        make: opens it on a device by torch; what it raises is raised.
    """
    if exported.runs_on_cpu(device):
        network = exported.open_export(export, key, WHAT, lambda: _export_of(make))
        if network is not None:
            return ExportedEmbedder(network)
    return make(device)


def open_file(weights: Path, export: Path, device: str = "", *, key: str = "") -> Embedder:
    """An embedder from a file of weights.

    Args:
        weights: the file.
        export: see :func:`opened`.
        device: see there.
        key: the file's digest, where it is known.

    Raises:
        NotAnEmbedder: it holds none.
        UserError: its backbone was of a package that is not there; this machine has no such device.
    """
    return opened(export, key or digest(weights), device, lambda where: _by_torch(weights, where))


def export(folder: Path, weights: Path) -> None:
    """Write the export of a run's weights beside them."""
    if exported.can_export(WHAT):
        exported.write_export(
            folder / exported.FILE, digest(weights), WHAT, lambda: _export_of(lambda device: _by_torch(weights, device))
        )


def _by_torch(weights: Path, device: str) -> "NetworkEmbedder":
    from fullshot.train.embedder.model import open_weights

    return open_weights(weights, device)


def _export_of(make: "Callable[[str], NetworkEmbedder]") -> exported.Export:
    from fullshot.train.embedder.model import export_of

    return export_of(make("cpu"))
