"""What runs an exported network on the CPU: ONNX Runtime, OpenVINO, or torch where neither is there.

In float32 the first two give the same boxes in the same time: YOLO11n, YOLO26n and FCOS at 640 px on a Xeon with
AVX-512 take 43 and 46 ms, 38 and 44, 126 and 134. ONNX Runtime starts sooner, so it comes first. Where the processor
computes in bfloat16, OpenVINO takes half of the time or less (23, 24 and 47 ms), and moves boxes a little: with the
starter weights 89 in 100 still overlap those of float32 by 0.99, and 99 by 0.9. So that is for a setting to ask for.
"""

import importlib.util
from pathlib import Path

from fullshot.core.errors import UserError
from fullshot.core.progress import say
from fullshot.train.runtimes.common import (
    AUTO,
    BFLOAT16,
    FLOAT32,
    NAMES,
    ONNX_RUNTIME,
    OPENVINO,
    TORCH,
    RunningNetwork,
    threads,
)

__all__ = [
    "AUTO",
    "BFLOAT16",
    "FLOAT32",
    "NAMES",
    "ONNX_RUNTIME",
    "OPENVINO",
    "OPENVINO_SUFFIX",
    "TORCH",
    "RunningNetwork",
    "chosen",
    "is_installed",
    "open_network",
    "precision_of",
    "refuse_unusable",
    "threads",
]

OPENVINO_SUFFIX = ".xml"
"""Of a network in OpenVINO's own format, whose numbers lie in a file ``.bin`` beside it."""


def is_installed(runtime: str) -> bool:
    """Whether the library of a runtime is there; it is not loaded."""
    return importlib.util.find_spec(runtime) is not None


def refuse_unusable(wanted: str, precision: str) -> None:
    """Refuse settings that no network can be run with on the CPU.

    Args:
        wanted: see :func:`chosen`.
        precision: see there.

    Raises:
        UserError: see there.
    """
    if precision == BFLOAT16 and wanted not in (AUTO, OPENVINO):
        raise UserError(f"setting detector.precision: {NAMES[wanted]} does not compute in bfloat16 here: OpenVINO does")
    if wanted != AUTO and not is_installed(wanted):
        raise UserError(f"setting detector.runtime: {wanted} is not installed: {_HOW[wanted]}")


def chosen(wanted: str = AUTO, precision: str = FLOAT32) -> str:
    """The runtime for a network on the CPU.

    Args:
        wanted: :data:`AUTO`, or the name of a runtime.
        precision: :data:`BFLOAT16` takes OpenVINO, where it and the processor can; else a line says that they cannot.

    Raises:
        UserError: it names one that is not installed, or that does not know the precision.
    """
    refuse_unusable(wanted, precision)
    if precision == BFLOAT16:
        reason = _why_float32()
        if not reason:
            return OPENVINO
        say(f"fullshot: {reason}: float32 it is")
    if wanted != AUTO:
        return wanted
    return next((name for name in (ONNX_RUNTIME, OPENVINO) if is_installed(name)), TORCH)


def precision_of(wanted: str, precision: str) -> str:
    """What a network on the CPU computes in; nothing is said.

    Args:
        wanted: see :func:`chosen`.
        precision: that is asked for, which this machine may not have.
    """
    is_given = precision == BFLOAT16 and wanted in (AUTO, OPENVINO) and not _why_float32()
    return BFLOAT16 if is_given else FLOAT32


_HOW = {
    ONNX_RUNTIME: "pip install onnxruntime",
    OPENVINO: "pip install 'fullshot[openvino]' (for Python below 3.14)",
    TORCH: "pip install 'fullshot[train]'",
}


def _why_float32() -> str:
    """Why nothing here computes in bfloat16; empty: OpenVINO does."""
    if not is_installed(OPENVINO):
        return f"bfloat16 needs OpenVINO, which is not installed ({_HOW[OPENVINO]})"
    from fullshot.train.runtimes.openvino import has_bfloat16

    return "" if has_bfloat16() else "this processor does not compute in bfloat16"


def open_network(model: Path | bytes, runtime: str, precision: str = FLOAT32) -> RunningNetwork:
    """A network from its file or the content of one in the format ONNX.

    Args:
        model: of the format ONNX; a file of OpenVINO's own is run by OpenVINO alone.
        runtime: :data:`ONNX_RUNTIME` or :data:`OPENVINO`.
        precision: :data:`FLOAT32`, or :data:`BFLOAT16`, which OpenVINO alone knows.

    Raises:
        Exception: of a damaged file; each runtime and kind of damage raises its own.
    """
    if runtime == OPENVINO:
        from fullshot.train.runtimes.openvino import OpenVinoNetwork

        return OpenVinoNetwork(model, precision)
    from fullshot.train.runtimes.onnx_runtime import OnnxRuntimeNetwork

    return OnnxRuntimeNetwork(model)
