"""What pulls bring is appended to the tables, beside what stands there."""

from pathlib import Path
from typing import Any

from fullshot.annotate.label_studio import revisions
from fullshot.core import tables
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
