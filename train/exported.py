"""A trained network a second time, in the ONNX format, for a runtime that starts at once, without torch.

The file lies in the folder of its run and names the weights that it was made of, so that one of other weights is never
used. What a network is known by, such as its digest, is that of the weights, not of this file: it may be deleted, and
is made again when the model is opened next.

What a single picture costs in a fresh process (garment-nano at 256 px and the embedder, two cores): import and opening
with ONNX Runtime 0.3 s, with OpenVINO 0.4 s once it has compiled the network, torch 4 s and Ultralytics 2 s more.
"""

import importlib.util
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fullshot.core.errors import UserError
from fullshot.core.files import write_bytes
from fullshot.core.progress import say
from fullshot.train import runtimes
from fullshot.train.runtimes import RunningNetwork

if TYPE_CHECKING:
    from torch import Tensor, nn

FILE = "model.onnx"
"""The network in the folder of its run."""

FORMAT = "3"
"""Of what :class:`Export` says and its networks give; a file of another one is made again."""

_OPSET = 17
"""The version of ONNX's operators: of 2022, which every runtime of today reads."""

_TOLERANCE = 1e-3
"""The largest difference between what torch and ONNX Runtime give, as a share of the largest number that torch gives:
they add up in another order."""

_ACCELERATORS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""Where Linux shows a GPU of NVIDIA, one of AMD, and one under WSL."""


class NotExportable(Exception):
    """Raised where a network is of a kind that is not exported; says which."""


@dataclass(frozen=True)
class Export:
    """What a network is exported with.

    Attributes:
        network: in evaluation mode, on the CPU; it takes pictures and gives a tensor, or several.
        example: pictures, shape (N, 3, height, width), float32, to trace it with.
        other: pictures of another number, and another size if it takes any, to compare torch and the export on.
        axes: by name of the input and the outputs, in their order: which axes have no fixed length.
        facts: what has to be known of the network beside its weights, such as its labels.
        least_cosine: between the rows that torch and the export give; -1: it is not asked.
    """

    network: "nn.Module"
    example: "Tensor"
    other: "Tensor"
    axes: Mapping[str, Sequence[int]]
    facts: Mapping[str, str]
    least_cosine: float = -1.0


def runs_on_cpu(device: str) -> bool:
    """Whether the device of the settings is the CPU, which is found out without torch.

    Args:
        device: ``cpu``, another one, or empty: the best there is.
    """
    if device:
        return device == "cpu"
    return sys.platform != "darwin" and not any(Path(place).exists() for place in _ACCELERATORS)


def open_export(
    path: Path,
    weights: str,
    what: str,
    make: Callable[[], Export],
    *,
    runtime: str = runtimes.AUTO,
    precision: str = runtimes.FLOAT32,
) -> RunningNetwork | None:
    """Open the export of a run's weights; where there is none, or one of other weights, it is made, which is said.

    Args:
        path: of the file.
        weights: the digest of the weights that it has to be of.
        what: is exported, such as ``the detector``.
        make: see :func:`write_export`.
        runtime: that is to run it, see :func:`fullshot.train.runtimes.chosen`.
        precision: see there.

    Returns:
        See :func:`write_export`.

    Raises:
        UserError: the runtime is not installed.
    """
    chosen = runtimes.chosen(runtime, precision)
    if runtime == runtimes.TORCH:
        return None
    runtime = chosen
    found = _opened(path, weights, runtime, precision)
    if found is None and can_export(what):
        say(f"fullshot: {what} is exported to {path}, once: from then on it starts without torch")
        found = write_export(path, weights, what, make, runtime=runtime, precision=precision)
    if found is None and precision == runtimes.BFLOAT16:
        say(f"fullshot: {what} computes in float32: torch does not in bfloat16 here")
    return found


def can_export(what: str) -> bool:
    """Whether the libraries are there; a line says which is not."""
    missing = [] if runtimes.chosen() != runtimes.TORCH else [runtimes.ONNX_RUNTIME]
    missing += [] if importlib.util.find_spec("onnx") else ["onnx"]
    if missing:
        _said(what, f"{' and '.join(missing)} not installed")
    return not missing


def write_export(
    path: Path,
    weights: str,
    what: str,
    make: Callable[[], Export],
    *,
    runtime: str = "",
    precision: str = runtimes.FLOAT32,
) -> RunningNetwork | None:
    """Write a network's export, in one step, once it is seen to give what torch gives.

    Args:
        path: of the file.
        weights: the digest of its weights.
        what: is exported, for a message.
        make: opens the weights; what it raises is raised, but for :class:`NotExportable`.
        runtime: that is to run it; empty: the first that there is.
        precision: see :func:`fullshot.train.runtimes.open_network`.

    Returns:
        The network as it is opened from the file; None where it cannot be exported: that is said in a line, and torch
        has to run it. Where the file cannot be written, that is said.
    """
    runtime = runtime or runtimes.chosen()
    try:
        content = content_of(make, weights, runtime)
    except NotExportable as error:
        _said(what, str(error).replace("not exported", f"not exported to {path}", 1))
        return None
    try:
        write_bytes(path, content)
    except OSError as error:
        say(f"fullshot: the export of {what} cannot be kept, and is made anew each time: {path}: {error.strerror}")
    return runtimes.open_network(content, runtime, precision)


def content_of(make: Callable[[], Export], weights: str, runtime: str) -> bytes:
    """A network in the format ONNX, once it is seen to give what torch gives.

    Args:
        make: opens the weights; what it raises is raised.
        weights: their digest.
        runtime: that it is compared with torch in.

    Raises:
        NotExportable: it cannot be exported; says why.
    """
    export = make()
    try:
        content = _content(export, {**export.facts, "weights": weights, "format": FORMAT})
        _refuse_other_numbers(export, runtimes.open_network(content, runtime))
    except Exception as error:  # a backbone of another package may hold what no exporter knows, and raise anything
        words = " ".join(f"not exported: {type(error).__name__}: {error}".split())[:300]
        raise NotExportable(words) from None
    return content


def read_export(path: Path, runtime: str = runtimes.AUTO, precision: str = runtimes.FLOAT32) -> RunningNetwork:
    """A network from a file that somebody names.

    Args:
        path: of the format ONNX, or of OpenVINO's own.
        runtime: see :func:`fullshot.train.runtimes.chosen`.
        precision: see there.

    Raises:
        UserError: it cannot be read, or holds no network that was exported here; no runtime is there that reads it.
    """
    if path.suffix == runtimes.OPENVINO_SUFFIX:
        runtime = runtimes.chosen(runtimes.OPENVINO, precision)
    elif (runtime := runtimes.chosen(runtime, precision)) == runtimes.TORCH:
        raise UserError(f"{path} was exported: torch does not read it, but {runtimes.ONNX_RUNTIME} does, or OpenVINO")
    try:
        network = runtimes.open_network(path, runtime, precision)
    except Exception:  # of a damaged file; each kind of damage raises its own
        raise UserError(f"{path} holds no network that {runtimes.NAMES[runtime]} reads") from None
    if network.facts.get("format") != FORMAT:
        raise UserError(f"{path} was not exported by this version of fullshot: export it anew")
    return network


def _said(what: str, reason: str) -> None:
    say(f"fullshot: {what} runs on torch, which starts slowly ({reason})")


def _opened(path: Path, weights: str, runtime: str, precision: str) -> RunningNetwork | None:
    if not path.is_file() or runtime == runtimes.TORCH:
        return None
    try:
        network = runtimes.open_network(path, runtime, precision)
    except Exception:  # of a damaged file; each kind of damage raises its own
        return None
    is_of_these = (network.facts.get("weights"), network.facts.get("format")) == (weights, FORMAT)
    return network if is_of_these else None


def _content(export: Export, facts: Mapping[str, str]) -> bytes:
    import io

    import onnx
    import torch

    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # Of the tracer, on sizes that it takes for constants: the comparison on pictures of another size tells.
        warnings.simplefilter("ignore")
        # The newer exporter needs one more library, and gives the same graphs here.
        torch.onnx.export(
            export.network,
            (export.example,),
            file,  # type: ignore[arg-type]  # a file that is open will do as well, for this exporter
            input_names=list(export.axes)[:1],
            output_names=list(export.axes)[1:],
            dynamic_axes={name: {axis: f"{name}_{axis}" for axis in axes} for name, axes in export.axes.items()},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(file.getvalue())
    onnx.helper.set_model_props(model, dict(facts))
    content: bytes = model.SerializeToString()
    return content


def _refuse_other_numbers(export: Export, network: RunningNetwork) -> None:
    import torch

    with torch.no_grad():
        expected: Any = export.network(export.other)
    for ours, theirs in zip(
        [expected] if isinstance(expected, torch.Tensor) else expected, network(export.other.numpy()), strict=True
    ):
        wanted = ours.numpy()
        if wanted.shape != theirs.shape:
            raise ValueError(f"expected an output of shape {wanted.shape}, got {theirs.shape}")
        difference = float(np.abs(wanted - theirs).max(initial=0))
        if not difference <= _TOLERANCE * max(1.0, float(np.abs(wanted).max(initial=0))):
            raise ValueError(f"its numbers differ by {difference:.3g} from those of torch")
        if export.least_cosine > -1 and not least_cosine(wanted, theirs) >= export.least_cosine:
            raise ValueError(f"its vectors point elsewhere than torch's: cosine {least_cosine(wanted, theirs):.4f}")


def least_cosine(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """The least cosine of the angles between the rows of two arrays, each of shape (N, d)."""
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return float(((ours * theirs).sum(axis=1) / np.maximum(lengths, np.finfo(np.float32).tiny)).min())
