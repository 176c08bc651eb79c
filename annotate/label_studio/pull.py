"""Bring annotations from Label Studio into the workspace's tables."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fullshot.annotate import consensus
from fullshot.annotate.consensus import Vote
from fullshot.annotate.edits import edits
from fullshot.annotate.label_studio import project as projects
from fullshot.annotate.label_studio import regions, revisions, tasks
from fullshot.annotate.label_studio.annotation import (
    annotator_of,
    boxes_of,
    initial_boxes,
    seconds_of,
    verdict_of,
)
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.overrides import update_overrides
from fullshot.annotate.label_studio.regions import COMMENT
from fullshot.annotate.label_studio.revisions import CONSENSUS_NUMBER, CORNERS, EarlierRevisions
from fullshot.core.annotations import CONSENSUS, WITHDRAWN
from fullshot.core.boxes import Box
from fullshot.core.clock import now
from fullshot.core.dataset import Dataset
from fullshot.core.geometry import ImageGeometry
from fullshot.core.progress import bar, say_unchanged
from fullshot.core.settings import AnnotateSettings, Settings
from fullshot.core.workspace import Workspace

_COLUMNS = {
    "images": ("image_id", "path", "width", "height"),
    "curated": ("image_id", "full_shot"),
}
"""What is read of the tables that are not written."""

_PAGES = 10
"""Pages of tasks that are looked up together: each time the names of all pictures of the workspace are read."""

_LISTED = 50
"""Mistakes that are described one by one; ``mistakes`` counts them all."""


def pull(workspace: Workspace, settings: Settings, client: Client) -> dict[str, Any]:
    """Bring annotations into ``annotations`` and ``boxes``, and verdicts into ``verdicts``.

    Every state of an annotation that was pulled stays, by its ``revision``; the newest of a picture counts (see
    :func:`annotations.in_force`). The verdict on a picture changes when an annotator says "not a full shot", or draws
    boxes on a picture of which the rule was not sure.

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
    inputs = ("images", "annotations", "boxes", "verdicts")
    with workspace.stage("annotate pull", settings, inputs) as stats, workspace.open(_COLUMNS) as data:
        project = projects.find(client, settings.annotate.project)
        number, key, expected = int(project["id"]), projects.key(project), int(project.get("task_number") or 0)
        places = _Places(data, workspace.root)
        earlier = EarlierRevisions(data, key)
        changes = _Changes(key, client.people(), earlier, settings.annotate)
        with bar("annotate pull", "tasks") as advance:
            pages = client.pages(number, fields="all")
            while together := list(itertools.islice(pages, _PAGES)):
                some = list(itertools.chain.from_iterable(together))
                identities = [each for task in some if isinstance(each := task["data"].get("image_id"), str)]
                places.look_up(identities)
                earlier.look_up(identities)
                for task in some:
                    identity = task["data"].get("image_id")
                    changes.count["tasks"] += 1
                    if places.has(identity) and (task["annotations"] or earlier.of(identity)):
                        link = client.task_link(number, task["id"])
                        changes.add_task(task, identity, places.geometry(identity), link)
                done = changes.count["tasks"]
                advance(done, max(done, expected), f"{changes.count['annotated']} annotated")
        revisions.append(data, changes.annotations, changes.boxes)
        overridden = update_overrides(data, {row["image_id"] for row in changes.annotations})
        if not data.changed:
            say_unchanged("annotate pull", "the tables were written", "no annotation is new")
        stats |= {
            "project": number,
            **{name: changes.count[name] for name in ("tasks", "annotated")},
            "revisions": len(changes.annotations),
            "boxes": len(changes.boxes),
            **{name: changes.count[name] for name in ("skipped", "not_full_shot", "withdrawn", "clipped", "rotated")},
            "mistakes": len(changes.mistakes),
            "verdicts": overridden,
            "to_look_at": changes.mistakes[:_LISTED],
        }
    return stats


class _Places:
    """Where pictures lie, and how: of those that :meth:`look_up` was asked for.

    Args:
        data: with ``images``.
        root: of the workspace.
    """

    def __init__(self, data: Dataset, root: Path) -> None:
        self._data, self._root = data, root
        self._known: dict[str, tuple[str, int, int]] = {}

    def look_up(self, identities: Sequence[str]) -> None:
        """Read where some pictures lie; others are forgotten."""
        sql = "SELECT image_id, path, width, height FROM images WHERE image_id IN (SELECT unnest($asked))"
        self._known = {row[0]: row[1:] for row in self._data.rows(sql, asked=list(identities))}

    def has(self, identity: Any) -> bool:
        """Whether there is such a picture."""
        return isinstance(identity, str) and identity in self._known

    def geometry(self, identity: str) -> ImageGeometry:
        """Its size, and how it lies."""
        return tasks.geometry_of(self._root, *self._known[identity])


