"""What the data lacks that a detector is to learn from: counted and said before it is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fullshot.core.dataset import Dataset
from fullshot.core.errors import UserError
from fullshot.core.progress import say
from fullshot.core.tables.schemas import SPLITS
from fullshot.train.detector.data import CHOSEN

LEAST_BOXES = 20
"""Of a label, in the split train. With fewer it has hardly been seen, and what is measured of it is chance."""

# The boxes are counted first: of pictures there are more, and they stream by.
_ON_PICTURES = """
SELECT coalesce(sum(boxes), 0) FROM (
    SELECT DISTINCT image_id, boxes FROM images
    JOIN (SELECT image_id, count(*) AS boxes FROM boxes GROUP BY image_id) AS counted USING (image_id)
)
"""
_OUTSIDE = """
SELECT count(*) FROM (SELECT DISTINCT image_id, width, height FROM images) AS sizes JOIN boxes USING (image_id)
WHERE source <> 'model' AND (x_max <= 0 OR y_max <= 0 OR x_min >= width OR y_min >= height)
"""
_WITHOUT_BOX = f"""
SELECT split, count(*), count(*) FILTER (full_shot) FROM kept
ANTI JOIN (SELECT DISTINCT image_id FROM {CHOSEN}) AS chosen USING (image_id)
WHERE split IS NOT NULL GROUP BY split
"""
_ONE_BOX = """
SELECT count(*) > 0 AND max(boxes) = 1 FROM (
    SELECT count(*) AS boxes FROM trusted_boxes WHERE split = 'train' GROUP BY image_id
)
"""


@dataclass(frozen=True)
class DataCheck:
    """What boxes and pictures have nothing of each other.

    Attributes:
        boxes_without_picture: boxes on pictures that ``images`` does not have.
        boxes_outside: boxes that lie beside their picture, of which nothing is left in it.
        without_box: by split, how many pictures that were not rejected have no box to learn from.
        full_shots: how many of all those are full shots.
        has_one_box_each: whether no picture of the split train has more than one box, whatever its label.
    """

    boxes_without_picture: int
    boxes_outside: int
    without_box: Mapping[str, int]
    full_shots: int
    has_one_box_each: bool

    def without(self, unlabelled: int) -> "DataCheck":
        """The same without so many full shots of the split train, which a teacher looks at."""
        counts = {**self.without_box, "train": self.without_box.get("train", 0) - unlabelled}
        kept = {split: number for split, number in counts.items() if number}
        return replace(self, without_box=kept, full_shots=self.full_shots - unlabelled)


def check_data(data: Dataset) -> DataCheck:
    """Count them.

    Args:
        data: with the tables that :func:`fullshot.train.detector.data.choose_boxes` made.
    """
    ((boxes,),) = data.rows("SELECT count(*) FROM boxes")
    ((on_pictures,),) = data.rows(_ON_PICTURES)
    ((outside,),) = data.rows(_OUTSIDE)
    found = {split: (pictures, full_shots) for split, pictures, full_shots in data.rows(_WITHOUT_BOX)}
    ((has_one,),) = data.rows(_ONE_BOX)
    return DataCheck(
        boxes_without_picture=boxes - int(on_pictures),
        boxes_outside=outside,
        without_box={split: found[split][0] for split in SPLITS if split in found},
        full_shots=sum(full_shots for _, full_shots in found.values()),
        has_one_box_each=bool(has_one),
    )


def say_what_lacks(
    stage: str, check: DataCheck, counts: Mapping[str, Mapping[str, int]], labels: Sequence[str]
) -> None:
    """Say on stderr what was found, a line each; where nothing lacks, nothing is said.

    Args:
        stage: ``train detector``.
        check: see :func:`check_data`.
        counts: see :func:`fullshot.train.detector.data.counts`.
        labels: that the detector is to tell apart.
    """
    if check.boxes_without_picture:
        say(f"{stage}: {check.boxes_without_picture} boxes on pictures that images.csv does not have are left out")
    if check.boxes_outside:
        say(f"{stage}: {check.boxes_outside} boxes that lie outside of their pictures are left out")
    if check.without_box:
        by_split = ", ".join(f"{split} {number}" for split, number in check.without_box.items())
        say(
            f"{stage}: {sum(check.without_box.values())} pictures without a box are left out ({by_split}), "
            f"{check.full_shots} of them full shots"
        )
    few = [f"{label} {counts['train'][label]}" for label in labels if counts["train"][label] < LEAST_BOXES]
    if few:
        say(
            f"{stage}: few boxes in the split train, of at least {LEAST_BOXES} that a label wants: {', '.join(few)}; "
            "detector.labels leaves labels out"
        )


def refuse_unlearnt(root: Path, counts: Mapping[str, Mapping[str, int]], labels: Sequence[str]) -> None:
    """Refuse labels that a detector would be tested on, and could not learn.

    Args:
        root: of the workspace.
        counts: see :func:`fullshot.train.detector.data.counts`.
        labels: that the detector is to tell apart.

    Raises:
        UserError: the split test has boxes of a label, and train has none.
    """
    unlearnt = [label for label in labels if counts["test"][label] and not counts["train"][label]]
    if unlearnt:
        there = ", ".join(f"{label} {counts['test'][label]}" for label in unlearnt)
        others = " ".join(label for label in labels if label not in unlearnt)
        raise UserError(
            f"no box of {', '.join(unlearnt)} to learn from in {root}: expected some in the split train, got some in "
            f"test alone ({there}); annotate more pictures, or leave it out by detector.labels = {others!r}"
        )
