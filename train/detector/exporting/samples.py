"""Pictures that an export is calibrated with and measured on: of a workspace, or photos that somebody names."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fullshot.core.boxes import Box, Picture
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.files import digest
from fullshot.core.pictures import NotAnImage, read_rgb
from fullshot.core.progress import bar, say_unreadable
from fullshot.core.workspace import Workspace
from fullshot.train.detector.photos import Photos

MOST_MEASURED = 200
"""Pictures that an export is measured on."""

MOST_CALIBRATED = 64
"""Pictures that 8-bit numbers are calibrated with."""

PHOTOS = "photos"
"""In the place of a split's name."""


@dataclass(frozen=True)
class Samples:
    """Pictures by their files.

    Attributes:
        measured_on: the name of the split, or :data:`PHOTOS`.
        measured: files to measure on.
        expected: the boxes of each; empty: nobody drew any, and what the network itself finds is expected.
        calibrated: files to calibrate with.
        left_out: how many more there are to measure on.
        unreadable: how many cannot be read, of those that were looked at to choose them.
    """

    measured_on: str
    measured: Sequence[Path]
    expected: Sequence[Sequence[Box]]
    calibrated: Sequence[Path]
    left_out: int
    unreadable: int = 0


def of_photos(places: Sequence[Path]) -> Samples:
    """Every second photo to measure on, the others to calibrate with.

    Raises:
        UserError: there is none, or no such file.
    """
    files = [photo.path for photo in Photos(places)]
    if not files:
        raise UserError(f"expected photos to measure on, got none in {', '.join(map(str, places))}")
    measured, others = files[::2], files[1::2] or files
    return Samples(
        PHOTOS, measured[:MOST_MEASURED], (), others[:MOST_CALIBRATED], max(0, len(measured) - MOST_MEASURED)
    )


def of_workspace(workspace: Workspace, labels: Sequence[str], stage: str) -> Samples:
    """Pictures of the split val with boxes that people drew; of test or train where val has none.

    Args:
        workspace: with its tables.
        labels: that the detector tells apart.
        stage: for a line on pictures that cannot be read.

    Raises:
        UserError: no picture of any split has such boxes.
    """
    from fullshot.train.detector.data import WANTED, choose_boxes, read_data

    with workspace.open(WANTED) as data:
        boxes = choose_boxes(data, labels)
    pictures, _, unreadable = read_data(workspace, boxes, labels)
    say_unreadable(stage, unreadable)
    split = next((name for name in ("val", "test", "train") if name in pictures.splits), None)
    if split is None:
        raise UserError(f"no picture in {workspace.root} has boxes that someone drew: name photos by --photos")
    its, learnt_from = pictures.splits[split], pictures.splits.get("train", pictures.splits[split])
    measured = its[:MOST_MEASURED]
    return Samples(
        split,
        [picture.path for picture in measured],
        [picture.boxes for picture in measured],
        [picture.path for picture in learnt_from[:MOST_CALIBRATED]],
        len(its) - len(measured),
        len(unreadable),
    )


def digests(samples: Samples) -> str:
    """What tells these samples from others."""
    return ",".join(digest(path)[:16] for path in (*samples.measured, *samples.calibrated))


def read(files: Sequence[Path], what: str, unreadable: Callable[[Path], None]) -> Iterator[tuple[int, Picture]]:
    """The pictures of files, each with its number; one at a time is in memory, and how far it is can be seen.

    Args:
        files: to be read upright.
        what: is done with them, in a word or two.
        unreadable: is told of each file that cannot be read.

    Raises:
        StageFailed: none can.
    """
    seen = 0
    with bar(f"export detector: {what}", "pictures") as advance:
        for number, path in enumerate(files):
            advance(number, len(files))
            try:
                picture = read_rgb(path, upright=True)
            except (NotAnImage, OSError):
                unreadable(path)
                continue
            seen += 1
            yield number, picture
        advance(len(files), len(files))
    if not seen:
        raise StageFailed(f"none of {len(files)} pictures can be read, such as {files[0]}")
