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
    "threads",
]

OPENVINO_SUFFIX = ".xml"
"""Of a network in OpenVINO's own format, whose numbers lie in a file ``.bin`` beside it."""


def is_installed(runtime: str) -> bool:
    """Whether the library of a runtime is there; it is not loaded."""
    return importlib.util.find_spec(runtime) is not None


def chosen(wanted: str = AUTO, precision: str = FLOAT32) -> str:
    """The runtime for a network on the CPU.

    Args:
        wanted: :data:`AUTO`, or the name of a runtime.
        precision: :data:`BFLOAT16` takes OpenVINO, where it and the processor can; else a line says that they cannot.

    Raises:
        UserError: it names one that is not installed, or that does not know the precision.
    """
    if precision == BFLOAT16 and wanted not in (AUTO, OPENVINO):
        raise UserError(f"setting detector.precision: {NAMES[wanted]} does not compute in bfloat16 here: OpenVINO does")
    if wanted != AUTO:
        if not is_installed(wanted):
            raise UserError(f"setting detector.runtime: {wanted} is not installed: {_HOW[wanted]}")
        return wanted
    if precision == BFLOAT16 and _has_bfloat16():
        return OPENVINO
    return next((name for name in (ONNX_RUNTIME, OPENVINO) if is_installed(name)), TORCH)


_HOW = {
    ONNX_RUNTIME: "pip install onnxruntime",
    OPENVINO: "pip install 'fullshot[openvino]' (for Python below 3.14)",
    TORCH: "pip install 'fullshot[train]'",
}


def _has_bfloat16() -> bool:
    if not is_installed(OPENVINO):
        say(f"fullshot: bfloat16 needs OpenVINO, which is not installed: {_HOW[OPENVINO]}; float32 it is")
        return False
    from fullshot.train.runtimes.openvino import has_bfloat16

    if not has_bfloat16():
        say("fullshot: this processor does not compute in bfloat16: float32 it is")
        return False
    return True


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
