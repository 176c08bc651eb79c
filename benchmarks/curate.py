"""Pictures a second of a whole `fullshot curate`, against a loop that only decodes and runs MediaPipe.

Ours judges, measures, looks for copies, splits and exports, into tables; it was given the pictures by `fullshot add`.
The peer (pose_loop.py) decodes the same files and runs the same model. Both start as a process, use a process a core,
take turns, and the medians count. With --times there are so many pictures of each, other windows of it, so that what
the start of a run costs is seen apart from what a picture does. With --openpose the case study's way is timed as well,
see benchmarks.openpose.
"""

import random
import shutil
import statistics
import sys
from pathlib import Path

from PIL import Image

from benchmarks import _common
from fullshot.core.engines import cores
from fullshot.core.settings import load
from fullshot.curation.pose.model_file import provide

LEAST, OPENPOSE = 0.85, 10.0
OPENPOSE_PICTURES = 10
WINDOW = 0.85
"""Of each side, in a further picture of a picture: too little for a copy."""


def multiplied(folder: Path, times: int, into: Path) -> Path:
    """A folder with every picture of another, and so many windows of it that there are ``times`` of each."""
    into.mkdir()
    dice = random.Random(0)
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        shutil.copy(path, into)
        with Image.open(path) as picture:
            whole = picture.convert("RGB")
        width, height = (round(side * WINDOW) for side in whole.size)
        for number in range(1, times):
            left, top = dice.randint(0, whole.width - width), dice.randint(0, whole.height - height)
            window = whole.crop((left, top, left + width, top + height))
            window.save(into / f"{path.stem}-{number}.jpg", quality=92)
    return into


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of pictures")
    parser.add_argument("--rounds", type=int, default=_common.ROUNDS, help=f"default: {_common.ROUNDS}")
    parser.add_argument("--times", type=int, default=1, help="pictures made of each; default: 1, itself")
    parser.add_argument("--openpose", action="store_true", help="time the case study's OpenPose as well: a minute")
    given = parser.parse_args(arguments)
    pictures, model = given.pictures.resolve(), provide(load())
    fullshot = [sys.executable, "-P", "-m", "fullshot"]
    ours, peers = [], []
    with _common.scratch(given.folder) as scratch:
        if given.times > 1:
            pictures = multiplied(pictures, given.times, scratch / "pictures")
        count = sum(path.is_file() for path in pictures.iterdir())
        brought = scratch / "brought"
        command = [*fullshot, "add", str(brought), str(pictures), "--json"]
        _common.must_succeed(_common.run(command, scratch), "fullshot add")
        for number in range(given.rounds):
            for name in ("ours", "peer") if number % 2 == 0 else ("peer", "ours"):
                if name == "ours":
                    workspace = scratch / f"workspace-{number}"
                    shutil.copytree(brought, workspace)
                    command = [*fullshot, "curate", str(workspace), "--json"]
                    ours.append(_common.must_succeed(_common.run(command, scratch), "fullshot curate").seconds)
                    shutil.rmtree(workspace)
                else:
                    loop = ["-m", "benchmarks.pose_loop", str(model.path), str(pictures), str(cores())]
                    done = _common.run([sys.executable, *loop], scratch, PYTHONPATH=str(_common.ROOT))
                    peers.append(_common.must_succeed(done, "the loop").seconds)
                _common.say(f"round {number + 1}, {name}: {(ours if name == 'ours' else peers)[-1]:.2f} s")
    rates = [count / statistics.median(seconds) for seconds in (ours, peers)]
    rows = [_common.at_least("pictures/s, start of the process included", rates[0], rates[1], LEAST)]
    _common.show(f"{count} pictures, {cores()} processes", rows, as_json=given.as_json, peer="decode, MediaPipe")
    if given.openpose:
        from benchmarks.openpose import openpose_seconds_per_image

        files = sorted(path for path in given.pictures.iterdir() if path.is_file())[:OPENPOSE_PICTURES]
        # A loop in one process, whose threads OpenCV spreads over all cores, as the scripts are run.
        words = {"script": "thin network, as public scripts run it", "coco": "COCO's original network"}
        rows = []
        for way, name in words.items():
            theirs = 1 / openpose_seconds_per_image(files, way, cores=cores())
            rows.append(_common.at_least(f"pictures/s; {name}", rates[0], theirs, OPENPOSE))
        _common.show("Against OpenPose run by OpenCV", rows, as_json=given.as_json, peer="OpenPose")


if __name__ == "__main__":
    main()
