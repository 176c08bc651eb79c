"""Pushed to a real Label Studio, annotated through its API as a user would, and pulled."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fullshot.annotate.label_studio import push as push_module
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.project import config
from fullshot.annotate.label_studio.pull import pull
from fullshot.annotate.label_studio.push import push
from fullshot.annotate.label_studio.regions import from_boxes
from fullshot.annotate.label_studio.server import Server
from fullshot.core.boxes import Box, Picture
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.geometry import ImageGeometry
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from tests.annotate.conftest import HEIGHT, WIDTH, Make
from tests.removing import remove_table

GEOMETRY = ImageGeometry(WIDTH, HEIGHT)


def tasks(client: Client, project: int) -> dict[str, dict[str, Any]]:
    """The tasks of a project by picture; fails where a picture has two."""
    found = list(client.tasks(project, fields="all"))
    by_picture = {task["data"]["image_id"]: task for task in found}
    assert len(by_picture) == len(found)
    return by_picture


def draw(client: Client, task: int, boxes: Sequence[Box], *others: dict[str, Any], **more: Any) -> int:
    """Annotate a task; the annotation's number."""
    body = {"result": [*from_boxes(boxes, GEOMETRY), *others], "lead_time": 3.5, **more}
    return int(client.post(f"/api/tasks/{task}/annotations/", body)["id"])


def region(corners: Sequence[float], *labels: str, rotation: float = 0) -> dict[str, Any]:
    """A rectangle as it comes from Label Studio; corners in percent: left, top, width, height."""
    left, top, width, height = corners
    value = {"x": left, "y": top, "width": width, "height": height, "rotation": rotation, "rectanglelabels": [*labels]}
    kind = {"type": "rectanglelabels", "from_name": "label", "to_name": "image", "image_rotation": 0}
    return {"id": f"r{left}-{top}", **kind, "original_width": WIDTH, "original_height": HEIGHT, "value": value}


def choice(words: str) -> dict[str, Any]:
    return {"id": "c", "type": "choices", "from_name": "shot", "to_name": "image", "value": {"choices": [words]}}


def comment(words: str) -> dict[str, Any]:
    return {"id": "t", "type": "textarea", "from_name": "comment", "to_name": "image", "value": {"text": [words]}}


@pytest.mark.parametrize("count", [30, pytest.param(200, marks=pytest.mark.slow)])
def test_many_pictures_there_and_back(client: Client, settings: Settings, make: Make, count: int) -> None:
    workspace = make(count, boxes=True)
    stats = push(workspace, settings, client)
    assert (stats["added"], stats["tasks"], stats["deleted"]) == (count, count, 0)
    there = tasks(client, stats["project"])
    assert set(there) == set(workspace.read("images")["image_id"])
    some = next(iter(there.values()))
    assert [each["model_version"] for each in some["predictions"]] == ["shop"]
    assert some["data"]["page"].startswith("https://shop.example/")
    dice = np.random.default_rng(1)
    drawn: dict[str, Box] = {}
    for identity, task in there.items():
        low, high = dice.uniform(0, 0.4, 2), dice.uniform(0.5, 1, 2)
        box = Box("foot", low[0] * WIDTH, low[1] * HEIGHT, high[0] * WIDTH, high[1] * HEIGHT)
        drawn[identity] = box
        draw(client, task["id"], [box], comment("laced"))
    got = pull(workspace, settings, client)
    assert (got["annotated"], got["revisions"], got["boxes"], got["mistakes"]) == (count, count, count, 0)
    boxes = workspace.read("boxes")
    human = boxes[boxes["source"] == "human"].set_index("image_id")
    assert len(boxes) == 2 * count
    for identity, box in drawn.items():
        row = human.loc[identity]
        assert row["label"] == "foot"
        found = [float(str(row[name])) for name in ("x_min", "y_min", "x_max", "y_max")]
        assert found == pytest.approx(box.corners, abs=0.01)
    said = workspace.read("annotations")
    assert set(said["comment"]) == {"laced"}
    assert set(said["verdict"]) == {"boxes"}
    assert set(said["seconds"]) == {3.5}
    before = workspace.table("boxes").read_bytes()
    assert pull(workspace, settings, client)["revisions"] == 0
    assert workspace.table("boxes").read_bytes() == before
    again = push(workspace, settings, client)
    assert (again["added"], again["changed"], again["deleted"], again["tasks"]) == (0, 0, 0, count)
    assert set(tasks(client, stats["project"])) == set(there)


