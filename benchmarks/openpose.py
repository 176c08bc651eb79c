"""Seconds an image by MediaPipe, against OpenPose run by OpenCV as the case study and the public scripts do.

Two OpenPose networks are built as their makers describe them, with random weights (which take the same time as trained
ones), and run at 368 x 368: COCO's original (VGG-19 and six stages of 7 x 7 convolutions; 52 million weights), and the
thin one, on MobileNet, that the public scripts load as ``graph_opt.pb`` (2 million weights). ``coco`` and ``thin`` are
run by curation.openpose; ``script`` is the thin network as the public scripts run it: the picture stretched, OpenCV's
classic engine (the only one that OpenCV 4 has, on which they were written), a loop over the joints.

Pictures are decoded beforehand. All take turns on the same pictures, on one processor core each (--cores), and the
medians of the rounds count.
"""

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks import _common
from fullshot.core.boxes import Picture
from fullshot.core.pictures import read_rgb
from fullshot.core.settings import load
from fullshot.curation.pose import PoseEstimator
from fullshot.curation.pose.mediapipe import MediaPipePose
from fullshot.curation.pose.model_file import provide
from fullshot.curation.pose.openpose import SIDE, OpenPose
from fullshot.curation.pose.skeletons import COCO18

WAYS = ("script", "thin", "coco")
PICTURES = 20
FIELDS, HEATMAPS = 38, 19
STAGES = 6


class _Builder:
    """Makes a network's graph, layer by layer, its weights drawn so that values keep their size on the way."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self.parameters = 0

    def _constant(self, name: str, value: np.ndarray) -> str:
        self._weights.append(numpy_helper.from_array(value.astype(np.float32), name))
        self.parameters += value.size
        return name

    def _node(self, kind: str, inputs: Sequence[str], **attributes: object) -> str:
        name = f"{kind}{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))  # type: ignore[arg-type]
        return name

    def convolution(
        self, source: str, taken: int, given: int, size: int = 3, stride: int = 1, groups: int = 1, relu: bool = True
    ) -> str:
        """A convolution from ``taken`` to ``given`` channels that keeps the size, or halves it with a stride of 2."""
        shape = (given, taken // groups, size, size)
        scale = np.sqrt((2 if relu else 1) / np.prod(shape[1:]))
        number = len(self._nodes)
        weights = self._constant(f"w{number}", self._random.normal(0, scale, shape))
        bias = self._constant(f"b{number}", np.zeros(given))
        words = {"kernel_shape": [size, size], "strides": [stride, stride], "group": groups, "pads": [size // 2] * 4}
        made = self._node("Conv", [source, weights, bias], **words)
        return self._node("Relu", [made]) if relu else made

    def separable(self, source: str, taken: int, given: int, size: int = 3, stride: int = 1, relu: bool = True) -> str:
        """A convolution in each channel, then one across channels."""
        return self.convolution(
            self.convolution(source, taken, taken, size, stride, groups=taken, relu=False), taken, given, 1, relu=relu
        )

    def pool(self, source: str) -> str:
        """The largest of two by two."""
        return self._node("MaxPool", [source], kernel_shape=[2, 2], strides=[2, 2])

    def join(self, *sources: str) -> str:
        """The channels of all, one after another."""
        return self._node("Concat", sources, axis=1)

    def write(self, path: Path, output: str) -> None:
        """Write the network with this output."""
        picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
        maps = helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, HEATMAPS + FIELDS, SIDE // 8, SIDE // 8])
        graph = helper.make_graph(self._nodes, "openpose", [picture], [maps], self._weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def build_coco(path: Path) -> int:
    """Write OpenPose's COCO network (Cao et al. 2017; its ``pose_deploy_linevec``); returns the number of weights."""
    net = _Builder()
    features, channels = "picture", 3
    for block, widths in enumerate([[64, 64], [128, 128], [256] * 4, [512, 512, 256, 128]]):
        features = net.pool(features) if block else features
        for width in widths:
            features, channels = net.convolution(features, channels, width), width
    joined, channels = features, 128
    branches: list[str] = []
    for stage in range(STAGES):
        layers = [(128, 3)] * 3 + [(512, 1)] if stage == 0 else [(128, 7)] * 5 + [(128, 1)]
        branches = []
        for maps in (FIELDS, HEATMAPS):
            branch, width = joined, channels
            for given, size in layers:
                branch, width = net.convolution(branch, width, given, size), given
            branches.append(net.convolution(branch, width, maps, 1, relu=False))
        joined, channels = net.join(*branches, features), FIELDS + HEATMAPS + 128
    net.write(path, net.join(*reversed(branches)))
    return net.parameters


def build_thin(path: Path) -> int:
    """Write tf-pose-estimation's ``mobilenet_thin``, widths 0.75 and 0.5; returns the number of weights."""
    net = _Builder()
    layer, channels = net.convolution("picture", 3, 24, stride=2), 24
    kept: dict[int, str] = {}
    widths = [(48, 1), (96, 2), (96, 1), (192, 2), (192, 1), *[(384, 1)] * 6]
    for number, (given, stride) in enumerate(widths, 1):
        layer, channels = net.separable(layer, channels, given, stride=stride), given
        kept[number] = layer
    features = net.join(net.pool(kept[3]), kept[7], kept[11])
    joined, channels = features, 96 + 384 + 384
    branches: list[str] = []
    for stage in range(STAGES):
        branches = []
        for maps in (FIELDS, HEATMAPS):
            branch, width = joined, channels
            for given, size in [(64, 3)] * 3 + [(256 if stage == 0 else 64, 1)]:
                branch, width = net.separable(branch, width, given, size), given
            branches.append(net.separable(branch, width, maps, 1, relu=False))
        joined, channels = net.join(*branches, features), FIELDS + HEATMAPS + 864
    net.write(path, net.join(*reversed(branches)))
    return net.parameters


