"""What annotators say of shots becomes people's overrides."""

from typing import Any

import pandas as pd
import pytest

from fullshot.annotate.label_studio import overrides
from fullshot.core import tables
from fullshot.core.annotations import CONSENSUS, WITHDRAWN
from fullshot.core.workspace import Workspace
from tests.annotate.conftest import Make


def update_overrides(workspace: Workspace, fresh: set[str]) -> int:
    with workspace.open() as data:
        return overrides.update_overrides(data, fresh)


# Who, what they say of the shot (boxes: that it is full), and the comment.
Said = tuple[str, str, str | None]


def annotate(workspace: Workspace, *said: Said) -> str:
    """Annotations of the first picture, one after the other; each annotator has one in Label Studio."""
    identity = str(workspace.read("images")["image_id"].iloc[0])
    numbers = {who: number for number, who in enumerate(dict.fromkeys(who for who, *_ in said), 1)}
    rows: list[dict[str, Any]] = [
        {
            "image_id": identity,
            "revision": revision,
            "annotator": who,
            "verdict": {"full": "boxes", "skipped": "skipped"}.get(shot, "not_full_shot"),
            "shot": None if shot in ("full", "skipped") else shot,
            "boxes": 0,
            "comment": comment,
            "annotation": None if who == CONSENSUS else numbers[who],
            "project": "1",
            "updated_at": f"2026-01-01T00:00:{revision:02d}Z",
        }
        for revision, (who, shot, comment) in enumerate(said, 1)
    ]
    workspace.write("annotations", tables.frame("annotations", rows))
    return identity


@pytest.mark.parametrize(
    ("said", "shot"),
    [
        ([("ada", "half", None)], "half"),
        ([("ada", "half", None), ("bob", "half", None)], "half"),
        ([("ada", "half", None), ("bob", "full", None)], "unclear"),
        ([("ada", "full", None), ("bob", "item", None)], "unclear"),
        ([("ada", "half", None), ("bob", "item", None)], "unclear"),
        # More than half decide, whoever was the last.
        ([("ada", "half", None), ("bob", "half", None), ("cyd", "item", None)], "half"),
        ([("ada", "half", None), ("bob", "half", None), ("cyd", "item", None), ("dan", "item", None)], "unclear"),
        # Who changed their mind, skipped or took back what they said counts no more.
        ([("ada", "item", None), ("bob", "half", None), ("ada", "half", None)], "half"),
        ([("ada", "item", None), ("bob", "half", None), ("bob", "skipped", WITHDRAWN)], "item"),
        ([("ada", "half", None), ("bob", "skipped", None)], "half"),
        # What several agreed on is nobody's word of its own.
        ([("ada", "half", None), ("bob", "full", None), (CONSENSUS, "full", None)], "unclear"),
    ],
)
def test_where_annotators_differ_a_picture_is_unclear(make: Make, said: list[Said], shot: str) -> None:
    workspace = make(1, shot="unclear")
    identity = annotate(workspace, *said)
    assert update_overrides(workspace, {identity}) == 1
    assert workspace.read("verdicts").set_index("image_id")["shot"].to_dict() == {identity: shot}
    assert update_overrides(workspace, set()) == 0


def test_an_override_by_hand_outweighs_what_annotators_differed_on_before(make: Make) -> None:
    workspace = make(1)
    identity = annotate(workspace, ("ada", "half", None), ("bob", "item", None))
    workspace.table("verdicts").write_text(f"image_id,shot\n{identity},full\n", encoding="utf-8")
    assert update_overrides(workspace, set()) == 0
    assert update_overrides(workspace, {identity}) == 1
    assert workspace.read("verdicts")["shot"].tolist() == ["unclear"]


def test_what_else_a_person_wrote_into_verdicts_stays(make: Make) -> None:
    workspace = make(2)
    identity = annotate(workspace, ("ada", "half", None))
    other = str(workspace.read("images")["image_id"].iloc[1])
    lines = f"image_id,shot,note,seen by\n{other},item,,eve\n{identity},,blurred,bob\n"
    workspace.table("verdicts").write_text(lines, encoding="utf-8")
    assert update_overrides(workspace, {identity}) == 1
    written = workspace.read("verdicts").set_index("image_id")
    assert written["shot"].to_dict() == {other: "item", identity: "half"}
    assert written["seen by"].to_dict() == {other: "eve", identity: "bob"}
    annotate(workspace, ("ada", "half", None), ("ada", "skipped", WITHDRAWN))
    assert update_overrides(workspace, {identity}) == 1
    left = workspace.read("verdicts").set_index("image_id").loc[identity]
    assert (left["note"], left["seen by"]) == ("blurred", "bob")
    assert pd.isna(left["shot"])
