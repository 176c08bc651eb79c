"""How well an export finds what the network finds that it was made of."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fullshot.core.boxes import Box, Picture, iou, matched
from fullshot.core.interfaces import Detector
from fullshot.train.detector.exporting.samples import Samples, read
from fullshot.train.detector.metrics import average_precision

LEAST_OVERLAP = 0.99
"""IoU from which two boxes are the same."""

_DIGITS = 4
_TIMED = 20
"""Pictures whose time is taken; the first of them warms up."""


@dataclass
class Findings:
    """What detectors found in the same pictures.

    Attributes:
        numbers: of the pictures that could be read, among the samples.
        sizes: width and height of each, in pixels.
        boxes: by a detector's place, each picture's boxes.
        seconds: by a detector's place, what a picture took.
        unreadable: files that could not be read.
    """

    numbers: list[int] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    boxes: list[list[list[Box]]] = field(default_factory=list)
    seconds: list[list[float]] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


def look(detectors: Sequence[Detector], samples: Samples, timed: Sequence[Detector]) -> Findings:
    """Let detectors look at the same pictures, in turns.

    Args:
        detectors: with a confidence that average precision is measured from.
        samples: the pictures.
        timed: the same detectors with the confidence that they are used with: what is timed.
    """
    found = Findings(boxes=[[] for _ in detectors], seconds=[[] for _ in detectors])
    for number, picture in read(samples.measured, "measuring", found.unreadable.append):
        found.numbers.append(number)
        found.sizes.append((picture.shape[1], picture.shape[0]))
        for place, detector in enumerate(detectors):
            found.boxes[place] += detector.predict([picture])
        if len(found.numbers) <= _TIMED:
            for place, detector in enumerate(timed):
                found.seconds[place].append(_seconds(detector, picture))
    return found


def _seconds(detector: Detector, picture: Picture) -> float:
    began = time.perf_counter()
    detector.predict([picture])
    return time.perf_counter() - began


def milliseconds(seconds: Sequence[float]) -> float:
    """Of a picture: the median, without the first, which warms up."""
    return round(1000 * statistics.median(seconds[1:] or seconds), 1)


def agreement(ours: Sequence[Sequence[Box]], theirs: Sequence[Sequence[Box]], least: float) -> dict[str, Any]:
    """How many boxes are the same, matched one to one within each picture.

    Args:
        ours: each picture's boxes, with scores.
        theirs: those of another detector in the same pictures.
        least: the least score of a box that counts.

    Returns:
        ``boxes`` (theirs), ``same``, and ``share``: the same of whichever found more; 1.0 where neither found any.
    """
    same = own = other = 0
    for first, second in zip(ours, theirs, strict=True):
        for label in {box.label for box in (*first, *second)}:
            a, b = (
                [box.corners for box in boxes if box.label == label and (box.score or 0) >= least]
                for boxes in (first, second)
            )
            own, other = own + len(a), other + len(b)
            same += len(matched(iou(a, b), LEAST_OVERLAP)) if a and b else 0
    return {"boxes": other, "same": same, "share": round(same / max(own, other), _DIGITS) if own or other else 1.0}


def precision(
    labels: Sequence[str], found: Findings, place: int, expected: Sequence[Sequence[Box]]
) -> dict[str, float]:
    """``map50`` and ``map50_95`` of what a detector found.

    Args:
        labels: that are told apart.
        found: the boxes.
        place: of the detector.
        expected: each picture's boxes.
    """
    figures = average_precision(labels, expected, found.boxes[place], found.sizes)
    return {name: figures[name] for name in ("map50", "map50_95")}
