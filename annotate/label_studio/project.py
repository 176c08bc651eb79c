"""The project in Label Studio: what annotators may draw and say, made from the taxonomy."""

import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from fullshot.annotate.label_studio import guide
from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.regions import COMMENT, LABELS, PICTURE, SHOT
from fullshot.core.errors import UserError
from fullshot.core.taxonomy import GARMENTS

NOT_FULL = {"half": "Not a full shot: only a part of the person", "item": "Not a full shot: a garment alone"}
"""A shot of ``curated``, and the words by which an annotator says that a picture is one."""

_NAMED = 10  # annotations in an error


def config(labels: Sequence[str] = GARMENTS) -> str:
    """The labelling interface: boxes with colours and hotkeys, a choice, and a comment."""
    view = ElementTree.Element("View")
    rectangles = ElementTree.SubElement(view, "RectangleLabels", name=LABELS, toName=PICTURE, strokeWidth="3")
    for number, label in enumerate(labels):
        colour = guide.COLOURS[number % len(guide.COLOURS)]
        ElementTree.SubElement(rectangles, "Label", value=str(label), background=colour, hotkey=str(number + 1))
    choices = ElementTree.SubElement(
        view, "Choices", name=SHOT, toName=PICTURE, choice="single-radio", showInline="true"
    )
    for number, (alias, words) in enumerate(NOT_FULL.items(), len(labels) + 1):
        ElementTree.SubElement(choices, "Choice", value=words, alias=alias, hotkey=str(number))
    ElementTree.SubElement(
        view, "Image", name=PICTURE, value=f"${PICTURE}", zoom="true", zoomControl="true", rotateControl="false"
    )
    ElementTree.SubElement(
        view,
        "TextArea",
        name=COMMENT,
        toName=PICTURE,
        placeholder="A comment, if need be",
        rows="2",
        maxSubmissions="1",
    )
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode")


def find(client: Client, title: str) -> dict[str, Any]:
    """The project of this title.

    Raises:
        UserError: there is none, or there are several.
    """
    projects = client.get("/api/projects", title=title, page_size=100)["results"]
    same: list[dict[str, Any]] = [project for project in projects if project["title"] == title]
    if len(same) != 1:
        what = f"several projects called {title!r}" if same else f"no project called {title!r}"
        raise UserError(f"there is {what} at {client.url}: push first, or name another by --project")
    return same[0]


def key(project: Mapping[str, Any]) -> str:
    """What tells a project from those of other servers, and from those of its own server's earlier life."""
    return f"{project['id']} of {project['created_at']}"


def ensure(client: Client, title: str) -> dict[str, Any]:
    """The project of this title, made or brought up to date.

    Raises:
        UserError: there are several of this title, or boxes were drawn with labels that there are no more.
    """
    projects = client.get("/api/projects", title=title, page_size=100)["results"]
    same = [project for project in projects if project["title"] == title]
    if len(same) > 1:
        numbers = ", ".join(str(project["id"]) for project in same)
        raise UserError(f"there are several projects called {title!r} ({numbers}): name another one by --project")
    wanted = {
        "label_config": config(),
        "show_instruction": True,
        "show_collab_predictions": True,
        "sampling": "Sequential sampling",
        "enable_empty_annotation": True,
    }
    if not same:
        project: dict[str, Any] = client.post("/api/projects", {"title": title, **wanted})
    else:
        project = client.get(f"/api/projects/{same[0]['id']}")
        changed = {name: value for name, value in wanted.items() if project.get(name) != value}
        if "label_config" in changed:
            known = project.get("parsed_label_config", {}).get(LABELS, {}).get("labels", [])
            _must_keep(client, project, set(known) - set(GARMENTS))
        if changed:
            project = client.patch(f"/api/projects/{project['id']}", changed)
    _ensure_guide(client, project)
    _ensure_order(client, project["id"])
    return project


def _ensure_guide(client: Client, project: dict[str, Any]) -> None:
    """Tell annotators what to do, unless somebody wrote other instructions since."""
    if project.get("expert_instruction"):
        return
    number = project["id"]
    drawn = {"file": (guide.FILE, guide.DRAWING, "image/svg+xml")}
    client.ask("POST", f"/api/projects/{number}/import", files=drawn, params={"commit_to_project": "false"})
    uploads = client.get(f"/api/projects/{number}/file-uploads", all="true")
    place = next(upload["file"] for upload in reversed(uploads) if str(upload["file"]).endswith(guide.FILE))
    client.patch(f"/api/projects/{number}", {"expert_instruction": guide.instructions(f"/data/{place}")})


_HIDDEN = (
    *("inner_id", "annotators", "annotations_ids", "predictions_model_versions", "file_upload", "storage_filename"),
    *("created_at", "updated_at", "updated_by", "avg_lead_time", "draft_exists", "predictions_results"),
    *("annotations_results", "data.image_id", "data.given"),
)
"""Columns of the data manager that tell an annotator nothing."""


def _ensure_order(client: Client, project: int) -> None:
    """A tab of the data manager that shows what is to be labelled next first."""
    hidden = [f"tasks:{name}" for name in _HIDDEN]
    data = {
        "title": "Next",
        "type": "list",
        "target": "tasks",
        "ordering": ["-tasks:data.priority"],
        "hiddenColumns": {"explore": hidden, "labeling": hidden},
        # Else a server on PostgreSQL orders numbers as text.
        "columnsDisplayType": {"tasks:data.priority": "Number"},
    }
    views = client.get("/api/dm/views", project=project)
    if not any(view["data"].get("title") == data["title"] for view in views):
        client.post("/api/dm/views", {"project": project, "data": data})


def _must_keep(client: Client, project: dict[str, Any], gone: set[str]) -> None:
    """Refuse to take labels away that boxes were drawn with."""
    created = client.get(f"/api/projects/{project['id']}/summary").get("created_labels", {})
    if not gone & set(created.get(LABELS, {})):
        return
    orphans: dict[str, list[int]] = defaultdict(list)
    for task in client.tasks(project["id"], fields="all"):
        for annotation in task["annotations"]:
            used = {
                label for part in annotation["result"] for label in part.get("value", {}).get("rectanglelabels", ())
            }
            for label in sorted(used & gone):
                orphans[label].append(annotation["id"])
    if orphans:
        told = "; ".join(
            f"{label}: annotations {', '.join(map(str, ids[:_NAMED]))}"
            + (f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else "")
            for label, ids in sorted(orphans.items())
        )
        raise UserError(
            f"project {project['title']!r} has boxes with labels that fullshot does not know ({told}): "
            "relabel them, or push to another project by --project"
        )
