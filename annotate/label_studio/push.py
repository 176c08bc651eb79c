"""Bring the workspace's pictures into Label Studio, with the boxes that machines drew."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fullshot.annotate.label_studio import project as projects
from fullshot.annotate.label_studio import tasks
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.predictions import (
    batches,
    has_other_given,
    outdated_tasks,
    predictions_of,
    replace_predictions,
)
from fullshot.annotate.label_studio.server import refuse_links
from fullshot.annotate.label_studio.tasks import Picture
from fullshot.annotate.readable import unreadable
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.progress import bar
from fullshot.core.settings import AnnotateSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train.detector import Detector, load

_DATA = ("image", "image_id", "priority", "reason", "shot", "product", "product_type", "page", "given")


@dataclass
class _Existing:
    """What the project has: tasks by the picture's name, and those that are there once too often."""

    tasks: dict[str, dict[str, Any]]
    duplicate_tasks: list[int]
    foreign_tasks: int


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
    with workspace.stage("annotate push", settings, inputs) as stats:
        for name in ("curated", "images", "products"):
            if not workspace.table(name).is_file():
                workspace.read(name)  # raises MissingInput, before a project is made
        with ThreadPoolExecutor(1) as asking:
            answer = asking.submit(_project, client, workspace, settings.annotate)
            wanted = {picture.image_id: picture for picture in tasks.wanted(workspace, settings.annotate)}
            detector = _detector(workspace, settings)
            project, existing = answer.result()
        number = int(project["id"])
        unneeded, kept = _unneeded(client, workspace, projects.key(project), existing, set(wanted))
        _delete(client, number, [*unneeded, *existing.duplicate_tasks])
        left_out = set(unneeded)
        existing.tasks = {identity: task for identity, task in existing.tasks.items() if task["id"] not in left_out}
        fresh = [picture for identity, picture in wanted.items() if identity not in existing.tasks]
        outdated = outdated_tasks(client, number, existing.tasks, wanted, detector)
        to_read = [picture.path for picture in (*fresh, *(picture for _, picture in outdated))]
        broken = unreadable("annotate push", workspace.root, to_read, may_be_missing=True)
        without_pixels = broken | {path for path in to_read if not (workspace.root / path).is_file()}
        fresh = [picture for picture in fresh if picture.path not in broken]
        added = _add(client, number, workspace, fresh, detector, settings.annotate.batch)
        # What cannot be predicted stays outdated, and is not sent at each push.
        outdated = [
            (task, picture)
            for task, picture in outdated
            if picture.path not in without_pixels or has_other_given(task, picture)
        ]
        replaced = replace_predictions(client, number, workspace, outdated, detector, settings.annotate.batch)
        # Last: the data of a task say which boxes its predictions were made of.
        changed = _change(client, existing, wanted)
        version = detector.digest if detector else _most_given(wanted.values())
        if version and project.get("model_version") != version and (added or replaced or existing.tasks):
            client.patch(f"/api/projects/{number}", {"model_version": version})
        # A push that was killed may have had one more request under way, which was answered after all was listed.
        expected = len(existing.tasks) + added + existing.foreign_tasks
        late = [] if _count(client, number) == expected else _existing(client, number).duplicate_tasks
        _delete(client, number, late)
        stats |= {
            "project": number,
            "url": f"{client.url}/projects/{number}/data",
            "tasks": len(existing.tasks) + added,
            "added": added,
            "changed": changed,
            "deleted": len(unneeded),
            "duplicate_tasks": len(existing.duplicate_tasks) + len(late),
            "kept": kept,
            "predictions": len(wanted) - len(without_pixels) if detector else 0,
            "model": detector.digest if detector else None,
            "foreign_tasks": existing.foreign_tasks,
            "unreadable": len(broken),
        }
    return stats


def _project(client: Client, workspace: Workspace, settings: AnnotateSettings) -> tuple[dict[str, Any], _Existing]:
    """The project, made if need be, and what it has."""
    project = projects.ensure(client, settings.project)
    if not settings.pictures:
        _serve_locally(client, int(project["id"]), workspace)
    return project, _existing(client, int(project["id"]))


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


