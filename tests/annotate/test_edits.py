"""How much of a machine's boxes a person changed."""

import pytest

from fullshot.annotate.edits import Edits, edits
from fullshot.core.boxes import Box

TOP, BOTTOM, FOOT = Box("top", 0, 0, 10, 10), Box("bottom", 0, 20, 10, 40), Box("foot", 50, 50, 60, 60)


@pytest.mark.parametrize(
    ("machine", "person", "expected"),
    [
        ([], [], Edits(None, 0, 0, 0)),
        ([TOP, BOTTOM], [BOTTOM, TOP], Edits(1.0, 0, 0, 0)),  # the order says nothing
        ([TOP], [TOP, FOOT, BOTTOM], Edits(1.0, 2, 0, 0)),
        ([TOP, FOOT, BOTTOM], [FOOT], Edits(1.0, 0, 2, 0)),
        ([TOP], [], Edits(None, 0, 1, 0)),
        ([], [TOP], Edits(None, 1, 0, 0)),
        ([TOP, BOTTOM], [TOP, Box("long", 0, 20, 10, 40)], Edits(1.0, 0, 0, 1)),
        # Moved so that half is shared (IoU): the same box still.
        ([TOP], [Box("top", 0, 0, 10, 5)], Edits(0.5, 0, 0, 0)),
        ([TOP], [Box("top", 0, 0, 10, 4.9)], Edits(None, 1, 1, 0)),
        (
            [TOP, BOTTOM, FOOT],
            [Box("top", 0, 0, 10, 8), Box("long", 0, 20, 10, 40), Box("foot", 0, 50, 10, 60)],
            Edits(0.9, 1, 1, 1),
        ),
    ],
)
def test_what_a_person_changed(machine: list[Box], person: list[Box], expected: Edits) -> None:
    changes = edits(machine, person)
    assert changes.mean_iou == (None if expected.mean_iou is None else pytest.approx(expected.mean_iou))
    assert (changes.added, changes.deleted, changes.relabelled) == (
        expected.added,
        expected.deleted,
        expected.relabelled,
    )


def test_changes_are_cells_of_the_table_of_annotations() -> None:
    assert edits([TOP], [FOOT]).columns == {"mean_iou": None, "added": 1, "deleted": 1, "relabelled": 0}