class PublicScript:
    """OpenPose as the public scripts run it, which find the one person whose joints are the highest peaks."""

    def __init__(self, network: Path) -> None:
        self._network = cv2.dnn.readNet(str(network), engine=cv2.dnn.ENGINE_CLASSIC)

    def predict(self, picture: Picture) -> list[tuple[int, int] | None]:
        """Pixels of the joints found."""
        height, width = picture.shape[:2]
        mean = (127.5, 127.5, 127.5)
        # Scaled to the weights drawn here; the scripts' own leave the scale at 1.
        self._network.setInput(cv2.dnn.blobFromImage(picture, 1 / 255, (SIDE, SIDE), mean, swapRB=True, crop=False))
        maps = self._network.forward()[0, :HEATMAPS]
        points: list[tuple[int, int] | None] = []
        for heatmap in maps:
            _, peak, _, (column, row) = cv2.minMaxLoc(heatmap)
            point = int(width * column / maps.shape[2]), int(height * row / maps.shape[1])
            points.append(point if peak > 0.2 else None)
        return points


def _open(way: str, folder: Path) -> OpenPose | PublicScript:
    """One of :data:`WAYS`, its network written into a folder."""
    path = folder / f"{way}.onnx"
    weights = (build_coco if way == "coco" else build_thin)(path)
    _common.say(f"{way}: {weights / 1e6:.1f} million weights, drawn by lot")
    return PublicScript(path) if way == "script" else OpenPose(path, COCO18)


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Keep all that this process starts inside to so many processor cores, where the system can (Linux)."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(count)
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if before:
        os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        if before:
            os.sched_setaffinity(0, before)


def seconds_per_image(pose: PoseEstimator | PublicScript, pictures: Sequence[Picture]) -> float:
    """The time an estimator takes for a picture, the first one's start-up left out."""
    pose.predict(pictures[0])
    started = time.perf_counter()
    for picture in pictures:
        pose.predict(picture)
    return (time.perf_counter() - started) / len(pictures)


def openpose_seconds_per_image(files: Sequence[Path], way: str = "script", cores: int = 1) -> float:
    """The time that OpenPose takes for a picture; to read and decode it is left out, in OpenPose's favour.

    Args:
        files: pictures.
        way: one of :data:`WAYS`. Unless asked otherwise the one of the public notebooks, the thin network at 368 x 368
            in OpenCV's classic engine. COCO's original network takes more than ten times as long.
        cores: processor cores that it may use.
    """
    pictures = [read_rgb(path) for path in files]
    with _common.scratch(None) as folder, on_cores(cores):
        return seconds_per_image(_open(way, folder), pictures)


def read_pictures(folder: Path, count: int) -> list[Picture]:
    """The first pictures of a folder by name, RGB."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not found:
        raise SystemExit(f"no pictures in {folder}: expected files named .jpg, .jpeg or .png")
    return [read_rgb(path) for path in itertools.islice(found, count)]


def measure(
    pictures: Sequence[Picture], ways: Sequence[str], rounds: int, cores: int, folder: Path
) -> dict[str, float]:
    """Median seconds an image of ``mediapipe`` and of each way, in turns."""
    taken: dict[str, list[float]] = {}
    with on_cores(cores), closing(MediaPipePose(provide(load()))) as mediapipe:
        poses: dict[str, PoseEstimator | PublicScript] = {"mediapipe": mediapipe}
        poses |= {way: _open(way, folder) for way in ways}
        for number in range(rounds):
            for name, pose in poses.items():
                taken.setdefault(name, []).append(seconds_per_image(pose, pictures))
                _common.say(f"round {number + 1}, {name}: {taken[name][-1] * 1000:.1f} ms an image")
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = _common.parser_of(__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of pictures")
    parser.add_argument("--count", type=int, default=PICTURES, help="pictures taken from it; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=_common.ROUNDS, help="default: %(default)s")
    parser.add_argument("--cores", type=int, default=1, help="processor cores of each; default: %(default)s")
    parser.add_argument("--way", choices=WAYS, action="append", help="only this one; can be given twice")
    return parser.parse_args(given)


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    given = _arguments(arguments)
    pictures = read_pictures(given.pictures, given.count)
    with _common.scratch(given.folder) as folder:
        seconds = measure(pictures, given.way or WAYS, given.rounds, given.cores, folder)
    ours = seconds.pop("mediapipe")
    rows = [_common.Row(f"ms an image, {way}", ours * 1000, peer * 1000, peer / ours) for way, peer in seconds.items()]
    title = f"{len(pictures)} pictures, {given.cores} core(s) each; ours: MediaPipe; ratio: how many times as fast"
    _common.show(title, rows, as_json=given.as_json, peer="OpenPose")


if __name__ == "__main__":
    main()
