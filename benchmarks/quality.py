"""What is found of defects planted on pictures, and how many clean pictures are taken for defective.

    python -m benchmarks.quality --pictures FOLDER…

Each defect is planted on the same pictures and saved as JPEG, then measured and judged by the settings' defaults. The
peer is cleanvision where it has a rule: blurry, low information, odd aspect ratio, by its own functions and thresholds
("not installed" where it cannot be imported). False positives are told of the pictures as they are: look at those
before they are called false. What is planted is clear to the eye; marks laid all over are the weakest check.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from benchmarks import _common
from benchmarks._common import Row
from fullshot.core.boxes import Picture
from fullshot.core.settings import load
from fullshot.curation import read_for_features
from fullshot.curation.quality.checks import find_issues, measure, quality_checks

LONGEST = 1000
RECALL, FALSE, MILLISECONDS = 0.95, 0.005, 2.0
NOT_INSTALLED = "not installed"

Plant = Callable[[Sequence[Picture], random.Random], Picture]

_CLEANVISION = {
    # name of ours: (class of theirs, issue type, threshold, arguments), from its ImagePropertyIssueManager
    "blurred": ("BlurrinessProperty", "blurry", 0.29, {"normalizing_factor": 0.01, "color_threshold": 0.18}),
    "blank": ("EntropyProperty", "low_information", 0.3, {"normalizing_factor": 0.1}),
    "strip": ("AspectRatioProperty", "odd_aspect_ratio", 0.35, {}),
}


def gaussian(pictures: Sequence[Picture], _: random.Random) -> Picture:
    """Out of focus by 1/150 of the longer side."""
    return np.asarray(cv2.GaussianBlur(pictures[0], (0, 0), max(pictures[0].shape) / 150), np.uint8)


def moved(pictures: Sequence[Picture], dice: random.Random) -> Picture:
    """Moved by 1/40 of the longer side, across, down or aslant."""
    length = max(3, max(pictures[0].shape) // 40) | 1
    kernel = np.eye(length, dtype=np.float32)
    way = dice.choice(("across", "down", "aslant"))
    if way != "aslant":
        kernel[:] = 0
        kernel[length // 2] = 1
    kernel = kernel.T if way == "down" else kernel
    return np.asarray(cv2.filter2D(pictures[0], -1, kernel / kernel.sum()), np.uint8)


def empty(pictures: Sequence[Picture], dice: random.Random) -> Picture:
    """One colour that grows darker downwards, and noise."""
    height, width = pictures[0].shape[:2]
    noise = np.random.default_rng(dice.randrange(2**32)).normal(0, dice.uniform(1, 5), (height, width, 3))
    slope = np.linspace(0, dice.uniform(0, 40), height)[:, None, None]
    return np.clip(dice.uniform(40, 250) - slope + noise, 0, 255).astype(np.uint8)


def marked(pictures: Sequence[Picture], dice: random.Random) -> Picture:
    """Half-transparent words laid all over, level or aslant."""
    height, width = pictures[0].shape[:2]
    longest = max(height, width)
    scale, font = longest * dice.uniform(0.0009, 0.0016), cv2.FONT_HERSHEY_SIMPLEX
    words, thickness = dice.choice(("(c) shop.example", "SAMPLE", "DO NOT COPY")), max(1, round(2 * scale))
    (long, high), _ = cv2.getTextSize(words, font, scale, thickness)
    right, down = int(long * dice.uniform(1.15, 1.5)), int(high * dice.uniform(3, 6))
    side = int(1.6 * longest)
    layer = np.zeros((side, side), np.uint8)
    for row, y in enumerate(range(high, side, down)):
        for x in range(-(row % 2) * right // 2, side, right):
            cv2.putText(layer, words, (x, y), font, scale, 255, thickness, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), dice.choice((-45, -30, 0, 30, 45)), 1)
    turned = cv2.warpAffine(layer, turn, (side, side))
    top, left = (side - height) // 2, (side - width) // 2
    share = turned[top : top + height, left : left + width, None] / 255 * dice.uniform(0.3, 0.6)
    shade = 110 if pictures[0].mean() > 128 else 255
    return (pictures[0] * (1 - share) + shade * share).astype(np.uint8)


def tiles(rows: int, columns: int, gutter: int) -> Plant:
    """Several pictures in one, with so many white pixels between."""

    def plant(pictures: Sequence[Picture], _: random.Random) -> Picture:
        height, width = (max(1, side // max(rows, columns)) for side in pictures[0].shape[:2])
        shape = (rows * (height + gutter) - gutter, columns * (width + gutter) - gutter, 3)
        whole = np.full(shape, 255, np.uint8)
        for number in range(rows * columns):
            top, left = number // columns * (height + gutter), number % columns * (width + gutter)
            tile = cv2.resize(pictures[number], (width, height), interpolation=cv2.INTER_AREA)
            whole[top : top + height, left : left + width] = tile
        return whole

    return plant


def strip(pictures: Sequence[Picture], _: random.Random) -> Picture:
    """A fifth of the height: shops' banners look so."""
    return pictures[0][: max(1, pictures[0].shape[1] // 5)]


PLANTS: dict[str, tuple[str, Plant]] = {
    "out of focus": ("blurred", gaussian),
    "moved": ("blurred", moved),
    "empty frame": ("blank", empty),
    "five times as wide as high": ("strip", strip),
    "words all over": ("watermark", marked),
    "two side by side": ("collage", tiles(1, 2, 0)),
    "two side by side, gutter": ("collage", tiles(1, 2, 8)),
    "one above the other": ("collage", tiles(2, 1, 0)),
    "three side by side, gutter": ("collage", tiles(1, 3, 8)),
    "two by two": ("collage", tiles(2, 2, 0)),
}


def opened(path: Path) -> Picture:
    """A picture to plant a defect on: RGB, at most :data:`LONGEST` pixels."""
    with Image.open(path) as image:
        image.draft("RGB", (LONGEST, LONGEST))
        whole = image.convert("RGB")
    whole.thumbnail((LONGEST, LONGEST))
    return np.asarray(whole)


def saved(picture: Picture, path: Path) -> Path:
    """Where the same lies as JPEG."""
    Image.fromarray(picture).save(path, "JPEG", quality=85)
    return path


def looked_at(paths: Iterable[Path]) -> tuple[pd.DataFrame, float]:
    """Issues and the peer's verdicts, a column each, of every picture; and milliseconds a picture, ours."""
    rows, verdicts, seconds = [], [], 0.0
    for path in paths:
        picture = read_for_features(path)
        started = time.perf_counter()
        found = measure(picture.pixels)
        seconds += time.perf_counter() - started
        rows.append({"width": picture.width, "height": picture.height, "products": 1, **found})
        verdicts.append(peer(Image.fromarray(picture.pixels)))
    frame = pd.DataFrame(rows)
    told = find_issues(frame, load().curate).fillna("").str.split()
    names = [check.name for check in quality_checks()]
    ours = pd.DataFrame({name: told.map(lambda names, name=name: name in names) for name in names})
    return ours.join(pd.DataFrame(verdicts).add_prefix("peer ")), 1000 * seconds / max(1, len(rows))


def peer(image: Image.Image) -> dict[str, bool]:
    """What cleanvision says of a picture, under our names; nothing where it is not installed."""
    if find_spec("cleanvision") is None:
        return {}
    theirs = import_module("cleanvision.issue_managers.image_property")
    found = {}
    for name, (kind, issue, threshold, arguments) in _CLEANVISION.items():
        rule = getattr(theirs, kind)()
        scores = rule.get_scores(pd.DataFrame([rule.calculate(image)]), issue, **arguments)
        found[name] = bool(rule.mark_issue(scores, issue, threshold).iloc[0, 0])
    return found


def compared(figure: str, name: str, frame: pd.DataFrame, *, expected: str, reached: Callable[[float], bool]) -> Row:
    """A line on the share of pictures that have an issue."""
    share = float(frame[name].mean())
    theirs = float(frame[f"peer {name}"].mean()) if f"peer {name}" in frame else None
    missing = NOT_INSTALLED if name in _CLEANVISION else None
    return Row(figure, share, missing if theirs is None else theirs, None, expected, reached(share))


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--pictures", type=Path, nargs="+", required=True, help="folders of clean pictures")
    parser.add_argument("--most", type=int, default=300, help="pictures a folder that defects are planted on, by lot")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    rows: list[Row] = []
    for folder in given.pictures:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
        if len(paths) < 4:  # as many as the largest collage has
            raise SystemExit(f"expected at least 4 pictures in {folder}, found {len(paths)}")
        _common.say(f"{folder}: {len(paths)} pictures as they are")
        clean, milliseconds = looked_at(paths)
        where = f"{folder.parent.name}/{folder.name}"
        rows.append(
            Row(f"{where}: ms a picture", milliseconds, None, None, f"≤ {MILLISECONDS}", milliseconds <= MILLISECONDS)
        )
        for name in (check.name for check in quality_checks()):
            figure = f"{where}: called {name}, of {len(paths)} as they are"
            rows.append(compared(figure, name, clean, expected=f"≤ {FALSE}", reached=lambda share: share <= FALSE))
        for what, (name, plant) in PLANTS.items():
            _common.say(f"{folder}: {what}")
            dice = random.Random(what)  # the same plants in every run
            chosen = [dice.sample(paths, 4) for _ in range(min(given.most, len(paths)))]
            with tempfile.TemporaryDirectory() as scratch:
                file = Path(scratch, "planted.jpg")
                found, _ = looked_at(saved(plant([opened(path) for path in four], dice), file) for four in chosen)
            figure = f"{where}: {what}, called {name}"
            rows.append(compared(figure, name, found, expected=f"≥ {RECALL}", reached=lambda share: share >= RECALL))
    _common.show("Picture quality", rows, as_json=given.as_json, peer="cleanvision")


if __name__ == "__main__":
    main()
