"""ONNX Runtime, on the CPU."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fullshot.train.runtimes.common import FLOAT32, ONNX_RUNTIME, threads


class OnnxRuntimeNetwork:
    """See :class:`fullshot.train.runtimes.common.RunningNetwork`.

    Args:
        model: a file of the format ONNX, or the content of one.
    """

    runtime, precision = ONNX_RUNTIME, FLOAT32

    def __init__(self, model: Path | bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads()
        options.log_severity_level = 3
        content = model if isinstance(model, bytes) else model.read_bytes()
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self.facts: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def __call__(self, pictures: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """See :class:`fullshot.train.runtimes.common.RunningNetwork`."""
        given: list[NDArray[np.float32]] = self._session.run(None, {self._input: pictures})
        return given