def test_a_push_that_is_killed_goes_on(client: Client, studio: Server, settings: Settings, make: Make) -> None:
    workspace = make(120)
    environment = os.environ | {"FULLSHOT_ANNOTATE_TOKEN": studio.credentials.token, "FULLSHOT_ANNOTATE_BATCH": "5"}
    title = settings.annotate.project
    command = [sys.executable, "-m", "fullshot", "annotate", "push", str(workspace.root), "--url", studio.url]
    command += ["--project", title, "--pictures", settings.annotate.pictures]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        while True:
            assert process.poll() is None, "the push was over before it was killed"
            found = client.get("/api/projects", title=title)["results"]
            if found and found[0]["task_number"] >= 10:
                break
        process.send_signal(signal.SIGKILL)
    stats = push(workspace, settings, client)
    assert 0 < stats["added"] < 120
    assert set(tasks(client, stats["project"])) == set(workspace.read("images")["image_id"])


def test_tasks_that_came_twice_are_one_again(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(3)
    project = push(workspace, settings, client)["project"]
    first, second, _ = tasks(client, project).values()
    doubled = client.post(f"/api/projects/{project}/import", [{"data": first["data"]}, {"data": second["data"]}])
    assert doubled["task_count"] == 2
    late = next(task for task in client.tasks(project) if task["id"] > 3 and task["data"] == first["data"])
    newest = max(task["id"] for task in client.tasks(project) if task["data"] == first["data"])
    draw(client, newest, [Box("top", 1, 2, 30, 40)])
    assert push(workspace, settings, client)["duplicate_tasks"] == 2
    left = tasks(client, project)
    assert left[first["data"]["image_id"]]["id"] == newest  # whoever drew something is not sent away
    assert left[second["data"]["image_id"]]["id"] == second["id"]
    assert late


def test_pictures_that_are_gone_go_but_not_what_was_not_pulled(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(4)
    project = push(workspace, settings, client)["project"]
    there = tasks(client, project)
    lost, drawn, *_ = sorted(there)
    draw(client, there[drawn]["id"], [Box("top", 1, 2, 30, 40)])
    images = workspace.read("images")
    workspace.write("images", images[~images["image_id"].isin([lost, drawn])])
    stats = push(workspace, settings, client)
    assert (stats["deleted"], stats["kept"], stats["tasks"]) == (1, 1, 3)
    workspace.write("images", images)
    pull(workspace, settings, client)
    workspace.write("images", images[~images["image_id"].isin([lost, drawn])])
    stats = push(workspace, settings, client)
    assert (stats["deleted"], stats["kept"], stats["tasks"]) == (1, 0, 2)
    assert set(tasks(client, project)) == set(there) - {lost, drawn}


def test_a_task_with_something_that_was_not_pulled_stays(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(2)
    project = push(workspace, settings, client)["project"]
    (_, first), (_, second) = sorted(tasks(client, project).items())
    for task in (first, second):
        draw(client, task["id"], [Box("top", 1, 2, 30, 40)])
    pull(workspace, settings, client)
    draw(client, first["id"], [Box("top", 1, 2, 30, 50)])
    workspace.write("images", workspace.read("images").iloc[:0])
    stats = push(workspace, settings, client)
    assert (stats["deleted"], stats["kept"]) == (1, 1)
    assert list(tasks(client, project)) == [first["data"]["image_id"]]


def test_other_boxes_of_the_shop_replace_those_before(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(2, boxes=True)
    project = push(workspace, settings, client)["project"]
    boxes = workspace.read("boxes")
    moved = boxes["image_id"].iloc[0]
    boxes.loc[boxes["image_id"] == moved, "x_min"] += 7
    workspace.write("boxes", boxes)
    before = tasks(client, project)
    push(workspace, settings, client)
    for identity, task in tasks(client, project).items():
        (now,), (then,) = task["predictions"], before[identity]["predictions"]
        assert (now["result"] != then["result"]) == (identity == moved)
        assert (now["id"] != then["id"]) == (identity == moved)
    assert push(workspace, settings, client)["changed"] == 0


def test_what_changed_of_a_picture_is_told_anew(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(3)
    project = push(workspace, settings, client)["project"]
    chosen = workspace.read("images")["image_id"].iloc[0]
    rows = [{"image_id": chosen, "priority": 2.0, "reason": "the detector is unsure of a top"}]
    workspace.write("priorities", pd.DataFrame(rows).reindex(columns=[*rows[0], "uncertainty", "diversity", "rarity"]))
    assert push(workspace, settings, client)["changed"] == 1
    data = tasks(client, project)[chosen]["data"]
    assert (data["priority"], data["reason"]) == (2.0, "the detector is unsure of a top")
    assert push(workspace, settings, client)["changed"] == 0


class Guessing:
    """Stands for a trained detector, which takes minutes to make: it draws the same box everywhere."""

    labels, image_size = ("top",), 64

    def __init__(self, digest: str, score: float) -> None:
        self.digest, self._score = digest, score

    def predict(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        return [[Box("top", 3, 4, 33, 44, self._score)] for _ in pictures]


def test_boxes_of_a_new_detector_replace_those_of_the_old(
    client: Client, settings: Settings, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make(4, boxes=True)

    def predictions(project: int) -> set[tuple[str, str, float | None]]:
        return {
            (each["model_version"], part["value"]["rectanglelabels"][0], each["score"])
            for task in tasks(client, project).values()
            for each in task["predictions"]
            for part in each["result"]
        }

    monkeypatch.setattr(push_module, "load", lambda *_, **__: Guessing("a" * 16, 0.5))
    stats = push(workspace, settings, client)
    assert stats["model"] == "a" * 16
    assert predictions(stats["project"]) == {("shop", "bottom", None), ("a" * 16, "top", 0.5)}
    task = next(iter(tasks(client, stats["project"]).values()))
    begun = next(each for each in task["predictions"] if each["model_version"] == "a" * 16)
    better = Box("top", 3, 4, 33, 48)
    draw(client, task["id"], [better, Box("foot", 1, 70, 20, 80)], parent_prediction=begun["id"])
    pull(workspace, settings, client)
    row = workspace.read("annotations").iloc[0]
    assert (row["model"], row["added"], row["deleted"], row["relabelled"]) == ("a" * 16, 1, 0, 0)
    assert row["mean_iou"] == pytest.approx(40 / 44)
    monkeypatch.setattr(push_module, "load", lambda *_, **__: Guessing("b" * 16, 0.75))
    stats = push(workspace, settings, client)
    assert predictions(stats["project"]) == {("shop", "bottom", None), ("b" * 16, "top", 0.75)}
    assert client.get(f"/api/projects/{stats['project']}")["model_version"] == "b" * 16


def test_a_task_whose_picture_broke_is_named_and_not_predicted_at_each_push(
    client: Client, settings: Settings, make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = make(3, boxes=True)
    monkeypatch.setattr(push_module, "load", lambda *_, **__: Guessing("a" * 16, 0.5))
    project = push(workspace, settings, client)["project"]
    broken = workspace.read("images").iloc[1]
    (workspace.root / str(broken["path"])).write_bytes(b"no picture")
    monkeypatch.setattr(push_module, "load", lambda *_, **__: Guessing("b" * 16, 0.75))
    capsys.readouterr()

    def pushed() -> dict[str, list[int]]:
        """The numbers of each task's predictions after another push."""
        stats = push(workspace, settings, client)
        assert (stats["tasks"], stats["deleted"], stats["predictions"], stats["unreadable"]) == (3, 0, 2, 1)
        assert f"left out: {broken['path']}" in capsys.readouterr().err
        return {name: [each["id"] for each in task["predictions"]] for name, task in tasks(client, project).items()}

    assert pushed() == pushed()


def test_labels_that_boxes_were_drawn_with_are_not_taken_away(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(2)
    project = push(workspace, settings, client)["project"]
    client.patch(f"/api/projects/{project}", {"label_config": config(["top", "bottom", "foot", "long", "hat"])})
    push(workspace, settings, client)  # nobody drew a hat: it goes
    assert "hat" not in client.get(f"/api/projects/{project}")["label_config"]
    client.patch(f"/api/projects/{project}", {"label_config": config(["top", "bottom", "foot", "long", "hat"])})
    task = next(iter(tasks(client, project).values()))
    number = draw(client, task["id"], [Box("hat", 1, 2, 30, 40)])
    with pytest.raises(UserError, match=f"hat: annotations {number}"):
        push(workspace, settings, client)
    got = pull(workspace, settings, client)
    assert (got["boxes"], got["mistakes"]) == (0, 1)
    assert "a box labelled hat: expected one of top, bottom, foot, long" in got["to_look_at"][0]["what"]


def test_what_is_wrong_with_boxes_is_told_with_a_link(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(1)
    project = push(workspace, settings, client)["project"]
    (task,) = tasks(client, project).values()
    drawn = [
        region((-10, 10, 50, 20), "top"),  # a tenth of the width outside
        region((20, 20, 0, 30), "top"),
        region((20, 40, 30, 30), "bottom"),
        region((20.1, 40.1, 30, 30), "bottom"),
        region((120, 40, 30, 30), "foot"),
        region((50, 50, 20, 20)),
        region((50, 10, 30, 20), "long", rotation=90),
    ]
    draw(client, task["id"], [], *drawn)
    stats = pull(workspace, settings, client)
    assert (stats["boxes"], stats["clipped"], stats["rotated"], stats["mistakes"]) == (3, 1, 1, 4)
    told = [each["what"] for each in stats["to_look_at"]]
    assert told == [
        "a top without area, or outside the picture",
        "a bottom that is drawn twice",
        "a foot without area, or outside the picture",
        "a box labelled not at all: expected one of top, bottom, foot, long",
    ]
    assert {each["task"] for each in stats["to_look_at"]} == {f"{client.url}/projects/{project}/data?task={task['id']}"}
    boxes = workspace.read("boxes").set_index("label")
    assert list(boxes.loc["top", ["x_min", "x_max"]]) == pytest.approx([0, 0.4 * WIDTH])
    # Turned by 90° about its top left corner, (30, 9) pixels, 18 wide and 18 high: it lies to the left of it.
    corners = boxes.loc["long", ["x_min", "y_min", "x_max", "y_max"]]
    assert list(corners.astype(float)) == pytest.approx([12, 9, 30, 27], abs=0.01)


def test_what_annotators_say_changes_the_verdict(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(3, shot="unclear")
    project = push(workspace, settings, client)["project"]
    there = tasks(client, project)
    assert {task["data"]["reason"] for task in there.values()} == {"is it a full shot?"}
    worn, half, skipped = sorted(there)
    draw(client, there[worn]["id"], [Box("top", 1, 2, 30, 40)])
    draw(client, there[half]["id"], [], choice("half"), comment("no feet"))
    draw(client, there[skipped]["id"], [], was_cancelled=True)
    stats = pull(workspace, settings, client)
    assert (stats["skipped"], stats["not_full_shot"], stats["verdicts"]) == (1, 1, 2)
    verdicts = workspace.read("verdicts").set_index("image_id")["shot"]
    assert verdicts.to_dict() == {worn: "full", half: "half"}
    assert set(workspace.read("annotations")["annotator"]) == {client.user["email"]}
    assert pull(workspace, settings, client)["verdicts"] == 0


def test_a_verdict_follows_its_annotation(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(3)
    project = push(workspace, settings, client)["project"]
    there = tasks(client, project)
    corrected, taken_back, stays = sorted(there)
    numbers = {each: draw(client, there[each]["id"], [], choice("item")) for each in sorted(there)}
    pull(workspace, settings, client)

    def verdicts() -> dict[str, str]:
        said = workspace.read("verdicts").dropna(subset=["shot"])
        return dict(zip(said["image_id"], said["shot"], strict=True))

    assert verdicts() == dict.fromkeys(there, "item")
    # As a kill leaves it, after the annotations were written.
    remove_table(workspace, "verdicts")
    assert pull(workspace, settings, client)["verdicts"] == 3
    assert verdicts() == dict.fromkeys(there, "item")
    # A verdict by hand stays until an annotator says something new; people leave out columns.
    lines = ["image_id,keep,shot", f"{stays},,half", f"{corrected},true,item", f"{taken_back},,item"]
    workspace.table("verdicts").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert pull(workspace, settings, client)["verdicts"] == 0
    pulled = workspace.read("verdicts")
    pulled.loc[pulled["image_id"] != stays, "annotator"] = str(client.user["email"])
    workspace.write("verdicts", pulled)
    client.patch(
        f"/api/annotations/{numbers[corrected]}/", {"result": from_boxes([Box("top", 1, 2, 30, 40)], GEOMETRY)}
    )
    client.ask("DELETE", f"/api/annotations/{numbers[taken_back]}/")
    assert pull(workspace, settings, client)["verdicts"] == 2
    assert verdicts() == {corrected: "full", stays: "half"}


def test_another_project_takes_nothing_back(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(2)
    others = load(annotate={**settings.annotate.model_dump(exclude={"token"}), "project": "another one"})
    for number, each in enumerate((settings, others)):
        project = push(workspace, each, client)["project"]
        first, second = (tasks(client, project)[name] for name in sorted(tasks(client, project)))
        if not number:
            draw(client, first["id"], [Box("top", 1, 2, 30, 40)])
        draw(client, second["id"], [Box("long", 1, 2, 30, 40 + number)])
        assert pull(workspace, each, client)["withdrawn"] == 0
    for each in (settings, others):
        assert pull(workspace, each, client)["revisions"] == 0
    force = workspace.open().frame("annotations_in_force").set_index("image_id")["revision"]
    assert force.to_dict() == {first["data"]["image_id"]: 1, second["data"]["image_id"]: 2}


def test_every_revision_stays_and_the_newest_counts(client: Client, settings: Settings, make: Make) -> None:
    workspace = make(1)
    project = push(workspace, settings, client)["project"]
    (task,) = tasks(client, project).values()
    number = draw(client, task["id"], [Box("top", 1, 2, 30, 40)])
    pull(workspace, settings, client)
    client.patch(f"/api/annotations/{number}/", {"result": from_boxes([Box("long", 1, 2, 30, 80)], GEOMETRY)})
    assert pull(workspace, settings, client)["revisions"] == 1
    boxes = workspace.read("boxes").sort_values("revision")
    assert list(boxes["label"]) == ["top", "long"]
    assert list(boxes["revision"]) == [1, 2]
    assert list(workspace.open().frame("annotations_in_force")["revision"]) == [2]
    client.ask("DELETE", f"/api/annotations/{number}/")
    assert pull(workspace, settings, client)["withdrawn"] == 1
    assert workspace.open().frame("annotations_in_force").empty
    assert pull(workspace, settings, client)["withdrawn"] == 0


def person(client: Client, name: str) -> int:
    """Another user's number."""
    address = f"{name}@fullshot.local"
    known = {email: number for number, email in client.people().items()}
    body = {"email": address, "username": name, "first_name": name, "last_name": name}
    return known.get(address) or int(client.post("/api/users/", body)["id"])


def draw_as(client: Client, project: int, task: dict[str, Any], who: str, boxes: Sequence[Box]) -> None:
    """Annotate a task as somebody else, as an import of annotations does."""
    number = draw(client, task["id"], boxes)
    client.patch(f"/api/annotations/{number}/", {"completed_by": person(client, who)})


def test_a_majority_of_annotators_decides(client: Client, make: Make, settings: Settings) -> None:
    workspace = make(1)
    both = [load(annotate={**settings.annotate.model_dump(exclude={"token"}), "consensus": "majority"}), settings]
    project = push(workspace, both[0], client)["project"]
    (task,) = tasks(client, project).values()
    for moved, who in ((0, "ada"), (2, "bob"), (4, "cyd")):
        draw_as(client, project, task, who, [Box("top", 10 + moved, 10, 40 + moved, 40)])
    draw_as(client, project, task, "dan", [Box("top", 12, 10, 42, 40), Box("foot", 1, 70, 20, 80)])
    pull(workspace, both[0], client)
    annotations = workspace.read("annotations")
    assert set(annotations["annotator"]) == {f"{who}@fullshot.local" for who in ("ada", "bob", "cyd", "dan")} | {
        "consensus"
    }
    (row,) = workspace.open().frame("annotations_in_force").to_dict("records")
    assert (row["annotator"], row["boxes"]) == ("consensus", 1)
    boxes = workspace.read("boxes")
    agreed = boxes[boxes["revision"] == row["revision"]].iloc[0]
    assert [agreed[name] for name in ("label", "x_min", "x_max")] == ["top", pytest.approx(12), pytest.approx(42)]
    # Nothing new, nothing written; another rule, and what was agreed on counts no more.
    assert pull(workspace, both[0], client)["revisions"] == 0
    assert pull(workspace, both[1], client)["withdrawn"] == 1
    (row,) = workspace.open().frame("annotations_in_force").to_dict("records")
    assert (row["annotator"], row["boxes"]) == ("dan@fullshot.local", 2)
    # Again, and it ends with those who agreed.
    pull(workspace, both[0], client)
    assert workspace.open().frame("annotations_in_force")["annotator"].item() == "consensus"
    for annotation in next(iter(tasks(client, project).values()))["annotations"][1:]:
        client.ask("DELETE", f"/api/annotations/{annotation['id']}/")
    assert pull(workspace, both[0], client)["withdrawn"] == 4
    assert workspace.open().frame("annotations_in_force")["annotator"].item() == "ada@fullshot.local"


def test_the_token_is_told_nowhere(
    client: Client, studio: Server, served_workspace: Workspace, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    push(served_workspace, settings, client)
    pull(served_workspace, settings, client)
    secrets = (studio.credentials.token, studio.credentials.password)
    files = [path for path in served_workspace.root.rglob("*") if path.is_file() and "data" not in path.parts]
    where = [path.name for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]
    assert where == ["user.json"]
    assert (served_workspace / "label-studio" / "user.json").stat().st_mode & 0o777 == 0o600
    told = "".join(capfd.readouterr())
    assert not any(secret in told for secret in secrets)


def test_a_wrong_answer_is_one_line(client: Client) -> None:
    with pytest.raises(StageFailed) as caught:
        client.get("/api/projects/999999")
    assert "\n" not in str(caught.value)
    assert "404" in str(caught.value)
