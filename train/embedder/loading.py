"""Where a trained embedder lies, and how it is opened to embed crops: by ONNX Runtime, else by torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Picture
from fullshot.core.files import digest
from fullshot.core.interfaces import Embedder
from fullshot.core.workspace import Workspace
from fullshot.train import exported, runs
from fullshot.train.embedder.in_use import KIND, WEIGHTS
from fullshot.train.embedder.preprocessing import resize_all
from fullshot.train.runtimes import RunningNetwork

_WHAT = "the embedder"

_BATCH = 64
"""Crops that go through the network at once: more take more memory, and are not faster."""


class ExportedEmbedder:
    """An embedder that a runtime runs; see :class:`fullshot.core.interfaces.Embedder`.

    Args:
        network: made by :func:`fullshot.train.embedder.model.export_of`.
    """

    def __init__(self, network: RunningNetwork) -> None:
        self._network = network
        self.digest = network.facts["weights"]
        self.dimension = int(network.facts["dimension"])
        self.image_size = int(network.facts["image_size"])

    def embed(self, crops: Sequence[Picture]) -> NDArray[np.float32]:
        """See :meth:`fullshot.core.interfaces.Embedder.embed`."""
        vectors = [np.zeros((0, self.dimension), np.float32)]
        for start in range(0, len(crops), _BATCH):
            pixels = resize_all(crops[start : start + _BATCH], self.image_size)
            pictures = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32)
            pictures /= 255
            vectors += self._network(pictures)
        return np.concatenate(vectors)


def load(workspace: Workspace, run: str | None = None, *, device: str = "") -> Embedder:
    """The embedder in use, or that of a finished run.

    On a CPU it is run by ONNX Runtime, from its export; that of an older run is made when it is opened first.

    Raises:
        MissingInput: there is none yet; says what to run first.
        UserError: there is no such run, or it is not finished; its backbone was of a package that is not there; this
            machine has no such device.
        StageFailed: its weights are gone or damaged, or do not load.
    """
    chosen = runs.latest_run(workspace, KIND, run)
    folder, weights = chosen.folder, chosen.folder / WEIGHTS
    key = runs.whole_weights(workspace, chosen, weights)
    if exported.runs_on_cpu(device):
        network = exported.open_export(folder / exported.FILE, key, _WHAT, lambda: _made(workspace, weights))
        if network is not None:
            return ExportedEmbedder(network)
    from fullshot.train.embedder.model import open_weights

    return open_weights(workspace, weights, device)


def export(workspace: Workspace, folder: Path) -> None:
    """Write the export of a run's weights beside them."""
    if exported.can_export(_WHAT):
        weights = folder / WEIGHTS
        exported.write_export(folder / exported.FILE, digest(weights), _WHAT, lambda: _made(workspace, weights))


def _made(workspace: Workspace, weights: Path) -> exported.Export:
    from fullshot.train.embedder.model import export_of, open_weights

    return export_of(open_weights(workspace, weights, "cpu"))
