"""Bring the workspace's pictures into Label Studio, with the boxes that machines drew."""

import itertools
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from fullshot.annotate.label_studio import project as projects
from fullshot.annotate.label_studio import tasks
from fullshot.annotate.label_studio.changes import Change, apply_changes, delete_tasks, head_of
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.existing import Existing, Task, count, existing
from fullshot.annotate.label_studio.predictions import (
    Machines,
    has_other_given,
    is_outdated,
    replace_predictions,
)
from fullshot.annotate.label_studio.server import refuse_links
from fullshot.annotate.label_studio.tasks import Picture
from fullshot.annotate.readable import look_at
from fullshot.core.dataset import Dataset
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.progress import bar, say_unchanged
from fullshot.core.settings import AnnotateSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train.detector import Detector, is_starter, load

_COLUMNS = tasks.COLUMNS | {"annotations": ("image_id", "project", "task", "annotation", "updated_at")}
_DATA = ("image", "image_id", "priority", "reason", "shot", "product", "product_type", "page", "given")


def push(workspace: Workspace, settings: Settings, client: Client) -> dict[str, Any]:
    """Bring the project and its tasks up to date with the workspace.

    Tasks are identified by ``image_id``. Existing tasks are changed where they differ, never added again; tasks of
    pictures that need no annotation any more are deleted, unless they have annotations that were not pulled yet.
    Tasks that others put into the project are left alone. A push that was killed goes on when it is run again.

    Args:
        workspace: a curated one.
        settings: its section ``annotate``.
        client: of the Label Studio.

    Returns:
        ``project``, its number, and ``url``; ``tasks`` in all, ``added``, ``changed``, ``deleted``, ``duplicate_tasks``
        deleted; ``kept``, tasks of unneeded pictures with annotations not pulled; ``predictions`` and ``model``,
        pictures with boxes of the detector, and its version; ``foreign_tasks``, tasks without an image_id;
        ``unreadable``, pictures that do not decode: no task is made of them, and a task that exists is given no
        predictions. Pictures are read when their task is made or needs predictions.

    Raises:
        MissingInput: the workspace was not curated yet.
        UserError: the project has boxes with labels that no longer exist.
    """
    inputs = ("curated", "images", "products", "boxes", "priorities")
    with workspace.stage("annotate push", settings, inputs) as stats, workspace.open(_COLUMNS) as data:
        for name in ("curated", "images", "products"):
            if not data.has(name):
                data.frame(name)  # raises MissingInput, before a project is made
        with ThreadPoolExecutor(1) as asking:
            answer = asking.submit(_project, client, workspace, settings.annotate)
            wanted = tasks.create_wanted(data)
            detector = _detector(workspace, settings)
            project, there = answer.result()
        number = int(project["id"])
        pulled = _Pulled(data, projects.key(project))
        todo = _compared(data, settings.annotate, wanted, there, detector)
        unneeded, kept = _unneeded(client, pulled, there, todo.seen)
        delete_tasks(client, number, [*unneeded, *there.duplicate_tasks])
        left_out = set(unneeded)
        there.tasks = {identity: task for identity, task in there.tasks.items() if task.number not in left_out}
        paths = tasks.paths(data, todo.fresh) + [picture.path for _, picture in todo.outdated]
        broken, turned = look_at("annotate push", workspace.root, paths, may_be_missing=True)
        machines = Machines(workspace, detector, settings.detector.confidence, turned)
        without_pixels = broken | {path for path in paths if not (workspace.root / path).is_file()}
        batch = settings.annotate.batch
        fresh = (each for each in tasks.pictures(data, settings.annotate, todo.fresh) if each.path not in broken)
        added = _add(client, number, machines.predictions(fresh), len(todo.fresh), batch)
        # What cannot be predicted stays outdated, and is not sent at each push.
        outdated = [
            (task, picture)
            for task, picture in todo.outdated
            if picture.path not in without_pixels or has_other_given(task, picture)
        ]
        replaced = replace_predictions(client, number, machines, outdated, batch)
        # Last: the data of a task say which boxes its predictions were made of.
        changes = [Change(*each, is_pulled=each[0].number in pulled.tasks) for each in todo.changed]
        apply_changes(client, number, changes, head_of(there.tasks.values()), batch)
        came = next(iter(tasks.versions(data)), "")
        # Boxes that a shop or somebody gave are shown before those of weights that know none of these pictures.
        is_first = detector is not None and not (came and is_starter(detector))
        version = detector.digest if detector and is_first else came
        if version and project.get("model_version") != version and (added or replaced or there.tasks):
            client.patch(f"/api/projects/{number}", {"model_version": version})
        # A push that was killed may have had one more request under way, which was answered after all was listed.
        expected = len(there.tasks) + added + there.foreign_tasks
        late = [] if count(client, number) == expected else existing(client, number).duplicate_tasks
        delete_tasks(client, number, late)
        if not (added or replaced or changes or unneeded or there.duplicate_tasks or late):
            say_unchanged("annotate push", "the tasks were brought up to date", "they stay as they are")
        stats |= {
            "project": number,
            "url": f"{client.url}/projects/{number}/data",
            "tasks": len(there.tasks) + added,
            "added": added,
            "changed": len(changes),
            "deleted": len(unneeded),
            "duplicate_tasks": len(there.duplicate_tasks) + len(late),
            "kept": kept,
            "predictions": wanted - len(without_pixels) if detector else 0,
            "model": detector.digest if detector else None,
            "foreign_tasks": there.foreign_tasks,
            "unreadable": len(broken),
        }
    return stats


