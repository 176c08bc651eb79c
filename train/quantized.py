"""A network in the format ONNX with whole numbers of 8 bits in place of floats: ONNX Runtime's static quantisation.

Convolutions are quantised, which take nearly all of the time; what is between them stays as it is. So do some of them.
With the starter weights, a score is off by 0.22 at most where all but the last are quantised; by 0.07 where the first
stays in float, and by 0.02 where the depthwise ones do as well, which are few numbers, and cost 10 ms of 38.
"""

import contextlib
import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime import quantization
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData, save_tensors_data

from fullshot.train.runtimes.onnx_runtime import OnnxRuntimeNetwork

_QUANTISED = "Conv"


def delicate_layers(model: bytes) -> list[str]:
    """The convolutions that 8 bits harm most: the first, the last, and the depthwise ones.

    The last give scores and corners: a corner of 8 bits lies on one of 256 places. A depthwise one has few weights, and
    channels of its own scale each.

    Args:
        model: content of a file of the format ONNX.

    Returns:
        Names of nodes.
    """
    graph = onnx.load_from_string(model).graph
    layers = [node for node in graph.node if node.op_type == _QUANTISED]
    depthwise = [node.name for node in layers if any(one.name == "group" and one.i > 1 for one in node.attribute)]
    return list(dict.fromkeys([*(node.name for node in layers[:1]), *depthwise, *_last_layers(graph)]))


def _last_layers(graph: onnx.GraphProto) -> list[str]:
    """The convolutions after which no other comes."""
    reaches: set[str] = set()  # tensors from which a convolution is reached
    last = []
    for node in reversed(graph.node):  # in the order of the format, what uses a tensor comes after what gives it
        before_another = any(name in reaches for name in node.output)
        if node.op_type == _QUANTISED and not before_another:
            last.append(node.name)
        if node.op_type == _QUANTISED or before_another:
            reaches.update(node.input)
    return last[::-1]


def whole_head(model: bytes) -> list[str]:
    """The convolutions of the modules that the last layers lie in, such as all of ``/network/head``.

    Args:
        model: content of a file of the format ONNX; nodes are named after their modules.
    """
    graph = onnx.load_from_string(model).graph
    modules = {_module(name) for name in _last_layers(graph)}
    return [node.name for node in graph.node if node.op_type == _QUANTISED and _module(node.name) in modules]


def _module(name: str) -> str:
    return "/".join(name.split("/")[:3])


Ranges = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""The least and the largest number of a tensor, by its name."""


def quantized(model: bytes, ranges: Ranges, floats: Sequence[str]) -> bytes:
    """A quantised network.

    Args:
        model: content of a file of the format ONNX.
        ranges: see :func:`calibrated`.
        floats: names of the convolutions that stay in float.

    Returns:
        Content of a file of the format ONNX (QDQ), which says of itself what the first one does.
    """
    with tempfile.TemporaryDirectory(prefix="fullshot-") as folder, _quiet():
        target, calibration = Path(folder) / "quantized.onnx", Path(folder) / "ranges.json"
        save_tensors_data(TensorsData(CalibrationMethod.MinMax, ranges), calibration)
        quantization.quantize_static(
            onnx.load_from_string(model),
            target,
            calibration_cache_path=calibration,
            op_types_to_quantize=[_QUANTISED],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=list(floats),
            # Left to itself, it drops what cuts off above 6, and trusts a runtime to cut off at the range's end.
            extra_options={"QDQKeepRemovableActivations": True},
        )
        made = onnx.load(target)
    facts = {entry.key: entry.value for entry in onnx.load_from_string(model).metadata_props}
    del made.metadata_props[:]
    onnx.helper.set_model_props(made, facts)
    content: bytes = made.SerializeToString()
    return content


def calibrated(model: bytes, pictures: Iterable[NDArray[np.float32]]) -> Ranges:
    """The least and largest number of each tensor that goes into or comes out of a convolution.

    ONNX Runtime's own calibration runs the network as it stands, on all cores, and waits for them in a loop: on a
    machine that others share, eight pictures took it 465 s and take this 26.

    Args:
        model: content of a file of the format ONNX.
        pictures: as the network takes them.
    """
    whole = onnx.load_from_string(model)
    given, numbers = {one.name for one in whole.graph.input}, {one.name for one in whole.graph.initializer}
    its = [name for node in whole.graph.node if node.op_type == _QUANTISED for name in (*node.input, *node.output)]
    shown = [name for name in dict.fromkeys(its) if name not in numbers and name not in given]
    del whole.graph.output[:]
    whole.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in shown)
    network = OnnxRuntimeNetwork(whole.SerializeToString())
    ranges: Ranges = {}
    for picture in pictures:
        tensors = dict(zip(shown, network(picture), strict=True)) | dict.fromkeys(given, picture)
        for name, tensor in tensors.items():
            low, high = tensor.min(), tensor.max()
            before = ranges.get(name, (low, high))
            ranges[name] = (np.minimum(low, before[0]), np.maximum(high, before[1]))
    return ranges


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without its advice to change the network first, which torch's exporter has done."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
