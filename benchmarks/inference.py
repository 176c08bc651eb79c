"""One picture, from its pixels to boxes, against what its runtime takes for the network alone.

Both run in one process and in turns: the detector on the pixels, then the bare runtime on a tensor that is ready, as
large as the detector makes it. So the ratio is what bringing a picture to its size, choosing boxes and counting them
back costs. Boxes are reported from the score that a hundred places of the picture reach, so that there is something to
choose from, whatever the weights. On a machine that does other things as well, ``--clock processor`` counts processor
time in place of seconds; then OMP_NUM_THREADS=1 keeps threads that wait for work from being counted.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks import _common
from benchmarks._common import Row
from fullshot.core.boxes import Picture
from fullshot.core.pictures import read_rgb
from fullshot.core.settings import DetectorSettings
from fullshot.train import runtimes
from fullshot.train.detector.candidates import CandidateNetwork
from fullshot.train.detector.network_detector import NetworkDetector
from fullshot.train.detector.sources import Source, find_source
from fullshot.train.detector.yolo import library
from fullshot.train.detector.yolo.trainer import YoloTrainer
from fullshot.train.exported import Export, content_of

MOST = 1.15
ROUNDS = 200
PLACES = 100
WARM = 5
_SIZE = (1200, 800)  # height and width of a shop's photo
_CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}

Run = Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]]


def pictures(file: Path | None) -> Iterator[tuple[str, Picture]]:
    """What is looked at, by name."""
    if file is not None:
        yield file.name, read_rgb(file, upright=True)
        return
    height, width = _SIZE
    drawn = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((250, 150, 550, 560), fill=(190, 40, 50))
    pen.rectangle((290, 560, 510, 1010), fill=(40, 50, 160))
    pen.ellipse((280, 1010, 400, 1060), fill=(30, 30, 30))
    pen.ellipse((400, 1010, 520, 1060), fill=(30, 30, 30))
    yield "a drawn picture", np.asarray(drawn)
    yield "noise", np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def opened(weights: str, model: str, size: int, folder: Path) -> Source:
    """The weights that are named; else of a model of yolo's, as it is before any training."""
    if weights:
        return find_source(weights)
    file = folder / "run" / "weights" / "best.pt"
    file.parent.mkdir(parents=True)
    library.open_model(library.model_file(model)).save(file)
    settings = DetectorSettings(image_size=size, device="cpu")
    return _Untrained(YoloTrainer(settings), file, size)


class _Untrained:
    """A model of yolo's, as weights that are there; see :class:`fullshot.train.detector.sources.Source`."""

    name, family, model, digest, run = "untrained", "yolo", "", "", None

    def __init__(self, trainer: YoloTrainer, file: Path, size: int) -> None:
        self._trainer, self.file, self.image_size = trainer, file, size
        self.files = (file,)
        self.labels: tuple[str, ...] = ()

    def load(self, section: DetectorSettings) -> Any:
        return YoloTrainer(section.model_copy(update={"image_size": self.image_size})).load(self.file.parents[1])

    def export(self) -> Export:
        return self._trainer.export(self.file.parents[1])


def bare(runtime: str, precision: str, content: bytes, export: Export) -> Run:
    """The network alone, as the makers of its runtime say that it is run."""
    if runtime == runtimes.TORCH:
        torch.set_num_threads(runtimes.threads())

        def by_torch(batch: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
            with torch.inference_mode():
                return [given.numpy() for given in export.network(torch.from_numpy(batch))]

        return by_torch
    if runtime == runtimes.OPENVINO:
        import openvino

        hints = {"INFERENCE_PRECISION_HINT": "bf16" if precision == runtimes.BFLOAT16 else "f32"}
        core = openvino.Core()
        threads = {"INFERENCE_NUM_THREADS": runtimes.threads(), "PERFORMANCE_HINT": "LATENCY"}
        request = core.compile_model(core.read_model(content), "CPU", {**hints, **threads}).create_infer_request()
        return lambda batch: list(request.infer(batch, share_inputs=True).to_tuple())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = runtimes.threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    given: Run = lambda batch: session.run(None, {session.get_inputs()[0].name: batch})  # noqa: E731
    return given


def tensor_of(picture: Picture, export: Export, size: int, alone: Run) -> tuple[NDArray[np.float32], float]:
    """What the network is given for a picture, and the score that so many of its places reach."""
    seen = CandidateNetwork(alone, export.facts, image_size=size, confidence=1.0).seen([picture])
    rows = np.asarray(alone(seen)[0])[0]
    scores = rows[:, 4] if export.facts["end2end"] == str(True) else rows[4:].max(axis=0)
    return seen, float(np.sort(scores)[-min(PLACES, len(scores))])


def measure(given: argparse.Namespace, folder: Path) -> list[Row]:
    """The lines of the table."""
    source = opened(given.weights, given.model, given.size, folder)
    export = source.export()
    content = content_of(source.export, "", runtimes.chosen())
    clock = _CLOCKS[given.clock]
    rows = []
    wanted = [(name, runtimes.FLOAT32) for name in given.runtime if runtimes.is_installed(name)]
    if given.bfloat16:
        wanted.append((runtimes.OPENVINO, runtimes.BFLOAT16))
    for runtime, precision in wanted:
        alone = bare(runtime, precision, content, export)
        for name, picture in pictures(given.picture):
            batch, score = tensor_of(picture, export, source.image_size, alone)
            section = DetectorSettings(device="cpu", runtime=runtime, precision=precision, confidence=score)
            detector = source.load(section)
            if not isinstance(detector, NetworkDetector):
                raise SystemExit(f"{source.name} is not run by a network")
            ours: list[float] = []
            theirs: list[float] = []
            for number in range(WARM + given.rounds):
                began = clock()
                detector.predict([picture])
                between = clock()
                alone(batch)
                if number >= WARM:
                    ours.append(between - began)
                    theirs.append(clock() - between)
            _common.say(f"{runtime}, {precision}: {name} is timed")
            words = runtimes.NAMES[runtime] + (f" in {precision}" if precision != runtimes.FLOAT32 else "")
            whole, network = (1000 * statistics.median(times) for times in (ours, theirs))
            rows.append(_common.at_most(f"ms, {words}, {name}", whole, network, MOST))
    return rows


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--model", default="yolo11n.yaml", help="of yolo's; default: yolo11n.yaml")
    parser.add_argument("--size", type=int, default=640, help="longer side in pixels; default: 640")
    parser.add_argument("--weights", default="", help="starter, a file, or the folder of a run, in place of a model")
    names = [runtimes.TORCH, runtimes.ONNX_RUNTIME, runtimes.OPENVINO]
    parser.add_argument("--runtime", nargs="+", choices=names, default=names, help="default: all that are installed")
    parser.add_argument("--bfloat16", action="store_true", help="OpenVINO in bfloat16 as well")
    parser.add_argument("--picture", type=Path, help="to look at; default: a drawn one, and noise")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default: {ROUNDS}")
    parser.add_argument("--clock", choices=list(_CLOCKS), default="wall", help="default: wall")
    given = parser.parse_args(arguments)
    with _common.scratch(given.folder) as folder:
        rows = measure(given, folder)
    what = given.weights or f"{given.model} at {given.size} px"
    _common.show(f"one picture, {what}", rows, as_json=given.as_json, peer="network alone")


if __name__ == "__main__":
    main()
