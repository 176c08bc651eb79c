"""Bring what annotators drew and said back into the workspace."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from fullshot.annotate import consensus
from fullshot.annotate.consensus import Vote
from fullshot.annotate.edits import Edits, edits
from fullshot.annotate.label_studio import project as projects
from fullshot.annotate.label_studio import regions, tasks
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.overrides import update_overrides
from fullshot.annotate.label_studio.project import NOT_FULL
from fullshot.annotate.label_studio.regions import COMMENT, SHOT, Region
from fullshot.core import tables
from fullshot.core.annotations import CONSENSUS, WITHDRAWN
from fullshot.core.boxes import Box, iou
from fullshot.core.clock import now
from fullshot.core.geometry import ImageGeometry
from fullshot.core.progress import bar
from fullshot.core.settings import AnnotateSettings, Settings
from fullshot.core.taxonomy import GARMENTS
from fullshot.core.workspace import Workspace

_CORNERS = ["x_min", "y_min", "x_max", "y_max"]

_LISTED = 50
"""Mistakes that are told one by one; their number is told in full."""


@dataclass
class _Pulled:
    """What a pull brings: rows for the tables, and what is to be told; ``people`` are the users' addresses."""

    project: str
    people: Mapping[int, str]
    annotations: list[dict[str, Any]] = field(default_factory=list)
    boxes: list[dict[str, Any]] = field(default_factory=list)
    count: "Counter[str]" = field(default_factory=Counter)
    mistakes: list[dict[str, str]] = field(default_factory=list)


def pull(workspace: Workspace, settings: Settings, client: Client) -> dict[str, Any]:
    """Bring annotations into ``annotations`` and ``boxes``, and verdicts into ``verdicts``.

    Every state of an annotation that was pulled stays, by its ``revision``; the newest of a picture counts (see
    :func:`annotations.in_force`). Whoever says "not a full shot" changes the verdict on the picture, and so
    does whoever draws boxes on a picture of which the rule was not sure.

    Args:
        workspace: whose pictures are in the project.
        settings: its section ``annotate``.
        client: of the Label Studio.

    Returns:
        ``tasks`` looked at, ``annotated`` of them; ``revisions`` that are new, ``boxes`` in them, ``skipped``,
        ``not_full_shot``, ``withdrawn``; ``clipped``, ``rotated`` boxes brought into the picture or upright;
        ``mistakes``, boxes left out or to be looked at, each with a link to its task; ``verdicts`` changed.

    Raises:
        UserError: there is no such project.
    """
    inputs = [workspace.table(name) for name in ("images", "annotations", "boxes", "verdicts")]
    with workspace.stage("annotate pull", settings, inputs) as stats:
        found = projects.find(client, settings.annotate.project)
        project, key, expected = int(found["id"]), projects.key(found), int(found.get("task_number") or 0)
        images = workspace.read("images").drop_duplicates("image_id").set_index("image_id")
        before = workspace.read_if_there("annotations")
        told = _States(before, workspace.read_if_there("boxes"), key)
        pulled = _Pulled(key, client.people())
        with bar("annotate pull", "tasks") as advance:
            for done, task in enumerate(client.tasks(project, fields="all"), 1):
                identity = task["data"].get("image_id")
                pulled.count["tasks"] += 1
                if isinstance(identity, str) and identity in images.index:
                    place: Any = images.loc[identity]
                    path, width, height = str(place["path"]), int(place["width"]), int(place["height"])
                    if task["annotations"] or told.of(identity):
                        geometry = tasks.geometry_of(workspace.root, path, width, height)
                        link = client.task_link(project, task["id"])
                        _take(task, identity, geometry, told, pulled, link, settings.annotate)
                advance(done, max(done, expected), f"{pulled.count['annotated']} annotated")
        _write(workspace, before, pulled)
        stats |= {
            "project": project,
            **{name: pulled.count[name] for name in ("tasks", "annotated")},
            "revisions": len(pulled.annotations),
            "boxes": len(pulled.boxes),
            **{name: pulled.count[name] for name in ("skipped", "not_full_shot", "withdrawn", "clipped", "rotated")},
            "mistakes": len(pulled.mistakes),
            "verdicts": update_overrides(workspace, {row["image_id"] for row in pulled.annotations}),
            "to_look_at": pulled.mistakes[:_LISTED],
        }
    return stats


