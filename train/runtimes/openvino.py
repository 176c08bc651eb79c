"""OpenVINO, on the CPU.

What it compiles of a network is kept in the user's cache, so that it starts in a third of a second the next time.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from fullshot.train.runtimes.common import BFLOAT16, FLOAT32, OPENVINO, threads

_FACTS = "framework"
"""Where OpenVINO keeps what a file of the format ONNX says of its network."""


@contextlib.contextmanager
def _without_telemetry() -> Iterator[None]:
    """Importing OpenVINO imports its converter where that is there, which sends word of it to its makers."""
    converter = "openvino.tools.ovc"
    is_loaded = converter in sys.modules
    if not is_loaded:
        sys.modules[converter] = None  # type: ignore[assignment]  # as Python has it: it cannot be imported
    try:
        yield
    finally:
        if not is_loaded:
            del sys.modules[converter]


with _without_telemetry():
    import openvino


class OpenVinoNetwork:
    """See :class:`fullshot.train.runtimes.common.RunningNetwork`.

    Args:
        model: a file of the format ONNX or of OpenVINO's own, or the content of one of the format ONNX.
        precision: see :func:`fullshot.train.runtimes.open_network`.
    """

    runtime = OPENVINO

    def __init__(self, model: Path | bytes, precision: str) -> None:
        core = openvino.Core()
        cache = Path(platformdirs.user_cache_dir("fullshot")) / "openvino"
        with contextlib.suppress(OSError):  # then it compiles each time
            cache.mkdir(parents=True, exist_ok=True)
            core.set_property({"CACHE_DIR": str(cache)})
        read = core.read_model(model)
        about = read.get_rt_info([_FACTS]).value if read.has_rt_info([_FACTS]) else {}
        self.facts = {str(name): str(value) for name, value in about.items()}
        self.precision = BFLOAT16 if precision == BFLOAT16 and has_bfloat16() else FLOAT32
        compiled = core.compile_model(
            read,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": threads(),
                # Said outright: left to itself, it takes bfloat16 where the processor has it.
                "INFERENCE_PRECISION_HINT": "bf16" if self.precision == BFLOAT16 else "f32",
            },
        )
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()  # a request answers one caller at a time

    def __call__(self, pictures: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """See :class:`fullshot.train.runtimes.common.RunningNetwork`."""
        with self._lock:
            given = self._request.infer(pictures, share_inputs=True)
        return [given[place] for place in range(len(given))]


def save(model: bytes, path: Path) -> None:
    """Write a network of the format ONNX in OpenVINO's own: ``path``, and the numbers beside it, in float32.

    Args:
        model: content of a file of the format ONNX.
        path: of the file ``.xml``.
    """
    openvino.save_model(openvino.Core().read_model(model), path, compress_to_fp16=False)


def has_bfloat16() -> bool:
    """Whether OpenVINO computes in bfloat16 on this processor."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