def _existing(client: Client, project: int) -> _Existing:
    existing = _Existing({}, [], 0)
    for task in client.tasks(project):
        identity = task["data"].get("image_id")
        if not isinstance(identity, str):
            existing.foreign_tasks += 1
            continue
        other = existing.tasks.get(identity)
        if other is None:
            existing.tasks[identity] = task
            continue
        # The one with annotations stays; of two without, the older.
        better, worse = sorted((other, task), key=lambda one: (-_annotated(one), one["id"]))
        if _annotated(worse):
            both = f"tasks {better['id']} and {worse['id']}"
            raise UserError(f"{both} are of one picture, and both annotated: delete one of them in Label Studio")
        existing.tasks[identity] = better
        existing.duplicate_tasks.append(worse["id"])
    return existing


def _count(client: Client, project: int) -> int:
    return int(client.get(f"/api/projects/{project}")["task_number"])


def _annotated(task: dict[str, Any]) -> int:
    """How many annotations it has, those that were skipped among them."""
    return int(task["total_annotations"]) + int(task["cancelled_annotations"])


def _unneeded(
    client: Client, workspace: Workspace, project: str, existing: _Existing, wanted: set[str]
) -> tuple[list[int], int]:
    """Tasks to delete, and how many would go but for annotations that were not pulled."""
    if not existing.tasks:
        return [], 0
    images = set(workspace.read("images")["image_id"])
    annotations = workspace.read_if_there("annotations")
    ours = annotations.loc[annotations["project"].eq(project).fillna(False)].dropna(subset=["annotation"])
    pulled = set(zip(ours["annotation"].astype(int), ours["updated_at"], strict=True))
    unneeded, kept = [], 0
    for identity, task in existing.tasks.items():
        if identity in wanted:
            continue
        if not _annotated(task):
            unneeded.append(task["id"])
        elif identity not in images:
            current = client.get(f"/api/tasks/{task['id']}")["annotations"]
            if all((each["id"], each["updated_at"]) in pulled for each in current):
                unneeded.append(task["id"])
            else:
                kept += 1
    return unneeded, kept


def _delete(client: Client, project: int, numbers: Sequence[int]) -> None:
    for batch in batches(numbers, 1000):
        chosen = {"selectedItems": {"all": False, "included": list(batch)}}
        client.post("/api/dm/actions", chosen, id="delete_tasks", project=project)


def _add(
    client: Client,
    project: int,
    workspace: Workspace,
    pictures: Sequence[Picture],
    detector: Detector | None,
    size: int,
) -> int:
    if not pictures:
        return 0
    # While the server takes one batch in, the next one is made.
    with bar("annotate push", "tasks") as advance, ThreadPoolExecutor(1) as sender:
        sent: Future[Any] | None = None
        done = 0
        advance(0, len(pictures))
        for batch in batches(pictures, size):
            rows = [
                {"data": picture.data, "predictions": predictions}
                for picture, predictions in zip(batch, predictions_of(workspace, batch, detector), strict=True)
            ]
            if sent is not None:
                sent.result()
                advance(done, len(pictures))
            sent = sender.submit(client.post, f"/api/projects/{project}/import", rows)
            done += len(batch)
        if sent is not None:
            sent.result()
            advance(done, len(pictures))
    return len(pictures)


def _change(client: Client, existing: _Existing, wanted: dict[str, Picture]) -> int:
    """Bring the data of existing tasks up to date."""
    changed = [
        (task, wanted[identity].data)
        for identity, task in existing.tasks.items()
        if identity in wanted and {name: task["data"].get(name) for name in _DATA} != wanted[identity].data
    ]
    with bar("annotate push", "changed tasks") as advance:
        for done, (task, data) in enumerate(changed, 1):
            client.patch(f"/api/tasks/{task['id']}", {"data": {**task["data"], **data}})
            advance(done, len(changed))
    return len(changed)


def _most_given(pictures: Iterable[Picture]) -> str:
    """The version of boxes that most pictures came with."""
    versions = Counter(version for picture in pictures for version in picture.given)
    return max(sorted(versions), key=lambda version: versions[version], default="")
