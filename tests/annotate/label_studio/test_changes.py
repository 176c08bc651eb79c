"""Many changed tasks, told to a real Label Studio with few requests: nothing that a person did is lost."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pytest

from fullshot.annotate.label_studio import changes
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.pull import pull
from fullshot.annotate.label_studio.push import push
from fullshot.annotate.label_studio.regions import from_boxes
from fullshot.core.boxes import Box
from fullshot.core.errors import StageFailed
from fullshot.core.geometry import ImageGeometry
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from tests.annotate.conftest import HEIGHT, WIDTH, Make
from tests.removing import remove_table

COUNT = 50
HEAD = 10
"""Tasks at the head of the queue that are changed in place; fewer than ever, for that takes long."""


def tasks(client: Client, project: int) -> dict[str, dict[str, Any]]:
    """The tasks of a project by picture; fails where a picture has two."""
    found = list(client.tasks(project, fields="all"))
    assert len({task["data"]["image_id"] for task in found}) == len(found)
    return {task["data"]["image_id"]: task for task in found}


def draw(client: Client, task: int) -> None:
    drawn = from_boxes([Box("top", 1, 2, 30, 40)], ImageGeometry(WIDTH, HEIGHT))
    client.post(f"/api/tasks/{task}/annotations/", {"result": drawn})


def queue(workspace: Workspace, order: Sequence[str]) -> None:
    """Write an order of pictures, the first first."""
    rows = {"image_id": order, "priority": range(len(order), 0, -1), "reason": [f"reason {name[:4]}" for name in order]}
    frame = pd.DataFrame(rows).astype({"priority": float})
    workspace.write("priorities", frame.reindex(columns=[*rows, "uncertainty", "diversity", "rarity"]))


@pytest.fixture(autouse=True)
def short_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_HEAD", HEAD)


@pytest.fixture
def requests(client: Client, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what is asked of the server, by method."""
    counted: Counter[str] = Counter()
    ask = client.ask

    def counting(method: str, path: str, **how: Any) -> Any:
        counted[method] += 1
        return ask(method, path, **how)

    monkeypatch.setattr(client, "ask", counting)
    return counted


def test_a_new_order_takes_few_requests_and_touches_no_work(
    client: Client, settings: Settings, make: Make, requests: Counter[str]
) -> None:
    workspace = make(COUNT, boxes=True)
    project = push(workspace, settings, client)["project"]
    before = tasks(client, project)
    names = sorted(before)  # as people see them: nothing else orders them yet
    drawn, begun, taken_back = names[20], names[30], names[40]
    draw(client, before[drawn]["id"])
    client.post(f"/api/tasks/{before[begun]['id']}/drafts", {"result": []})
    draw(client, before[taken_back]["id"])
    pull(workspace, settings, client)
    (annotation,) = tasks(client, project)[taken_back]["annotations"]
    client.ask("DELETE", f"/api/annotations/{annotation['id']}/")
    queue(workspace, names[::-1])
    requests.clear()
    stats = push(workspace, settings, client)
    assert (stats["changed"], stats["added"], stats["deleted"], stats["duplicate_tasks"]) == (COUNT, 0, 0, 0)
    assert requests["PATCH"] == HEAD + 3  # the head of the queue, and what was touched
    after = tasks(client, project)
    assert {name: task["data"]["priority"] for name, task in after.items()} == dict(
        zip(names[::-1], range(COUNT, 0, -1), strict=True)
    )
    assert all(task["data"]["reason"] == f"reason {name[:4]}" for name, task in after.items())
    assert all(len(task["predictions"]) == 1 for task in after.values())
    stayed = {name for name in names if after[name]["id"] == before[name]["id"]}
    assert stayed == {*names[:HEAD], drawn, begun, taken_back}
    assert len(after[drawn]["annotations"]) == 1
    assert pull(workspace, settings, client)["withdrawn"] == 1
    assert push(workspace, settings, client)["changed"] == 0


def test_what_is_the_same_for_many_is_told_together(
    client: Client, settings: Settings, make: Make, requests: Counter[str]
) -> None:
    workspace = make(COUNT)
    project = push(workspace, settings, client)["project"]
    before = tasks(client, project)
    queue(workspace, sorted(before))
    push(workspace, settings, client)
    numbers = {name: task["id"] for name, task in tasks(client, project).items()}
    remove_table(workspace, "priorities")
    requests.clear()
    assert push(workspace, settings, client)["changed"] == COUNT
    assert requests["PATCH"] == 0
    after = tasks(client, project)
    assert {(task["data"]["priority"], task["data"]["reason"]) for task in after.values()} == {(0.0, "")}
    assert {name: task["id"] for name, task in after.items()} == numbers
    assert push(workspace, settings, client)["changed"] == 0


@pytest.mark.parametrize("moment", ["before the deletion", "after it"])
def test_a_push_that_ends_among_changes_goes_on(
    client: Client, settings: Settings, make: Make, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    workspace = make(COUNT)
    project = push(workspace, settings, client)["project"]
    names = sorted(tasks(client, project))
    queue(workspace, names[::-1])
    post: Callable[..., Any] = client.post

    def failing(path: str, body: Any, **parameters: Any) -> Any:
        if parameters.get("id") != "delete_tasks":
            return post(path, body, **parameters)
        if moment == "after it":
            post(path, body, **parameters)
        raise StageFailed("as if it were killed")

    with monkeypatch.context() as patched:
        patched.setattr(client, "post", failing)
        with pytest.raises(StageFailed):
            push(workspace, settings, client)
    push(workspace, settings, client)
    after = tasks(client, project)
    assert {name: task["data"]["priority"] for name, task in after.items()} == dict(
        zip(names[::-1], range(COUNT, 0, -1), strict=True)
    )
    assert push(workspace, settings, client)["changed"] == 0


def test_who_annotates_a_task_that_is_just_made_anew_loses_nothing(
    client: Client, settings: Settings, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make(COUNT)
    project = push(workspace, settings, client)["project"]
    before = tasks(client, project)
    names = sorted(before)
    queue(workspace, names[::-1])
    post: Callable[..., Any] = client.post
    meanwhile = before[names[-1]]["id"]

    def annotating(path: str, body: Any, **parameters: Any) -> Any:
        if parameters.get("id") == "delete_tasks" and meanwhile in body["selectedItems"]["included"]:
            draw(client, meanwhile)
        return post(path, body, **parameters)

    with monkeypatch.context() as patched:
        patched.setattr(client, "post", annotating)
        assert push(workspace, settings, client)["duplicate_tasks"] == 1
    after = tasks(client, project)
    assert len(after) == COUNT
    assert after[names[-1]]["id"] == meanwhile
    assert len(after[names[-1]]["annotations"]) == 1
    assert push(workspace, settings, client)["changed"] == 1
    assert tasks(client, project)[names[-1]]["data"]["priority"] == COUNT