class _States:
    """What of each picture's annotations was pulled before; those of other projects stay as they are."""

    def __init__(self, before: pd.DataFrame, boxes: pd.DataFrame, project: str) -> None:
        self._rows: dict[str, dict[int, dict[Any, Any]]] = {}
        human = boxes[boxes["source"].eq("human") & boxes["revision"].notna()]
        # Whatever people drew by other ways came before.
        drawn = human.groupby("image_id")["revision"].max()
        self._revision = {str(identity): int(str(revision)) for identity, revision in drawn.items()}
        self._drawn: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
        for identity, revision, *box in human[["image_id", "revision", "label", *_CORNERS]].itertuples(index=False):
            self._drawn.setdefault((identity, int(revision)), []).append(tuple(box))
        known = before.astype(object).where(before.notna(), None)
        for row in known.sort_values(["image_id", "revision"]).to_dict("records"):
            identity = str(row["image_id"])
            self._revision[identity] = max(int(row["revision"]), self._revision.get(identity, 0))
            if row["project"] == project:
                self._rows.setdefault(identity, {})[int(row["annotation"] or 0)] = dict(row)

    def of(self, identity: str) -> Mapping[int, dict[Any, Any]]:
        """The last state of each annotation of a picture."""
        return self._rows.get(identity, {})

    def drew(self, identity: str, row: Mapping[Any, Any], boxes: Sequence[Box]) -> bool:
        """Whether a state of an annotation has these boxes."""
        before = self._drawn.get((identity, int(row["revision"])), [])
        return _rounded(before) == _rounded((box.label, *box.corners) for box in boxes)

    def next(self, identity: str) -> int:
        """The number of a new revision of a picture."""
        self._revision[identity] = self._revision.get(identity, 0) + 1
        return self._revision[identity]


