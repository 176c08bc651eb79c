"""What all runtimes share: their names, and what a network is that one of them runs."""

import os
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fullshot.core.engines import cores

AUTO, ONNX_RUNTIME, OPENVINO, TORCH = "auto", "onnxruntime", "openvino", "torch"
"""Names of the setting ``detector.runtime``."""

NAMES = {ONNX_RUNTIME: "ONNX Runtime", OPENVINO: "OpenVINO", TORCH: "torch"}
"""As a person knows them."""

FLOAT32, BFLOAT16 = "float32", "bfloat16"
"""Of the setting ``detector.precision``."""


class RunningNetwork(Protocol):
    """A network that was exported, ready to be run.

    Attributes:
        facts: what has to be known of it beside its weights, such as its labels.
        runtime: that runs it, :data:`ONNX_RUNTIME` or :data:`OPENVINO`.
        precision: that it computes in, :data:`FLOAT32` or :data:`BFLOAT16`.
    """

    @property
    def facts(self) -> Mapping[str, str]: ...

    @property
    def runtime(self) -> str: ...

    @property
    def precision(self) -> str: ...

    def __call__(self, pictures: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """What the network gives for pictures of shape (N, 3, height, width), float32 in [0, 1], RGB."""


def threads() -> int:
    """How many threads a network may use: those that OpenMP's variable grants, else the cores.

    Said to each runtime outright: left to itself, one binds threads to cores that a container may not give it.
    """
    # The variable may be a list, a number for each level of nesting.
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(asked) if asked.isdecimal() else cores()