@dataclass
class _Todo:
    """What differs between the workspace and a project.

    Attributes:
        seen: the names of the pictures that people should see and that have a task.
        fresh: the numbers of those that have none.
        outdated: those whose task has other predictions than it should have.
        changed: tasks, what is to be said of their pictures, and those cells of it that they do not say.
    """

    seen: set[str] = field(default_factory=set)
    fresh: Sequence[int] = ()
    outdated: list[tuple[Task, Picture]] = field(default_factory=list)
    changed: list[tuple[Task, dict[str, Any], dict[str, Any]]] = field(default_factory=list)


def _compared(
    data: Dataset, settings: AnnotateSettings, wanted: int, there: Existing, detector: Detector | None
) -> _Todo:
    """Compare the pictures that people should see with the tasks that are there."""
    if not there.tasks:
        return _Todo(fresh=range(wanted))
    todo, fresh = _Todo(), array("q")
    for picture in tasks.pictures(data, settings, range(wanted)):
        task = there.tasks.get(picture.image_id)
        if task is None:
            fresh.append(picture.number)
            continue
        todo.seen.add(picture.image_id)
        if is_outdated(task, picture, detector):
            todo.outdated.append((task, picture))
        different = {name: picture.data[name] for name in _DATA if task.data.get(name) != picture.data[name]}
        if different:
            todo.changed.append((task, picture.data, different))
    todo.fresh = fresh
    return todo


class _Pulled:
    """What earlier pulls brought of a project, and what pictures there are.

    Args:
        data: the workspace's tables.
        project: key of the project.

    Attributes:
        tasks: the numbers of the tasks of which an annotation was pulled.
    """

    def __init__(self, data: Dataset, project: str) -> None:
        data.make_if_missing("annotations")
        self._data, self._project = data, project
        rows = data.rows("SELECT DISTINCT task FROM annotations WHERE project = $project", project=project)
        self.tasks = {task for (task,) in rows}

    def annotations(self, identities: Sequence[str]) -> set[tuple[int, str]]:
        """The annotations of some pictures: number, and when it was changed."""
        sql = (
            "SELECT annotation, updated_at FROM annotations "
            "WHERE project = $project AND annotation IS NOT NULL AND image_id IN (SELECT unnest($identities))"
        )
        return set(self._data.rows(sql, project=self._project, identities=list(identities)))

    def known_pictures(self, identities: Sequence[str]) -> set[str]:
        """Those of some pictures that the workspace has."""
        sql = "SELECT image_id FROM images WHERE image_id IN (SELECT unnest($identities))"
        return {identity for (identity,) in self._data.rows(sql, identities=list(identities))}


def _project(client: Client, workspace: Workspace, settings: AnnotateSettings) -> tuple[dict[str, Any], Existing]:
    """The project, made if need be, and what it has."""
    project = projects.ensure(client, settings.project)
    if not settings.pictures:
        _serve_locally(client, int(project["id"]), workspace)
    return project, existing(client, int(project["id"]))


def _detector(workspace: Workspace, settings: Settings) -> Detector | None:
    """The detector in use, where there is one."""
    try:
        return load(workspace, settings=settings)
    except MissingInput:
        return None


def _serve_locally(client: Client, project: int, workspace: Workspace) -> None:
    """Let Label Studio show the workspace's pictures: it answers for folders that are a storage of the project."""
    refuse_links(workspace)
    folder = str((workspace.root / "images").resolve())
    storages = client.get("/api/storages/localfiles", project=project)
    if any(there["path"] == folder for there in storages):
        return
    body = {"project": project, "path": folder, "title": "pictures of the workspace", "use_blob_urls": True}
    try:
        client.post("/api/storages/localfiles", body)
    except StageFailed:
        raise UserError(
            f"Label Studio at {client.url} may not show the pictures in {folder}: say where browsers find them by "
            f"--pictures, or start it with LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={workspace.root.resolve()}"
        ) from None


def _unneeded(client: Client, pulled: _Pulled, there: Existing, wanted: set[str]) -> tuple[list[int], int]:
    """Tasks to delete, and how many would go but for annotations that were not pulled."""
    others = {identity: task for identity, task in there.tasks.items() if identity not in wanted}
    unneeded = [task.number for task in others.values() if not task.annotations]
    annotated = [identity for identity, task in others.items() if task.annotations]
    if not annotated:
        return unneeded, 0
    known, kept = pulled.known_pictures(annotated), 0
    here = pulled.annotations(annotated)
    for identity in annotated:
        if identity in known:
            continue
        task = others[identity]
        current = client.get(f"/api/tasks/{task.number}")["annotations"]
        if all((each["id"], each["updated_at"]) in here for each in current):
            unneeded.append(task.number)
        else:
            kept += 1
    return unneeded, kept


def _add(
    client: Client,
    project: int,
    fresh: Iterator[tuple[Picture, list[dict[str, Any]]]],
    expected: int,
    size: int,
) -> int:
    """Make tasks of pictures with their predictions, so many at a time; returns how many."""
    if not expected:
        return 0
    # While the server takes one batch in, the next one is made.
    with bar("annotate push", "tasks") as advance, ThreadPoolExecutor(1) as sender:
        sent: Future[Any] | None = None
        done = 0
        advance(0, expected)
        rows = ({"data": picture.data, "predictions": predictions} for picture, predictions in fresh)
        while batch := list(itertools.islice(rows, size)):
            if sent is not None:
                sent.result()
                advance(done, expected)
            sent = sender.submit(client.post, f"/api/projects/{project}/import", batch)
            done += len(batch)
        if sent is not None:
            sent.result()
        advance(done, expected)
    return done
