"""Small real networks in OpenPose's style, whose heatmaps are known functions of a picture, and pictures for them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fullshot.core.boxes import Picture
from fullshot.curation.pose.skeletons import COCO18, MPI15, Skeleton

SIDE = 368
CELL = 8 / SIDE
FIELDS = {COCO18.name: 38, MPI15.name: 28}
RADIUS = 0.45

Place = tuple[float, float]


def colours(skeleton: Skeleton) -> NDArray[np.float64]:
    """A colour a joint, RGB from -0.5 to 0.5, evenly spread over a sphere round grey; shape (J, 3).

    Nothing on a sphere is further in a joint's direction than its own colour, so a convolution of one pixel finds it.
    """
    count = len(skeleton.joints)
    numbers = np.arange(count) + 0.5
    height, turn = 1 - 2 * numbers / count, np.pi * (1 + 5**0.5) * numbers
    ring = np.sqrt(1 - height**2)
    return RADIUS * np.stack([np.cos(turn) * ring, np.sin(turn) * ring, height], axis=1)


def write_network(
    path: Path,
    skeleton: Skeleton,
    *,
    extra: Sequence[int] | None = None,
    order: str = "BGR",
    mean: float = 127.5,
    scale: float = 1.0,
    side: int | str = SIDE,
    flat: bool = False,
) -> Path:
    """A network that answers 1 where a joint's colour is, and 0 where the colour is far from it, in cells of 8 pixels.

    Args:
        path: where it goes.
        skeleton: its joints.
        extra: maps of each output beside the joints' heatmaps; the first output's follow the heatmaps. Default: one for
            the background and OpenPose's fields.
        order: of its input's channels.
        mean: what was taken from the values, 0 to 255, of its input.
        scale: what its input, as far from end to end as 1, is multiplied with.
        side: of its input.
        flat: put all maps into one axis.
    """
    first, *others = extra or [1 + FIELDS[skeleton.name]]
    wanted = colours(skeleton) if order == "RGB" else colours(skeleton)[:, ::-1]
    weights = wanted * 4 / RADIUS**2 / scale
    grey = (127.5 - mean) / 255 * scale
    constants: dict[str, NDArray[np.float64]] = {
        # The other maps are higher than any heatmap: whoever takes them for one is wrong everywhere.
        "weights": np.vstack([weights, np.zeros((first, 3))])[:, :, None, None],
        "bias": np.concatenate([-3.0 - weights.sum(axis=1) * grey, np.full(first, 5.0)]),
    }
    nodes = [
        helper.make_node("AveragePool", ["picture"], ["cells"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["cells", "weights", "bias"], ["linear"], kernel_shape=[1, 1]),
        helper.make_node("Relu", ["linear"], ["relu"]),
        helper.make_node("Flatten" if flat else "Identity", ["relu"], ["maps"]),
    ]
    outputs = [helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["n", "c"] if flat else list("nchw"))]
    for number, count in enumerate(others):
        name = f"others{number}"
        constants |= {f"{name}-weights": np.zeros((count, 3, 1, 1)), f"{name}-bias": np.full(count, 5.0)}
        inputs = ["cells", f"{name}-weights", f"{name}-bias"]
        nodes.append(helper.make_node("Conv", inputs, [name], kernel_shape=[1, 1]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list("nchw")))
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, side, side])
    initialisers = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "colours", [picture], outputs, initialisers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def paint(
    skeleton: Skeleton,
    width: int,
    height: int,
    places: Mapping[str, Place],
    strength: Mapping[str, float] | None = None,
    cell: float = CELL,
) -> Picture:
    """A grey picture with a dot of each joint's colour at its place, as large as to fill one of the network's cells."""
    picture = np.full((height, width, 3), 128, np.uint8)
    half = round(max(width, height) * cell + 1)
    for joint, (x, y) in places.items():
        row, column = round(y * height), round(x * width)
        colour = colours(skeleton)[skeleton.rows([joint])[0]] * (strength or {}).get(joint, 1.0)
        dot = np.round((colour + 0.5) * 255).astype(np.uint8)
        picture[max(0, row - half) : row + half, max(0, column - half) : column + half] = dot
    return picture


def spread(skeleton: Skeleton, width: int, height: int) -> dict[str, Place]:
    """A place for each joint: far enough from one another, in no order that rows or columns give."""
    columns, rows = (5, 4) if width > height else (4, 5)
    shuffled = np.random.default_rng(3).permutation(columns * rows)
    return {
        joint: ((cell % columns + 0.55) / columns, (cell // columns + 0.45) / rows)
        for joint, cell in zip(skeleton.joints, shuffled, strict=False)
    }
