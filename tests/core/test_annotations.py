"""Which boxes count."""

from pathlib import Path
from typing import Any

import pytest

from fullshot.core import tables
from fullshot.core.annotations import CONSENSUS, WITHDRAWN, trusted_boxes
from fullshot.core.workspace import Workspace

IMAGE = "a" * 64


def workspace_of(folder: Path, states: list[dict[str, Any]], boxes: list[dict[str, Any]]) -> Workspace:
    """One picture with these states of annotations and boxes."""
    workspace = Workspace(folder)
    image = {"image_id": IMAGE, "product_id": "s:1", "path": "a.jpg", "width": 100, "height": 100, "bytes": 1}
    workspace.write("images", tables.frame("images", [image]))
    rows = [{"image_id": IMAGE, "revision": number, "boxes": 0, **state} for number, state in enumerate(states, 1)]
    workspace.write("annotations", tables.frame("annotations", rows))
    corners = {"x_min": 1, "y_min": 1, "x_max": 50, "y_max": 50}
    workspace.write("boxes", tables.frame("boxes", [{"image_id": IMAGE, **corners, **box} for box in boxes]))
    return workspace


DRAWN, EMPTY = {"verdict": "boxes", "annotation": 1}, {"verdict": "boxes", "annotation": 1}
HALF = {"verdict": "not_full_shot", "shot": "half", "annotation": 1}
SKIPPED = {"verdict": "skipped", "annotation": 1}
GONE = {**SKIPPED, "comment": WITHDRAWN}
SHOP, HUMAN = {"label": "foot", "source": "shop"}, {"label": "top", "source": "human", "revision": 1}


@pytest.mark.parametrize(
    ("states", "boxes", "expected"),
    [
        ([], [SHOP], ["foot"]),
        ([], [SHOP, HUMAN], ["top"]),
        ([DRAWN], [SHOP, HUMAN], ["top"]),
        # A person says that there is nothing, or no full shot: the shop does not know better.
        ([EMPTY], [SHOP], []),
        ([DRAWN, EMPTY], [SHOP, HUMAN], []),
        ([DRAWN, HALF], [SHOP, HUMAN], []),
        # They said nothing, or nothing any more.
        ([SKIPPED], [SHOP], ["foot"]),
        ([DRAWN, GONE], [SHOP, HUMAN], ["foot"]),
        # A revision may be a time; it says nothing of other sources.
        ([], [{**SHOP, "revision": 1_900_000_000_000}, HUMAN], ["top"]),
        ([], [SHOP, HUMAN, {**HUMAN, "label": "bottom", "revision": 1_900_000_000_000}], ["bottom"]),
        # Drawn by other means before; nobody knows when.
        ([DRAWN], [SHOP, {**HUMAN, "revision": None}], []),
    ],
)
def test_what_people_say_comes_first(
    tmp_path: Path, states: list[dict[str, Any]], boxes: list[dict[str, Any]], expected: list[str]
) -> None:
    workspace = workspace_of(tmp_path, states, boxes)
    assert trusted_boxes(workspace.open())["label"].tolist() == expected
    # Asked for by name, the shop's are there.
    assert trusted_boxes(workspace.open(), ["shop"])["label"].tolist() == ["foot"]


def test_annotations_of_two_projects_are_two(tmp_path: Path) -> None:
    states = [{**DRAWN, "project": "1 of then"}, {**GONE, "project": "1 of now"}]
    workspace = workspace_of(tmp_path, states, [HUMAN])
    assert workspace.open().frame("annotations_in_force")["revision"].tolist() == [1]


def test_what_was_agreed_on_comes_before_a_newer_voice(tmp_path: Path) -> None:
    agreed = {"verdict": "boxes", "annotator": CONSENSUS}
    workspace = workspace_of(tmp_path, [agreed, {**DRAWN, "annotator": "ada"}], [])
    assert workspace.open().frame("annotations_in_force")["annotator"].tolist() == [CONSENSUS]
