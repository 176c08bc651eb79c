"""How much a person changed of the boxes that a machine drew."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from fullshot.core.boxes import Box, iou, matched

SAME = 0.5
"""The least intersection over union of a box before and after: as mAP@0.5 has it."""


@dataclass(frozen=True)
class Edits:
    """Changes of one picture's boxes.

    Attributes:
        mean_iou: of the machine's boxes that stayed with what became of them; None where none did.
        added: boxes that the machine did not draw.
        deleted: boxes of the machine's that are gone.
        relabelled: boxes that stayed and are called something else.
    """

    mean_iou: float | None
    added: int
    deleted: int
    relabelled: int

    @property
    def columns(self) -> dict[str, float | int | None]:
        """As cells of ``annotations``."""
        return asdict(self)


def edits(machine: Sequence[Box], person: Sequence[Box]) -> Edits:
    """What a person changed.

    Args:
        machine: the boxes before.
        person: the boxes after.
    """
    overlaps = iou([box.corners for box in machine], [box.corners for box in person])
    pairs = matched(overlaps, SAME)
    return Edits(
        mean_iou=sum(float(overlaps[pair]) for pair in pairs) / len(pairs) if pairs else None,
        added=len(person) - len(pairs),
        deleted=len(machine) - len(pairs),
        relabelled=sum(machine[row].label != person[column].label for row, column in pairs),
    )
