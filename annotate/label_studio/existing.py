"""The tasks that a project has."""

from dataclasses import dataclass, field
from typing import Any

from fullshot.annotate.label_studio.client import Client
from fullshot.core.errors import UserError


@dataclass(frozen=True, slots=True)
class Task:
    """A task of Label Studio's.

    Attributes:
        number: its own.
        data: the picture's address and what stands beside it.
        annotations: how many it has, those that were skipped among them.
        is_begun: whether somebody's draft is there.
        versions: of its predictions.
    """

    number: int
    data: dict[str, Any]
    annotations: int
    is_begun: bool
    versions: frozenset[str]


@dataclass
class Existing:
    """What a project has.

    Attributes:
        tasks: by the picture's name.
        duplicate_tasks: numbers of tasks of a picture that another task is of.
        foreign_tasks: how many are of no picture of a workspace.
    """

    tasks: dict[str, Task] = field(default_factory=dict)
    duplicate_tasks: list[int] = field(default_factory=list)
    foreign_tasks: int = 0


def existing(client: Client, project: int) -> Existing:
    """What a project has; it is listed once.

    Raises:
        UserError: two tasks are of one picture, and both annotated.
    """
    found = Existing()
    for row in client.tasks(project, fields="all"):
        identity = row["data"].get("image_id")
        if not isinstance(identity, str):
            found.foreign_tasks += 1
            continue
        task = _task(row)
        other = found.tasks.get(identity, task)
        # The one with annotations stays; of two without, the older.
        better, worse = sorted((other, task), key=lambda one: (-one.annotations, one.number))
        found.tasks[identity] = better
        if other is task:
            continue
        if worse.annotations:
            both = f"tasks {better.number} and {worse.number}"
            raise UserError(f"{both} are of one picture, and both annotated: delete one of them in Label Studio")
        found.duplicate_tasks.append(worse.number)
    return found


def count(client: Client, project: int) -> int:
    """How many tasks a project has."""
    return int(client.get(f"/api/projects/{project}")["task_number"])


def _task(row: dict[str, Any]) -> Task:
    return Task(
        number=int(row["id"]),
        data=row["data"],
        annotations=int(row["total_annotations"]) + int(row["cancelled_annotations"]),
        is_begun=bool(row.get("draft_exists") or row.get("drafts")),
        versions=frozenset(str(each["model_version"]) for each in row["predictions"]),
    )
