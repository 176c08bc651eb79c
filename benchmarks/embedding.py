"""`fullshot embed` on a folder of pictures, against the exported network fed from memory: processor time.

The verb lists, decodes, cuts away plain ground, brings to a square, embeds and writes; the bare loop runs the same
export on batches that lie ready. Both run on one core count, and what counts is user and system time: the ratio is how
much of it the network gets. Starting the process counts for the verb.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import _common
from fullshot.core.pictures import read_rgb
from fullshot.train import embedder
from fullshot.train.embedder.preprocessing import crop_to_foreground, embed_prepared, preparation_of

LEAST = 0.8
COUNT = 5_000
_DIFFERENT = 200
_BATCH = 32
_SIZE = (224, 224)


def _processor_time(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def drawn_pictures(folder: Path, count: int) -> None:
    """Item shots on white, as a shop shows them; some hundred different ones, many times over."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for number in range(count):
        place = folder / f"{number:06}.jpg"
        if number >= _DIFFERENT:
            os.link(folder / f"{number % _DIFFERENT:06}.jpg", place)
            continue
        picture = Image.new("RGB", _SIZE, "white")
        left, top = random.integers(20, 80, 2).tolist()
        colour = tuple(random.integers(0, 220, 3).tolist())
        ImageDraw.Draw(picture).rectangle((left, top, 224 - left, 224 - top // 2), fill=colour)
        picture.save(place, quality=90)


def by_the_verb(folder: Path, weights: str, output: Path) -> float:
    """Processor seconds of ``fullshot embed``."""
    before = _processor_time(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "fullshot", "embed", str(folder), "--output", str(output)]
    subprocess.run([*command, "--weights", weights, "--device", "cpu"], check=True, stdout=subprocess.DEVNULL)
    return _processor_time(resource.RUSAGE_CHILDREN) - before


def by_the_bare_network(folder: Path, weights: str, count: int) -> float:
    """Processor seconds of the export on crops that are ready."""
    opened = embedder.open_source(weights).load("cpu")
    prepare = preparation_of(opened)
    paths = sorted(folder.glob("*.jpg"))[:_BATCH]
    crops = [prepare(crop_to_foreground(read_rgb(path, upright=True))) for path in paths]
    embed_prepared(opened, crops)
    before = _processor_time(resource.RUSAGE_SELF)
    for start in range(0, count, _BATCH):
        embed_prepared(opened, crops[: min(_BATCH, count - start)])
    return _processor_time(resource.RUSAGE_SELF) - before


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help=f"pictures; default: {COUNT}")
    parser.add_argument("--weights", default="imagenet", help="see `fullshot embed --help`; default: imagenet")
    parser.add_argument("--pictures", type=Path, help="a folder of one's own JPEGs, in place of drawn ones")
    given = parser.parse_args(arguments)
    with _common.scratch(given.folder) as scratch:
        folder, count = given.pictures, given.count
        if folder is None:
            folder = scratch / "pictures"
            drawn_pictures(folder, count)
        else:
            count = len(list(folder.glob("*.jpg")))
        _common.say(f"{count} pictures: the network alone is timed, then the verb")
        bare = by_the_bare_network(folder, given.weights, count)
        verb = by_the_verb(folder, given.weights, scratch / "vectors.parquet")
    figure = "pictures a second of processor time"
    row = _common.at_least(figure, round(count / verb, 2), round(count / bare, 2), LEAST)
    _common.show(
        f"fullshot embed, {count} pictures, {given.weights}", [row], as_json=given.as_json, peer="network alone"
    )


if __name__ == "__main__":
    main()