def _rounded(boxes: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Boxes, a label and corners each, in an order and to a precision in which they compare."""
    return sorted((label, *(round(float(corner), _DIGITS) for corner in corners)) for label, *corners in boxes)


def _take(
    task: Mapping[str, Any],
    identity: str,
    geometry: ImageGeometry,
    told: _States,
    pulled: _Pulled,
    link: str,
    settings: AnnotateSettings,
) -> None:
    """What is new of one task."""
    current = sorted(task["annotations"], key=lambda annotation: (annotation["updated_at"], annotation["id"]))
    pulled.count["annotated"] += any(not annotation["was_cancelled"] for annotation in current)
    known = told.of(identity)
    votes: list[Vote] = []
    for annotation in current:
        boxes = _boxes(annotation, geometry, pulled, link, settings)
        verdict, shot = _verdict(annotation)
        if verdict != "skipped":
            votes.append(Vote(_annotator(annotation, pulled), verdict, shot, boxes if verdict == "boxes" else []))
        last = known.get(int(annotation["id"]))
        if last is not None and last["updated_at"] == annotation["updated_at"]:
            continue
        pulled.count[verdict] += 1
        _record(identity, task, annotation, verdict, boxes if verdict == "boxes" else [], told, pulled, geometry)
    there = {int(annotation["id"]) for annotation in current}
    for number, row in known.items():
        if number and number not in there and row["task"] == task["id"]:
            _withdraw(identity, row, told, pulled)
    _agree(identity, task, votes, told, pulled, settings)


def _withdraw(identity: str, row: Mapping[Any, Any], told: _States, pulled: _Pulled) -> None:
    """An annotation that was there and is no more."""
    if row["comment"] == WITHDRAWN:
        return
    pulled.count["withdrawn"] += 1
    gone = {"verdict": "skipped", "shot": None, "boxes": 0, "comment": WITHDRAWN, "updated_at": now()}
    pulled.annotations.append({**row, **gone, "revision": told.next(identity)})


def _agree(
    identity: str,
    task: Mapping[str, Any],
    votes: Sequence[Vote],
    told: _States,
    pulled: _Pulled,
    settings: AnnotateSettings,
) -> None:
    """What several people agree on, where that is not what they agreed on before; or that they do no more."""
    last = told.of(identity).get(0)
    found = consensus.agreed(votes, settings.same_iou) if settings.consensus == "majority" else None
    if found is None:
        if last is not None:
            _withdraw(identity, last, told, pulled)
        return
    verdict, shot, boxes = found
    if last is not None and (last["verdict"], last["shot"]) == (verdict, shot) and told.drew(identity, last, boxes):
        return
    row = {"task": task["id"], "annotator": CONSENSUS, "verdict": verdict, "shot": shot, "updated_at": now()}
    _append(identity, row, boxes, told, pulled)


def _record(
    identity: str,
    task: Mapping[str, Any],
    annotation: Mapping[str, Any],
    verdict: str,
    boxes: Sequence[Box],
    told: _States,
    pulled: _Pulled,
    geometry: ImageGeometry,
) -> None:
    model, machine = _begun_with(annotation, task, geometry)
    change: Edits | None = edits(machine, boxes) if verdict == "boxes" and model else None
    row = {
        "annotator": _annotator(annotation, pulled),
        "verdict": verdict,
        "comment": regions.answer(annotation["result"], COMMENT),
        "seconds": _seconds(annotation.get("lead_time")),
        "model": model,
        "task": task["id"],
        "annotation": annotation["id"],
        "updated_at": annotation["updated_at"],
        **(change.columns if change else {}),
    }
    _append(identity, {**row, "shot": _verdict(annotation)[1]}, boxes, told, pulled)


def _seconds(spent: Any) -> float | None:
    """What was spent; None where a browser's clock was set back in between."""
    return spent if isinstance(spent, int | float) and spent >= 0 else None


def _append(identity: str, row: dict[str, Any], boxes: Sequence[Box], told: _States, pulled: _Pulled) -> None:
    revision = told.next(identity)
    said = {"image_id": identity, "revision": revision, "boxes": len(boxes), "project": pulled.project}
    pulled.annotations.append({**said, **row})
    for box in boxes:
        corners = dict(zip(_CORNERS, box.corners, strict=True))
        drawn = {"source": "human", "annotator": row["annotator"], "updated_at": row["updated_at"]}
        pulled.boxes.append({"image_id": identity, "label": box.label, **corners, **drawn, "revision": revision})


def _verdict(annotation: Mapping[str, Any]) -> tuple[str, str | None]:
    """What an annotation says, and the shot where it says that it is no full one."""
    if annotation["was_cancelled"]:
        return "skipped", None
    shot = regions.answer(annotation["result"], SHOT)
    return ("not_full_shot", shot) if shot in NOT_FULL else ("boxes", None)


def _annotator(annotation: Mapping[str, Any], pulled: _Pulled) -> str:
    by = annotation.get("completed_by")
    if isinstance(by, Mapping):
        return str(by.get("email") or by.get("id") or "")
    return pulled.people.get(by, str(by)) if isinstance(by, int) else ""


def _begun_with(
    annotation: Mapping[str, Any], task: Mapping[str, Any], geometry: ImageGeometry
) -> tuple[str | None, list[Box]]:
    """The version of the boxes that an annotator began with, and these boxes."""
    begun = annotation.get("prediction")
    if not isinstance(begun, Mapping) or not begun.get("result"):
        number = annotation.get("parent_prediction")
        begun = next((each for each in task["predictions"] if each["id"] == number), None)
    if begun is None:
        return None, []
    with suppress(ValueError):  # somebody else's prediction may be anything
        read = regions.read(begun["result"], geometry)
        return str(begun["model_version"]), [Box(one.labels[0], *one.corners) for one in read if one.labels]
    return None, []


def _boxes(
    annotation: Mapping[str, Any], geometry: ImageGeometry, pulled: _Pulled, link: str, settings: AnnotateSettings
) -> list[Box]:
    """The boxes of an annotation that can be used; what is wrong with the others is told."""

    def wrong(what: str) -> None:
        pulled.mistakes.append({"what": what, "annotator": _annotator(annotation, pulled), "task": link})

    if annotation["was_cancelled"]:
        return []
    try:
        found = regions.read(annotation["result"], geometry)
    except ValueError as error:
        wrong(str(error))
        return []
    boxes: list[Box] = []
    for region in found:
        box = _box(region, geometry, pulled, wrong)
        if box is None:
            continue
        same = [other.corners for other in boxes if other.label == box.label]
        if same and iou([box.corners], same).max() >= settings.duplicate_iou:
            wrong(f"a {box.label} that is drawn twice")
            continue
        boxes.append(box)
    return boxes


def _box(region: Region, geometry: ImageGeometry, pulled: _Pulled, wrong: Any) -> Box | None:
    if len(region.labels) != 1 or region.labels[0] not in GARMENTS:
        wrong(f"a box labelled {', '.join(region.labels) or 'not at all'}: expected one of {', '.join(GARMENTS)}")
        return None
    x_min, y_min, x_max, y_max = region.corners
    inside = (max(0.0, x_min), max(0.0, y_min), min(float(geometry.width), x_max), min(float(geometry.height), y_max))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        wrong(f"a {region.labels[0]} without area, or outside the picture")
        return None
    pulled.count["rotated"] += region.is_rotated
    pulled.count["clipped"] += any(abs(a - b) > _ROUNDING for a, b in zip(inside, region.corners, strict=True))
    return Box(region.labels[0], *inside, source="human")


_ROUNDING = 1e-6  # pixels
_DIGITS = 6  # of a pixel


def _write(workspace: Workspace, before: pd.DataFrame, pulled: _Pulled) -> None:
    if not pulled.annotations:
        return
    columns = tables.columns("annotations")
    rows = [{name: row.get(name) for name in columns} for row in pulled.annotations]
    # Boxes first: a revision without its boxes would say that the picture has none.
    if pulled.boxes:
        boxes = workspace.read_if_there("boxes")
        # There already are those of a pull that was killed in between.
        fresh = {(row["image_id"], row["revision"]) for row in pulled.annotations}
        keys = zip(boxes["source"], boxes["image_id"], boxes["revision"], strict=True)
        kept = [source != "human" or (identity, revision) not in fresh for source, identity, revision in keys]
        workspace.write(
            "boxes",
            pd.concat([boxes[np.array(kept, dtype=bool)], tables.frame("boxes", pulled.boxes)], ignore_index=True),
        )
    together = pd.concat([before, tables.frame("annotations", rows)], ignore_index=True)
    workspace.write("annotations", together.sort_values(["image_id", "revision"], ignore_index=True))