class _Changes:
    """Compares tasks with earlier pulls, and collects what is new.

    Args:
        project: key of the project.
        people: addresses of the users, by their numbers.
        earlier: what earlier pulls brought.
        settings: say which boxes are duplicates, and whether a majority decides.

    Attributes:
        annotations: new rows of ``annotations``.
        boxes: new rows of ``boxes``.
        count: of what the verb prints.
        mistakes: what is wrong with boxes, by whom, and a link to the task.
    """

    def __init__(
        self, project: str, people: Mapping[int, str], earlier: EarlierRevisions, settings: AnnotateSettings
    ) -> None:
        self._project, self._people, self._earlier, self._settings = project, people, earlier, settings
        self.annotations: list[dict[str, Any]] = []
        self.boxes: list[dict[str, Any]] = []
        self.count: Counter[str] = Counter()
        self.mistakes: list[dict[str, str]] = []

    def add_task(self, task: Mapping[str, Any], identity: str, geometry: ImageGeometry, link: str) -> None:
        """Collect what is new of one task: changed annotations, deleted ones, and what annotators agree on."""
        current = sorted(task["annotations"], key=lambda annotation: (annotation["updated_at"], annotation["id"]))
        self.count["annotated"] += any(not annotation["was_cancelled"] for annotation in current)
        earlier = self._earlier.of(identity)
        votes: list[Vote] = []
        for annotation in current:
            boxes = self._checked_boxes(annotation, geometry, link)
            verdict, shot = verdict_of(annotation)
            if verdict != "boxes":
                boxes = []
            if verdict != "skipped":
                votes.append(Vote(annotator_of(annotation, self._people), verdict, shot, boxes))
            last = earlier.get(int(annotation["id"]))
            if last is not None and last["updated_at"] == annotation["updated_at"]:
                continue
            self.count[verdict] += 1
            self._add_annotation(identity, task, annotation, boxes, geometry)
        present = {int(annotation["id"]) for annotation in current}
        for number, row in earlier.items():
            if number != CONSENSUS_NUMBER and number not in present and row["task"] == task["id"]:
                self._withdraw(identity, row)
        self._add_consensus(identity, task, votes)

    def _checked_boxes(self, annotation: Mapping[str, Any], geometry: ImageGeometry, link: str) -> list[Box]:
        checked = boxes_of(annotation, geometry, self._settings.duplicate_iou)
        annotator = annotator_of(annotation, self._people)
        self.mistakes += [{"what": mistake, "annotator": annotator, "task": link} for mistake in checked.mistakes]
        self.count["clipped"] += checked.clipped
        self.count["rotated"] += checked.rotated
        return checked.boxes

    def _add_annotation(
        self,
        identity: str,
        task: Mapping[str, Any],
        annotation: Mapping[str, Any],
        boxes: Sequence[Box],
        geometry: ImageGeometry,
    ) -> None:
        verdict, shot = verdict_of(annotation)
        model, drawn_by_model = initial_boxes(annotation, task, geometry)
        changed = edits(drawn_by_model, boxes).columns if verdict == "boxes" and model else {}
        row = {
            "annotator": annotator_of(annotation, self._people),
            "verdict": verdict,
            "shot": shot,
            "comment": regions.answer(annotation["result"], COMMENT),
            "seconds": seconds_of(annotation),
            "model": model,
            "task": task["id"],
            "annotation": annotation["id"],
            "updated_at": annotation["updated_at"],
            **changed,
        }
        self._append(identity, row, boxes)

    def _withdraw(self, identity: str, row: Mapping[str, Any]) -> None:
        """Record that an annotation was deleted, or that annotators agree no more."""
        if row["comment"] == WITHDRAWN:
            return
        self.count["withdrawn"] += 1
        cells = {"verdict": "skipped", "shot": None, "boxes": 0, "comment": WITHDRAWN, "updated_at": now()}
        self.annotations.append({**row, **cells, "revision": self._earlier.next_number(identity)})

    def _add_consensus(self, identity: str, task: Mapping[str, Any], votes: Sequence[Vote]) -> None:
        """Record what several annotators agree on where that changed, or that they agree no more."""
        last = self._earlier.of(identity).get(CONSENSUS_NUMBER)
        settings = self._settings
        agreed = consensus.agreed(votes, settings.same_iou) if settings.consensus == "majority" else None
        if agreed is None:
            if last is not None:
                self._withdraw(identity, last)
            return
        verdict, shot, boxes = agreed
        is_same = last is not None and (last["verdict"], last["shot"]) == (verdict, shot)
        if last is not None and is_same and self._earlier.agreed_on(identity, last, boxes):
            return
        row = {"task": task["id"], "annotator": CONSENSUS, "verdict": verdict, "shot": shot, "updated_at": now()}
        self._append(identity, row, boxes)

    def _append(self, identity: str, row: dict[str, Any], boxes: Sequence[Box]) -> None:
        revision = self._earlier.next_number(identity)
        place = {"image_id": identity, "revision": revision}
        self.annotations.append({**place, "boxes": len(boxes), "project": self._project, **row})
        author = {"source": "human", "annotator": row["annotator"], "updated_at": row["updated_at"]}
        for box in boxes:
            corners = dict(zip(CORNERS, box.corners, strict=True))
            self.boxes.append({**place, "label": box.label, **corners, **author})
