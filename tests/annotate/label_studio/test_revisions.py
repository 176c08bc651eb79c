"""What pulls bring is appended to the tables, beside what stands there."""

from pathlib import Path
from typing import Any

import pytest

from fullshot.annotate.label_studio import revisions
from fullshot.core import tables
from fullshot.core.dataset import Dataset
from fullshot.core.workspace import Workspace

IMAGE = "0" * 64


def annotation(revision: int) -> dict[str, Any]:
    return {"image_id": IMAGE, "revision": revision, "verdict": "boxes", "boxes": 1, "annotation": revision}


def box(revision: int) -> dict[str, Any]:
    corners = {"x_min": 1.0, "y_min": 2.0, "x_max": 3.0, "y_max": 4.0 + revision}
    return {"image_id": IMAGE, "label": "top", **corners, "source": "human", "revision": revision}


def test_a_persons_further_columns_stay(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for name, row in (("annotations", annotation(1)), ("boxes", box(1))):
        workspace.write(name, tables.frame(name, [row]).assign(mine="kept"))
    with workspace.open() as data:
        revisions.append(data, [annotation(2)], [box(2)])
    for name in ("annotations", "boxes"):
        written = workspace.read(name)
        assert written["revision"].tolist() == [1, 2]
        assert written["mine"].fillna("").tolist() == ["kept", ""]


def test_boxes_of_a_killed_pull_are_taken_out_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace(tmp_path)
    # A person's own box, of no annotation, stays.
    workspace.write("boxes", tables.frame("boxes", [box(3)]).assign(mine="kept"))
    write = Dataset.write

    def killed(data: Dataset, name: str, rows: Any) -> int:
        if name == "annotations":
            raise KeyboardInterrupt
        return write(data, name, rows)

    def pull(rows: int) -> None:
        with workspace.open() as data:
            earlier = revisions.EarlierRevisions(data, "1")
            earlier.look_up([IMAGE])
            numbers = [earlier.next_number(IMAGE) for _ in range(rows)]
            revisions.append(data, [annotation(number) for number in numbers], [box(number) for number in numbers])

    with monkeypatch.context() as patch:
        patch.setattr(Dataset, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            pull(2)
    assert workspace.read("boxes")["revision"].tolist() == [3, 4, 5]
    capsys.readouterr()
    pull(0)
    assert "boxes of no annotation that it left are taken out: 2" in capsys.readouterr().err
    left = workspace.read("boxes")
    assert (left["revision"].tolist(), left["mine"].tolist()) == ([3], ["kept"])
    pull(1)
    assert workspace.read("boxes")["revision"].tolist() == [3, 4]
    assert workspace.read("annotations")["revision"].tolist() == [4]
    pull(1)
    assert workspace.read("boxes")["revision"].tolist() == [3, 4, 5]
    assert capsys.readouterr().err == ""
