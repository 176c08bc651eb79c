"""Bring the data of tasks up to date: Label Studio takes a request a task for it, and some tenth of a second for each.

Three ways save most of them. Where many tasks are to say the same, such as that they lead no more, the data manager
writes it into all of them. Other tasks that nobody touched yet are made anew, some hundred at a time, and those before
them deleted. Only what is left is changed one by one: tasks with annotations or drafts, and the head of the queue,
which people may have open.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.existing import Task
from fullshot.core.errors import StageFailed
from fullshot.core.progress import bar

_SAME = 5
"""So many tasks that are to say the same are told so together: two requests then, not one for each."""

_FEW = 10
"""So few that nothing is to be made anew for them."""

_HEAD = 100
"""Tasks at the head of the queue that people may have open."""

_AT_ONCE = 1000

_UNTOUCHED = {
    "conjunction": "and",
    "items": [
        {"filter": f"filter:tasks:{name}", "operator": "equal", "type": "Number", "value": 0}
        for name in ("total_annotations", "cancelled_annotations")
    ],
}
"""As the data manager filters tasks when it gets to them, not when they were listed."""

_PREDICTION = ("model_version", "result", "score")

_KINDS = {str: "String", float: "Number"}
"""What the data manager can write."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a task is to say.

    Attributes:
        task: as it is.
        data: what is to be said of its picture, in all cells that are ours: Label Studio shows some of its own making.
        different: those that differ.
        is_pulled: whether an annotation of it was pulled once: who takes it back is known by the task's number.
    """

    task: Task
    data: dict[str, Any]
    different: dict[str, Any]
    is_pulled: bool

    @property
    def is_touched(self) -> bool:
        """Whether the task itself must stay."""
        return bool(self.task.annotations or self.task.is_begun or self.is_pulled)


def apply_changes(client: Client, project: int, changes: Sequence[Change], head: Sequence[int], batch: int) -> None:
    """Bring the data of tasks up to date; a kill half-way loses nothing, and the next time goes on.

    Args:
        client: of the Label Studio.
        project: its number.
        changes: what each task is to say.
        head: numbers of the tasks that people may have open.
        batch: tasks a request, where they are made anew.
    """
    with bar("annotate push", "changed tasks") as advance:
        done = 0

        def tell(count: int) -> None:
            nonlocal done
            done += count
            advance(done, len(changes))

        left = _say_the_same(client, project, changes, tell)
        kept = set(head)
        anew = [change for change in left if not change.is_touched and change.task.number not in kept]
        if len(anew) <= _FEW:
            anew = []
        numbers = {change.task.number for change in anew}
        for change in left:
            if change.task.number not in numbers:
                _patch(client, change)
                tell(1)
        for some in batches(anew, batch):
            for change in _make_anew(client, project, some):
                _patch(client, change)
            tell(len(some))


def head_of(tasks: Iterable[Task]) -> list[int]:
    """The numbers of the tasks that lead the queue as people see it now."""
    left = (task for task in tasks if not task.annotations)
    ordered = sorted(left, key=lambda task: (-_priority(task), task.number))
    return [task.number for task in ordered[:_HEAD]]


def delete_tasks(client: Client, project: int, numbers: Sequence[int]) -> None:
    """Delete tasks by their numbers."""
    for some in batches(numbers, _AT_ONCE):
        client.post("/api/dm/actions", {"selectedItems": _these(some)}, id="delete_tasks", project=project)


def batches(rows: Sequence[Any], size: int) -> "list[list[Any]]":
    """Lists of at most ``size`` rows, in order."""
    rest = iter(rows)
    return list(iter(lambda: list(islice(rest, size)), []))


def _say_the_same(client: Client, project: int, changes: Sequence[Change], tell: Callable[[int], None]) -> list[Change]:
    """Change tasks that are to say the same together; returns the others."""
    groups: dict[tuple[tuple[str, Any], ...], list[Change]] = defaultdict(list)
    for change in changes:
        groups[tuple(change.different.items())].append(change)
    left = []
    for data, group in groups.items():
        numbers = [change.task.number for change in group]
        if len(group) < _SAME or not all(type(value) in _KINDS for _, value in data):
            left += group
            continue
        try:
            for some in batches(numbers, _AT_ONCE):
                for name, value in data:
                    body = {"value_name": name, "value_type": _KINDS[type(value)], "value": value}
                    _act(client, project, "add_data_field", some, body)
        except StageFailed:  # another edition may not offer it
            left += group
            continue
        tell(len(group))
    return left


def _make_anew(client: Client, project: int, changes: Sequence[Change]) -> list[Change]:
    """Make tasks anew, with their predictions, and delete those before them.

    A kill in between leaves pairs of tasks, of which the next push deletes one; so does this one at its end, where
    somebody annotated a task meanwhile.

    Returns:
        What was touched since it was listed, and is left.
    """
    by_number = {change.task.number: change for change in changes}
    found = client.select(project, list(by_number))
    rows = {int(row["id"]): row for row in found if int(row["id"]) in by_number}
    touched = {
        number
        for number, row in rows.items()
        if row["total_annotations"] or row["cancelled_annotations"] or row.get("draft_exists")
    }
    made = [
        {
            "data": {**row["data"], **by_number[number].data},
            "predictions": [{name: each[name] for name in _PREDICTION if name in each} for each in row["predictions"]],
        }
        for number, row in rows.items()
        if number not in touched
    ]
    if made:
        client.post(f"/api/projects/{project}/import", made)
        _act(client, project, "delete_tasks", [*set(rows) - touched], {"filters": _UNTOUCHED})
    return [by_number[number] for number in touched]


def _patch(client: Client, change: Change) -> None:
    client.patch(f"/api/tasks/{change.task.number}", {"data": {**change.task.data, **change.data}})


def _act(client: Client, project: int, action: str, numbers: Sequence[int], body: dict[str, Any]) -> None:
    client.post("/api/dm/actions", {**body, "selectedItems": _these(numbers)}, id=action, project=project)


def _these(numbers: Sequence[int]) -> dict[str, Any]:
    return {"all": False, "included": list(numbers)}


def _priority(task: Task) -> float:
    value = task.data.get("priority")
    return float(value) if isinstance(value, int | float) else 0.0
