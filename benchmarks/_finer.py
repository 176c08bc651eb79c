"""A detector that learns finer labels than it is asked for, such as blouse and coat, and says top for both.

A box gets the label of the finer box that it overlaps most, and keeps its own where none does. What is found is told by
the coarse label that a finer one stands for most often; of two boxes of it that overlap, the surer one counts.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import _detecting
from fullshot.core import settings
from fullshot.core.boxes import Box, Picture, iou, matched
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace
from fullshot.train.detector import DetectionData, DetectionPicture, Detector
from fullshot.train.detector.evaluation import LEAST_SCORE
from fullshot.train.detector.families import trainer_for

_SAME = 0.7
"""Overlap (IoU) from which a finer box is the same garment."""

_LEAST = 20
"""Boxes that a finer label needs; of rarer ones nothing is learnt."""

_MAX_OVERLAP = 0.6


def finer_pictures(
    pictures: Sequence[DetectionPicture], finer: Mapping[str, Sequence[Box]]
) -> tuple[list[DetectionPicture], dict[str, str]]:
    """Pictures whose boxes have finer labels; and by each label the coarse one that it stands for.

    Args:
        pictures: with coarse labels.
        finer: by ``image_id``, boxes with finer labels.
    """
    named = {picture.image_id: _names(picture.boxes, finer.get(picture.image_id, ())) for picture in pictures}
    stands_for: dict[str, Counter[str]] = defaultdict(Counter)
    for picture in pictures:
        for box, name in zip(picture.boxes, named[picture.image_id], strict=True):
            stands_for[name][box.label] += 1
    known = {name for name, counts in stands_for.items() if counts.total() >= _LEAST}
    coarse = {name: stands_for[name].most_common(1)[0][0] for name in sorted(known)} | {name: name for name in GARMENTS}
    found = [
        replace(
            picture,
            boxes=tuple(
                replace(box, label=name if name in known and coarse[name] == box.label else box.label)
                for box, name in zip(picture.boxes, named[picture.image_id], strict=True)
            ),
        )
        for picture in pictures
    ]
    return found, coarse


def _names(boxes: Sequence[Box], finer: Sequence[Box]) -> list[str]:
    """The finer label of each box; its own where no finer one is about the same garment."""
    names = [box.label for box in boxes]
    overlaps = iou([box.corners for box in boxes], [box.corners for box in finer])
    for row, column in matched(overlaps, _SAME):
        names[row] = finer[column].label
    return names


class Coarse:
    """A detector whose boxes are told by coarse labels; see :class:`fullshot.core.interfaces.Detector`.

    Args:
        detector: tells finer ones apart.
        coarse: by each of them the coarse one.
    """

    labels = tuple(map(str, GARMENTS))

    def __init__(self, detector: Detector, coarse: Mapping[str, str]) -> None:
        self._detector, self._coarse = detector, coarse
        self.digest, self.image_size = detector.digest, detector.image_size

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """See :meth:`fullshot.core.interfaces.Detector.predict`."""
        return [self._told(boxes) for boxes in self._detector.predict(pictures)]

    def _told(self, boxes: Sequence[Box]) -> list[Box]:
        told: list[Box] = []
        for box in boxes:  # the best come first
            one = replace(box, label=self._coarse[box.label])
            others = [other.corners for other in told if other.label == one.label]
            if not others or iou([one.corners], others).max() < _MAX_OVERLAP:
                told.append(one)
        return told


def read_finer(workspace: Workspace, file: Path) -> dict[str, list[Box]]:
    """The boxes of a COCO file with labels of its own, by the ``image_id`` of the pictures of the same name."""
    content = json.loads(file.read_text("utf-8"))
    names = {row["id"]: row["name"] for row in content["categories"]}
    images = workspace.read("images")
    ids = {Path(str(url)).name: str(identity) for url, identity in zip(images["url"], images["image_id"], strict=True)}
    pictures = {row["id"]: ids[row["file_name"]] for row in content["images"] if row["file_name"] in ids}
    found: dict[str, list[Box]] = defaultdict(list)
    for row in content["annotations"]:
        x, y, width, height = row["bbox"]
        found[pictures[row["image_id"]]].append(Box(names[row["category_id"]], x, y, x + width, y + height))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Train, and print what was measured on the test as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("finer", type=Path, help="boxes with finer labels on the same pictures, a COCO file")
    parser.add_argument("run", type=Path, help="folder of the run; it goes on where it was stopped")
    given = parser.parse_args(arguments)
    workspace = Workspace(given.workspace)
    section = settings.load().detector.model_copy(update={"confidence": LEAST_SCORE})
    data = _detecting.data_of(workspace)
    pictures = [picture for split in ("train", "val") for picture in data.splits[split]]
    finer, coarse = finer_pictures(pictures, read_finer(workspace, given.finer))
    count = len(data.splits["train"])
    learnt = DetectionData(tuple(coarse), {"train": finer[:count], "val": finer[count:]})
    given.run.mkdir(parents=True, exist_ok=True)
    trainer = trainer_for(section)
    fitted = trainer.fit(learnt, given.run, lambda done, total, note="": None)
    detector = Coarse(trainer.load(given.run), coarse)
    told = {
        "labels": len(coarse),
        "megabytes": trainer.weights(given.run).stat().st_size / 1e6,
        "milliseconds": _detecting.milliseconds(detector, [picture.path for picture in data.splits["test"]]),
    }
    print(json.dumps({**fitted, **told, **_detecting.found(detector, data)}))


if __name__ == "__main__":
    main()
